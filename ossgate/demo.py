"""`ossgate demo`: the server and the local OSS as two real processes, with everything they need in one folder.

Both children read a pipe whose other end only this process holds; when it ends, even by `kill -9`, they see the end of file and stop.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import urllib3

from ossgate.access.key_file import add_key, revoke_key
from ossgate.access.keys import ApiKey, hash_api_key, new_api_key
from ossgate.demo_printer import DemoPrinter
from ossgate.example_settings import DemoPlace, render_demo
from ossgate.key_files import ensure_key, write_secret
from ossgate.problems import VARIABLE_DELIMITER, VARIABLE_PREFIX
from ossgate.serving import build_gunicorn_command, find_bind_problem

READY_SECONDS = 30.0
STOP_SECONDS = 10.0
WORKERS, THREADS = 1, 16
_CHOOSE_FOLDER = "Choose another folder with --data-dir (make demo DATA_DIR=…)."
_FIRST_LINE = re.compile(r"# The settings of `ossgate demo` on port (\d+) with its local OSS on port (\d+)\.")


class DemoFailed(Exception):
    """A reason why the demo cannot run, with the fix in its text."""


class DemoRefused(DemoFailed):
    """Its ports, its folder or its settings are wrong; nothing was started."""


class Demo:
    """Prepares the folder, starts both servers, and stops them again."""

    def __init__(self, place: DemoPlace, data_dir: Path, *, write: Callable[[str], None]) -> None:
        self._place = place
        self._folder = data_dir.resolve()
        self._write = write
        self._printer = DemoPrinter(write, clock=lambda: datetime.now().astimezone())
        self._children: list[subprocess.Popen[bytes]] = []
        self._followers: list[threading.Thread] = []
        self._last_words: dict[int, list[str]] = {}
        self._stopping = threading.Event()
        self._pipe: tuple[int, int] | None = None
        self._lock: IO[str] | None = None

    @property
    def settings_file(self) -> Path:
        """Where the settings of this set-up are."""
        return self._folder / "ossgate.toml"

    @property
    def operator_key_file(self) -> Path:
        """Where the console's key is."""
        return self._folder / "secrets" / "operator.key"

    @property
    def url(self) -> str:
        """The upload page."""
        return f"http://{self._place.host}:{self._place.port}/"

    def run(self) -> None:
        """Run until interrupted.

        Raises:
            DemoRefused: A port is taken, the folder is in use or cannot be written, or its settings are wrong.
            DemoFailed: A server ends by itself.
        """
        self._check_ports()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopping.set())
        try:
            self._prepare_folder()
            self._start_emulator()
            self._start_server()
            self._greet()
            self._watch()
        finally:
            self._stop()

    def _check_ports(self) -> None:
        if self._place.port == self._place.emulator_port:
            raise DemoRefused(
                f"the server and the local OSS cannot share port {self._place.port}. {_choose_port('port')}"
            )
        for name, port in (("port", self._place.port), ("emulator-port", self._place.emulator_port)):
            problem = find_bind_problem(self._place.host, port)
            if problem:
                raise DemoRefused(f"port {port} cannot be used: {problem.lower()}. {_choose_port(name)}")

    def _prepare_folder(self) -> None:
        secrets = self._folder / "secrets"
        try:
            secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock_folder()
            for name in ("ticket.key", "seal.key", "access-key-secret"):
                ensure_key(secrets / name)
            if not (secrets / "access-key-id").exists():
                write_secret(secrets / "access-key-id", "demo-access-key-id")
            self._ensure_operator_key()
            self._write_settings()
        except OSError as error:
            raise DemoRefused(
                f"{error.filename or self._folder} cannot be written: {(error.strerror or str(error)).lower()}. "
                + _CHOOSE_FOLDER
            ) from error

    def _ensure_operator_key(self) -> None:
        if self.operator_key_file.exists():
            return
        key, hashes = new_api_key(), self._folder / "secrets" / "api-keys.toml"
        # The hash goes first, so that a key that can be read is a key that works.
        revoke_key(hashes, "operator")
        add_key(hashes, ApiKey("operator", hash_api_key(key), operator=True))
        write_secret(self.operator_key_file, key)

    def _lock_folder(self) -> None:
        # Before anything in it is changed: two demos in one folder would each rewrite the other's ports. The lock is held
        # until this process ends, however it ends.
        self._lock = (self._folder / "demo.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemoRefused(f"another demo runs in {self._folder}. Stop it. {_CHOOSE_FOLDER}") from error

    def _write_settings(self) -> None:
        wanted = render_demo(self._place)
        if self.settings_file.exists():
            present = self.settings_file.read_text(encoding="utf-8")
            if present == wanted:
                return
            first = _FIRST_LINE.match(present)
            if first is None or present != render_demo(DemoPlace(int(first[1]), int(first[2]))):
                self._check_edited(present)
                return
        self.settings_file.write_text(wanted, encoding="utf-8")

    def _check_edited(self, present: str) -> None:
        """Keep what a user changed, as long as it speaks of these two ports."""
        for name, port in (("port", self._place.port), ("emulator-port", self._place.emulator_port)):
            if not re.search(rf"(?<!\d){port}(?!\d)", present):
                raise DemoRefused(
                    f"{self.settings_file} was changed by hand and does not speak of port {port}. "
                    f"Give the port that it names with --{name}, or another folder with --data-dir."
                )

    def _start_emulator(self) -> None:
        secrets = self._folder / "secrets"
        command = [
            sys.executable, "-m", "ossgate.emulator",
            "--host", self._place.host, "--port", str(self._place.emulator_port),
            "--data-dir", str(self._folder / "emulator"),
            "--bucket", self._place.bucket, "--region", self._place.region,
            "--access-key-id", (secrets / "access-key-id").read_text().strip(),
            "--log-format", "json",
        ]  # fmt: skip
        # The secret goes by the environment: a command line can be read by everybody on the machine.
        secret = (secrets / "access-key-secret").read_text().strip()
        self._start(
            [*command, "--parent-pid-fd", str(self._parent_pipe())],
            {"OSSGATE_EMULATOR_ACCESS_KEY_SECRET": secret},
            self._printer.hear_emulator,
        )
        pem = self._wait_for(self._place.public_key_url, "the local OSS")
        (secrets / "emulator-callback.pem").write_bytes(pem)

    def _start_server(self) -> None:
        command = build_gunicorn_command(self._place.host, self._place.port, workers=WORKERS, threads=THREADS)
        environment = {
            "OSSGATE_CONFIG": str(self.settings_file),
            "OSSGATE_PARENT_FD": str(self._parent_pipe()),
        }
        self._upgrade(environment)
        self._start(command, environment, self._printer.hear_server)
        self._wait_for(self.url + "readyz", "the server")

    def _upgrade(self, environment: Mapping[str, str]) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "ossgate", "db", "upgrade"],
            env={**_own_environment(), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DemoRefused((done.stderr or done.stdout).strip().removeprefix("ossgate: "))

    def _start(
        self, command: list[str], environment: Mapping[str, str], tell: Callable[[Mapping[str, Any]], None]
    ) -> None:
        child = subprocess.Popen(
            command,
            env={**_own_environment(), **environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(self._parent_pipe(),),
            # Ctrl-C reaches this process alone, which then stops both in order.
            start_new_session=True,
        )
        self._children.append(child)
        assert child.stdout
        assert child.stderr
        words = self._last_words[child.pid] = []
        for target, arguments in (
            (_follow_events, (child.stdout, tell)),
            (_follow_errors, (child.stderr, words)),
        ):
            self._followers.append(threading.Thread(target=target, args=arguments, daemon=True))
            self._followers[-1].start()

    def _parent_pipe(self) -> int:
        if self._pipe is None:
            self._pipe = os.pipe()
        return self._pipe[0]

    def _wait_for(self, url: str, what: str) -> bytes:
        end = time.monotonic() + READY_SECONDS
        with urllib3.PoolManager(retries=False) as pool:
            while time.monotonic() < end and not self._stopping.is_set():
                self._check_children()
                try:
                    response = pool.request("GET", url, timeout=2.0)
                except urllib3.exceptions.HTTPError:
                    time.sleep(0.05)
                    continue
                if response.status == 200:
                    return response.data
                time.sleep(0.05)
        if self._stopping.is_set():
            raise DemoFailed("stopped before it was ready.")
        raise DemoFailed(f"{what} was not ready within {READY_SECONDS:.0f} seconds: {self._words()}")

    def _greet(self) -> None:
        self._write("")
        self._write(f"  Open       {self.url}")
        self._write(f"  Console    {self.url}console")
        self._write(f"  Its key    {self.operator_key_file}")
        self._write(
            f"  Local OSS  http://{self._place.host}:{self._place.emulator_port}/  bucket {self._place.bucket}"
        )
        self._write(f"  Settings   {self.settings_file}")
        self._write(f"  Objects    {self._folder / 'emulator'}")
        self._write("  Stop       Ctrl-C")
        self._write("")

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            self._printer.print_settled()
            self._check_children()

    def _check_children(self) -> None:
        for child in self._children:
            if child.poll() is not None:
                time.sleep(0.1)
                raise DemoFailed(f"a server ended by itself: {self._words()}")

    def _words(self) -> str:
        said = [line for lines in self._last_words.values() for line in lines[-5:]]
        return " / ".join(said) or "it said nothing"

    def _stop(self) -> None:
        # The server first: callbacks that are being answered still need the bucket.
        for child in reversed(self._children):
            if child.poll() is None:
                child.terminate()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for follower in self._followers:
            follower.join(STOP_SECONDS)
        self._printer.print_all()
        if self._pipe is not None:
            for end in self._pipe:
                os.close(end)
            self._pipe = None
        if self._lock is not None:
            self._lock.close()


def _choose_port(name: str) -> str:
    variable = name.upper().replace("-", "_")
    return f"Choose another with --{name} (make demo {variable}=…)."


def _own_environment() -> dict[str, str]:
    """Return the environment without settings of another set-up: a demo's settings are those of its own file."""
    return {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith(VARIABLE_PREFIX) and VARIABLE_DELIMITER in name)
    }


def _follow_events(stream: IO[bytes], tell: Callable[[Mapping[str, Any]], None]) -> None:
    with stream:
        for line in stream:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                tell(event)


def _follow_errors(stream: IO[bytes], words: list[str]) -> None:
    with stream:
        for line in stream:
            words.append(line.decode(errors="replace").rstrip())
            del words[:-20]
