"""The command `ossgate`.

Exit codes: 0 done, 1 something failed while it ran, 2 wrong settings or arguments.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from ossgate import __version__
from ossgate.delivery_commands import deliver
from ossgate.inbox_commands import inbox
from ossgate.key_commands import keys
from ossgate.reconcile_commands import prune, reconcile

if TYPE_CHECKING:
    from ossgate.assembly import Parts
    from ossgate.ledger import Ledger
    from ossgate.settings import LoadedSettings

FAILED, WRONG = 1, 2
_CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True}


class _LazyGroup(click.Group):
    """Loads the emulator only for its own command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "emulator"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "emulator":
            from ossgate.emulator.cli import command

            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=_LazyGroup, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="ossgate")
def main() -> None:
    """Direct uploads to Alibaba Cloud OSS that your application can believe.

    Settings come from ossgate.toml here, or from the file that OSSGATE_CONFIG names.
    """


@main.command()
@click.option(
    "--port", default=8000, type=click.IntRange(0, 65535), help="Port of the server; 0 takes a free one."
)
@click.option(
    "--emulator-port",
    default=9000,
    type=click.IntRange(0, 65535),
    help="Port of the local OSS; 0 takes a free one.",
)
@click.option(
    "--data-dir",
    default=Path("ossgate-data"),
    type=click.Path(path_type=Path, file_okay=False),
    help="Where settings, keys, ledger and objects are kept.",
)
def demo(port: int, emulator_port: int, data_dir: Path) -> None:
    """Run the server and a local OSS, without an account."""
    if sys.platform == "win32":
        _fail("the demo's server, gunicorn, does not run on Windows; use WSL.", WRONG)
    from ossgate.demo import Demo, DemoFailed, DemoRefused
    from ossgate.example_settings import DemoPlace
    from ossgate.serving import find_free_port

    place = DemoPlace(
        port=port or find_free_port("127.0.0.1"), emulator_port=emulator_port or find_free_port("127.0.0.1")
    )
    click.echo("ossgate demo: starting a server and a local OSS …")
    try:
        Demo(place, data_dir, write=click.echo).run()
    except DemoFailed as error:
        _fail(str(error), WRONG if isinstance(error, DemoRefused) else FAILED)
    click.echo("stopped.")


@main.command()
@click.option("--host", help="Address to bind; default [server] host.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to bind; default [server] port.")
@click.option("--workers", type=click.IntRange(1, 256), help="Worker processes; default [server] workers.")
@click.option("--threads", type=click.IntRange(1, 512), help="Threads of each; default [server] threads.")
def serve(host: str | None, port: int | None, workers: int | None, threads: int | None) -> None:
    """Serve uploads and callbacks with gunicorn."""
    from ossgate.serving import build_gunicorn_command, find_bind_problem

    if sys.platform == "win32":
        _fail(
            "gunicorn does not run on Windows; serve ossgate.app:create_app() with another WSGI server.",
            WRONG,
        )
    loaded, parts = _load()
    server = loaded.settings.server
    address, number = host or server.host, port if port is not None else server.port
    problem = find_bind_problem(address, number)
    if problem:
        _fail(
            f"port {number} on {address} cannot be used: {problem.lower()}. Choose another with --port.",
            WRONG,
        )
    if loaded.settings.database.url.startswith("sqlite"):
        # The embedded database belongs to this machine alone; a shared one is migrated by its own command.
        _upgrade(parts.ledger)
    command = build_gunicorn_command(
        address, number, workers=workers or server.workers, threads=threads or server.threads
    )
    click.echo(f"ossgate serves http://{address}:{number}/ with the settings of {loaded.source}", err=True)
    os.execv(command[0], command)


@main.command()
@click.argument("file", default="ossgate.toml", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--force", is_flag=True, help="Overwrite the file when it is there; keys are never overwritten."
)
def init(file: Path, force: bool) -> None:
    """Write a commented settings file, and the keys that it names."""
    from ossgate.example_settings import EXAMPLE
    from ossgate.key_files import ensure_key

    if file.exists() and not force:
        _fail(f"{file} is there already; --force overwrites it.", WRONG)
    keys = [file.resolve().parent / "secrets" / name for name in ("ticket.key", "seal.key")]
    try:
        for key in keys:
            ensure_key(key)
        file.write_text(EXAMPLE, encoding="utf-8")
    except OSError as error:
        _fail(f"{error.filename or file} cannot be written: {(error.strerror or str(error)).lower()}.", WRONG)
    click.echo(f"wrote {file} and the keys beside it, in secrets/")
    click.echo(
        "next: set region, bucket and callback url, export OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET,"
    )
    click.echo("      then run `ossgate serve`")


@main.group()
def db() -> None:
    """The ledger's database."""


@db.command()
def upgrade() -> None:
    """Create or migrate the ledger's tables; safe to run by several nodes at once."""
    loaded, parts = _load()
    _upgrade(parts.ledger)
    parts.ledger.close()
    click.echo(f"the ledger of {loaded.source} is up to date")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def lifecycle(as_json: bool) -> None:
    """Print the lifecycle rules by which buckets delete what profiles keep for some days alone (keep_days).

    Nothing is changed: add the rules to those that the bucket has. A rule deletes whatever lies below its prefix.
    """
    from signer.lifecycle import plan_lifecycle, render_xml

    _, parts = _load()
    parts.ledger.close()
    plans = plan_lifecycle(receiving.profile for receiving in parts.profiles.values())
    if as_json:
        click.echo(json.dumps([plan.to_json() for plan in plans], ensure_ascii=False))
        return
    if not plans:
        click.echo("no profile has keep_days, so no rule is needed", err=True)
    for plan in plans:
        click.echo(f"bucket {plan.bucket}:", err=True)
        if plan.rules:
            click.echo(render_xml(plan.rules))
        for name, reason in plan.unreached:
            click.echo(f"no rule finds all of profile {name}: {reason}", err=True)
            click.echo("    fix: begin object_key and key_prefix with a folder of its own,", err=True)
            click.echo(
                "         or run `ossgate reconcile --quick --delete-outlived --apply` each day", err=True
            )


main.add_command(keys)
main.add_command(deliver)
main.add_command(inbox)
main.add_command(reconcile)
db.add_command(prune)


def _load() -> tuple[LoadedSettings, Parts]:
    from ossgate.assembly import assemble
    from ossgate.problems import SettingsInvalid
    from ossgate.settings import load_settings

    try:
        loaded = load_settings()
        return loaded, assemble(loaded)
    except SettingsInvalid as error:
        _fail(str(error), WRONG)


def _upgrade(ledger: Ledger) -> None:
    from ossgate.ledger import LedgerError

    try:
        ledger.upgrade()
    except LedgerError as error:
        _fail(f"the ledger cannot be upgraded: {error}", FAILED)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"ossgate: {message}", err=True)
    raise SystemExit(code)
