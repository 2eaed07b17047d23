"""The command line of the emulator: `ossgate emulator`, or `python -m ossgate.emulator`."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from ossgate.emulator.event_lines import render_line
from ossgate.emulator.options import EmulatorOptions
from ossgate.emulator.requests import is_ip_address
from ossgate.emulator.scenario import ScenarioInvalid, read_scenario
from ossgate.emulator.server import Emulator, EmulatorStartError
from ossgate.emulator.sts import StsOptions, StsRole
from ossgate.emulator.sts.options import DEFAULT_ACCOUNT_ID
from ossgate.emulator.sts.role_file import read_roles

DEFAULT_SECRET = "demo-access-key-secret"  # noqa: S105  # everybody knows it
_SECTIONS = {
    "Where": ("host", "port", "public_url", "data_dir"),
    "What": ("buckets", "bucket_acl", "versioned", "region", "cors_origins"),
    "Who": ("access_key_id", "access_key_secret", "sts_account_id", "sts_roles", "sts_secure_transport"),
    "Names": ("host_suffixes", "cname_buckets", "refuse_public_endpoint"),
    "Callbacks": ("allow_private_callbacks", "callback_timeout", "callback_key"),
    "Faults": ("scenario", "fault_headers"),
    "Output": ("log_format", "parent_pid_fd"),
}


class _SectionedCommand(click.Command):
    """Shows its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by section."""
        left = {parameter.name: parameter.get_help_record(ctx) for parameter in self.get_params(ctx)}
        for title, names in _SECTIONS.items():
            records = [record for name in names if (record := left.pop(name, None)) is not None]
            with formatter.section(title):
                formatter.write_dl(records)
        with formatter.section("Other"):
            formatter.write_dl([record for record in left.values() if record is not None])


class _EventPrinter:
    """Writes events to standard output, one a line."""

    def __init__(self, log_format: str) -> None:
        self._render: Callable[[Mapping[str, Any]], str] = json.dumps
        if log_format == "text":
            colour = sys.stdout.isatty() and not os.getenv("NO_COLOR")
            self._render = lambda event: render_line(event, colour=colour)
        self._lock = threading.Lock()

    def __call__(self, event: Mapping[str, Any]) -> None:
        self.write(self._render(event))

    def write(self, text: str) -> None:
        """Write a line."""
        # Keys are in any script, terminals are not.
        encoded = text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
        with self._lock:
            click.echo(encoded)


def _split_pairs(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    pairs = [value.partition("=") for value in values]
    for host, equals, bucket in pairs:
        if not equals or not host or not bucket:
            raise click.BadParameter(f"{host + equals + bucket!r} is not like img.example.com=my-bucket")
    return tuple((host.lower(), bucket) for host, _, bucket in pairs)


@click.command(
    cls=_SectionedCommand,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 110},
    epilog=(
        "The page at /_emulator/ shows buckets, objects, every request and why it was refused; faults are asked for "
        "there, at /_emulator/faults, or by the header x-ossgate-fault."
    ),
)
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0 opens it to the network.")
@click.option("--port", default=9000, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option("--public-url", help="The emulator's URL for others, when it is not the address it listens on.")
@click.option(
    "--data-dir",
    default=Path("var/emulator"),
    type=click.Path(path_type=Path, file_okay=False),
    help="Where objects and the callback key are kept.",
)
@click.option(
    "--bucket",
    "buckets",
    multiple=True,
    default=("demo-bucket",),
    help="A bucket that is there from the start; may be given several times, the first is the one that is told.",
)
@click.option(
    "--bucket-acl",
    default="private",
    type=click.Choice(["private", "public-read", "public-read-write"]),
    help="What may be done with them unsigned.",
)
@click.option("--versioned", is_flag=True, help="They keep versions, so that forbid-overwrite is void.")
@click.option("--region", default="cn-hangzhou", help="The region that V4 signatures must name.")
@click.option(
    "--cors-origin",
    "cors_origins",
    multiple=True,
    default=("*",),
    help="Origin that pages may upload from, until a bucket gets rules of its own; may be given several times.",
)
@click.option("--access-key-id", default="demo-access-key-id", help="The AccessKey ID that may sign.")
@click.option(
    "--access-key-secret",
    default=DEFAULT_SECRET,
    envvar="OSSGATE_EMULATOR_ACCESS_KEY_SECRET",
    show_envvar=True,
    help="Its secret; the environment keeps it off the command line.",
)
@click.option(
    "--sts-account-id",
    default=DEFAULT_ACCOUNT_ID,
    help="The account that the roles of AssumeRole belong to.",
)
@click.option(
    "--sts-roles",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON list of the roles that may be assumed. [default: every role of the account, with all permissions]",
)
@click.option(
    "--sts-secure-transport",
    is_flag=True,
    help="Take requests for TLS in policies that demand acs:SecureTransport.",
)
@click.option(
    "--host-suffix",
    "host_suffixes",
    multiple=True,
    default=("localhost",),
    help="Names below which <bucket>.<name> is a bucket, beside the region's own endpoints.",
)
@click.option(
    "--cname",
    "cname_buckets",
    multiple=True,
    metavar="HOST=BUCKET",
    callback=_split_pairs,
    help="An own domain and its bucket; may be given several times.",
)
@click.option(
    "--refuse-public-endpoint",
    is_flag=True,
    help="Refuse data requests by the region's public endpoint, as mainland regions do to new accounts.",
)
@click.option(
    "--allow-private-callbacks/--refuse-private-callbacks",
    default=True,
    help="Whether callbacks may go to loopback and private addresses; OSS itself refuses them.",
)
@click.option(
    "--callback-timeout",
    default=5.0,
    type=click.FloatRange(0.1, 60),
    help="Seconds that a receiver has; OSS gives five.",
)
@click.option(
    "--callback-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="PEM of the RSA key that signs callbacks. [default: a 2048-bit key kept in the data folder]",
)
@click.option(
    "--scenario",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="TOML or JSON file of faults to play from the start.",
)
@click.option(
    "--fault-headers",
    default="loopback",
    type=click.Choice(["loopback", "always", "never"]),
    help="Whose requests may bring faults along in x-ossgate-fault.",
)
@click.option(
    "--log-format",
    default="text",
    type=click.Choice(["text", "json"]),
    help="How events are printed: a tidy line each, or JSON.",
)
@click.option(
    "--parent-pid-fd",
    type=int,
    help="A pipe held open by the starter; when it closes, the emulator stops.",
)
def command(
    buckets: tuple[str, ...],
    cname_buckets: tuple[tuple[str, str], ...],
    callback_key: Path | None,
    sts_account_id: str,
    sts_roles: Path | None,
    sts_secure_transport: bool,
    scenario: Path | None,
    log_format: str,
    parent_pid_fd: int | None,
    **settings: Any,
) -> None:
    """Run a local OSS that checks what the service checks, calls back as it does, and fails when it is told to."""
    printer = _EventPrinter(log_format)
    try:
        faults = tuple(read_scenario(scenario)) if scenario is not None else ()
    except ScenarioInvalid as invalid:
        _give_up(str(invalid))
    options = EmulatorOptions(
        **settings,
        bucket=buckets[0],
        more_buckets=buckets[1:],
        cname_buckets=dict(cname_buckets),
        sts=StsOptions(
            account_id=sts_account_id,
            roles=_read_roles(sts_roles) if sts_roles is not None else (),
            secure_transport=sts_secure_transport,
        ),
        callback_private_key=callback_key.read_text("utf-8") if callback_key is not None else None,
        faults=faults,
        on_event=printer,
    )
    emulator = Emulator(options)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        emulator.start()
    except EmulatorStartError as error:
        _give_up(str(error))
    if parent_pid_fd is not None:
        watcher = threading.Thread(target=_wait_for_end, args=(parent_pid_fd, stopped), daemon=True)
        watcher.start()
    _warn(options, emulator.port)
    _tell_start(printer, emulator, as_text=log_format == "text")
    # A wait without timeout would not notice Ctrl-C on Windows.
    while not stopped.wait(0.5):
        pass
    emulator.stop()
    printer({"event": "stopped"})


def _give_up(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(2)


def _read_roles(path: Path) -> tuple[StsRole, ...]:
    try:
        return read_roles(path)
    except ValueError as error:
        _give_up(f"The roles in {path} cannot be used ({error}).")


def _warn(options: EmulatorOptions, port: int) -> None:
    if options.host == "localhost" or options.host.startswith("127.") or options.host == "::1":
        return
    where = "every address of this machine" if options.host in ("0.0.0.0", "::") else options.host  # noqa: S104
    click.echo(
        f"WARNING: the emulator listens on {where}, not on loopback alone. Whoever reaches port {port} can read, "
        "change and clear what it holds, and sees every request, by its page and without any key. It is made for "
        "tests: keep nothing in it that matters.",
        err=True,
    )


def _tell_start(printer: _EventPrinter, emulator: Emulator, *, as_text: bool) -> None:
    options = emulator.options
    if not as_text:
        printer(
            {
                "event": "started",
                "url": emulator.url,
                "bucket_url": emulator.bucket_url,
                "public_key_url": emulator.public_key_url,
                "data_dir": str(options.data_dir),
            }
        )
        return
    # A secret is printed when it is none.
    secret = options.access_key_secret if options.access_key_secret == DEFAULT_SECRET else "(as given)"
    style = (
        "path style" if is_ip_address(options.host) else f"path style, or <bucket>.{options.host_suffixes[0]}"
    )
    rows = {
        "Endpoint": f"{emulator.url}  ({style})",
        "Region": options.region,
        "Buckets": ", ".join([options.bucket, *options.more_buckets]),
        "AccessKey": f"{options.access_key_id}  {secret}",
        "Page": f"{emulator.url}/_emulator/",
        "Objects": str(options.data_dir),
    }
    lines = [f"  {name:<10} {value}" for name, value in rows.items()]
    if options.faults:
        lines.append(f"  Faults     {len(options.faults)} of the scenario")
    printer.write("\n".join(["ossgate emulator, a local OSS. Ctrl-C stops it.", "", *lines, ""]))


def _wait_for_end(descriptor: int, stopped: threading.Event) -> None:
    while os.read(descriptor, 1):
        pass
    stopped.set()
