"""The command line of the emulator: `ossgate emulator`, or `python -m ossgate.emulator`."""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click

from ossgate.emulator.options import EmulatorOptions
from ossgate.emulator.server import Emulator, EmulatorStartError


class _EventPrinter:
    """Writes events to standard output, one a line."""

    def __init__(self, log_format: str) -> None:
        self._render = json.dumps if log_format == "json" else _render_text
        self._lock = threading.Lock()

    def __call__(self, event: dict[str, Any]) -> None:
        line = self._render(event)
        # Keys are in any script, terminals are not.
        encoded = line.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
        with self._lock:
            click.echo(encoded)


def _render_text(event: dict[str, Any]) -> str:
    facts = dict(event)
    name = facts.pop("event")
    return " ".join([f"{name:<12}", *(f"{key}={_quote(value)}" for key, value in facts.items())])


def _quote(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text.isprintable() or " " in text or not text else text


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0 opens it to the network.")
@click.option("--port", default=9000, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option(
    "--data-dir",
    default=Path("var/emulator"),
    type=click.Path(path_type=Path, file_okay=False),
    help="Where objects and the callback key are kept.",
)
@click.option("--bucket", default="demo-bucket", help="The bucket's name.")
@click.option(
    "--bucket-acl",
    default="private",
    type=click.Choice(["private", "public-read", "public-read-write"]),
    help="Who may use the bucket unsigned.",
)
@click.option("--region", default="cn-hangzhou", help="The region that V4 signatures must name.")
@click.option("--access-key-id", default="demo-access-key-id", help="The AccessKey ID that may sign.")
@click.option(
    "--access-key-secret",
    default="demo-access-key-secret",
    envvar="OSSGATE_EMULATOR_ACCESS_KEY_SECRET",
    help="Its secret.",
)
@click.option(
    "--cors-origin",
    "cors_origins",
    multiple=True,
    default=("*",),
    help="Origin that pages may upload from; may be given several times.",
)
@click.option(
    "--allow-private-callbacks/--refuse-private-callbacks",
    default=True,
    help="Whether callbacks may go to loopback and private addresses; OSS itself refuses them.",
)
@click.option("--public-url", help="The emulator's URL for others, when it is not the address it listens on.")
@click.option(
    "--callback-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="PEM of the RSA key that signs callbacks. [default: a 2048-bit key kept in the data folder]",
)
@click.option(
    "--log-format", default="text", type=click.Choice(["text", "json"]), help="How events are printed."
)
@click.option(
    "--parent-pid-fd",
    type=int,
    help="A pipe held open by the starter; when it closes, the emulator stops.",
)
def command(
    callback_key: Path | None,
    log_format: str,
    parent_pid_fd: int | None,
    **settings: Any,
) -> None:
    """Run a local OSS: form uploads, callbacks, HEAD and GET, checked as the service checks them."""
    printer = _EventPrinter(log_format)
    private_key = callback_key.read_text("utf-8") if callback_key is not None else None
    emulator = Emulator(EmulatorOptions(**settings, callback_private_key=private_key, on_event=printer))
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        emulator.start()
    except EmulatorStartError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    if parent_pid_fd is not None:
        watcher = threading.Thread(target=_wait_for_end, args=(parent_pid_fd, stopped), daemon=True)
        watcher.start()
    printer(
        {
            "event": "started",
            "url": emulator.url,
            "bucket_url": emulator.bucket_url,
            "public_key_url": emulator.public_key_url,
            "data_dir": str(emulator.options.data_dir),
        }
    )
    # A wait without timeout would not notice Ctrl-C on Windows.
    while not stopped.wait(0.5):
        pass
    emulator.stop()
    printer({"event": "stopped"})


def _wait_for_end(descriptor: int, stopped: threading.Event) -> None:
    while os.read(descriptor, 1):
        pass
    stopped.set()
