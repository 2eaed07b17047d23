"""The command line, run as a process of its own."""

import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ossgate.emulator import Emulator, EmulatorOptions

ROOT = Path(__file__).parents[2]


class Process:
    """One emulator process; its lines come through a queue."""

    def __init__(self, *arguments: str, pass_fds: tuple[int, ...] = ()) -> None:
        command = [sys.executable, "-m", "ossgate.emulator", *arguments]
        self.popen = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=pass_fds,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.lines.put(line)

    def read_event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.lines.get(timeout=20))
        return event

    def finish(self) -> tuple[int, str]:
        """Wait for the end; tell exit code and standard error."""
        code = self.popen.wait(timeout=20)
        self._reader.join()
        assert self.popen.stderr is not None
        return code, self.popen.stderr.read()

    def close(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        self._reader.join()
        for stream in (self.popen.stdout, self.popen.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture
def run() -> Iterator[Callable[..., Process]]:
    """Start emulator processes; all are ended after the test."""
    started: list[Process] = []

    def start(*arguments: str, **options: Any) -> Process:
        started.append(Process(*arguments, **options))
        return started[-1]

    yield start
    for process in started:
        process.close()


def read_health(url: str) -> int:
    with urllib.request.urlopen(f"{url}/_emulator/health", timeout=5) as answer:
        return int(answer.status)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_started_and_stopped(run: Callable[..., Process], tmp_path: Path, number: signal.Signals) -> None:
    """A free port is told, events are JSON lines, and Ctrl-C or SIGTERM ends it cleanly."""
    process = run("--port", "0", "--data-dir", str(tmp_path), "--log-format", "json")
    started = process.read_event()

    assert "started" == started["event"]
    assert 200 == read_health(started["url"])
    with socket.create_connection(("127.0.0.1", urlsplit(started["url"]).port or 0)):
        process.popen.send_signal(number)
        assert "stopped" == process.read_event()["event"]
        assert (0, "") == process.finish()


def read_until(process: Process, word: str) -> str:
    """Read lines up to the first with a word in it."""
    while word not in (line := process.lines.get(timeout=20)):
        pass
    return line


def test_text_lines(run: Callable[..., Process], tmp_path: Path) -> None:
    """For people, the start tells what is needed, and each event is a line of plain text."""
    process = run("--port", "0", "--data-dir", str(tmp_path))
    endpoint = read_until(process, "Endpoint").split()[1]
    key = read_until(process, "AccessKey")
    page = read_until(process, "Page")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{endpoint}/demo-bucket/a.txt", timeout=5)
    line = read_until(process, "get_object").rstrip()

    assert ["AccessKey", "demo-access-key-id", "demo-access-key-secret"] == key.split()
    assert page.endswith("/_emulator/\n")
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3} 403 get_object +demo-bucket/a\.txt AccessDenied: .* \(\d+ ms\)", line
    )


def test_scenario_and_secret(run: Callable[..., Process], tmp_path: Path) -> None:
    """A scenario is played from the start; a secret of one's own is not printed."""
    scenario = tmp_path / "bad-day.toml"
    scenario.write_text('[[faults]]\non = "request"\naction = "status"\ncode = "SlowDown"\n')
    process = run(
        "--port", "0", "--data-dir", str(tmp_path / "d"), "--scenario", str(scenario), "--access-key-secret", "own-word"
    )  # fmt: skip
    endpoint = read_until(process, "Endpoint").split()[1]

    assert "own-word" not in read_until(process, "AccessKey")
    assert "1 of the scenario" in read_until(process, "Faults")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{endpoint}/demo-bucket/a.txt", timeout=5)
    assert (503, True) == (caught.value.code, b"<Code>SlowDown</Code>" in caught.value.read())
    caught.value.close()


def test_wrong_scenario(run: Callable[..., Process], tmp_path: Path) -> None:
    """A scenario that cannot be played is one sentence, and exit code 2."""
    scenario = tmp_path / "bad.toml"
    scenario.write_text('[[faults]]\non = "moon"\n')
    code, text = run("--port", "0", "--data-dir", str(tmp_path), "--scenario", str(scenario)).finish()

    assert 2 == code
    assert f'{scenario}, fault 1: "on" must be one of callback, request' in text
    assert 1 == text.count("\n")


def test_warned_when_open(run: Callable[..., Process], tmp_path: Path) -> None:
    """Bound to more than loopback, it says so loudly."""
    process = run("--port", "0", "--host", "0.0.0.0", "--data-dir", str(tmp_path), "--log-format", "json")
    process.read_event()
    process.popen.send_signal(signal.SIGTERM)
    code, text = process.finish()

    assert 0 == code
    assert text.startswith(
        "WARNING: the emulator listens on every address of this machine, not on loopback alone."
    )


def test_several_buckets_and_own_domains(run: Callable[..., Process], tmp_path: Path) -> None:
    """Buckets and own domains may be several; a pair that is none is refused."""
    process = run(
        "--port", "0", "--data-dir", str(tmp_path), "--bucket", "one-b", "--bucket", "two-b", "--cname", "x=y"
    )
    endpoint = read_until(process, "Endpoint").split()[1]
    with urllib.request.urlopen(f"{endpoint}/_emulator/state", timeout=5) as answer:
        state = json.load(answer)
    code, text = run("--cname", "nothing").finish()

    assert ["one-b", "two-b"] == [bucket["name"] for bucket in state["buckets"]]
    assert (2, True) == (code, "is not like img.example.com=my-bucket" in text)


def test_busy_port(run: Callable[..., Process], tmp_path: Path) -> None:
    """A busy port is one sentence with the fix, and exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        code, text = run("--port", port, "--data-dir", str(tmp_path)).finish()

    assert 2 == code
    assert f"Port {port} on 127.0.0.1 is in use; choose another with --port (0 takes a free one).\n" == text


def test_unwritable_folder(run: Callable[..., Process], tmp_path: Path) -> None:
    """A folder that cannot be used is told in the same way."""
    (tmp_path / "file").write_text("x")
    code, text = run("--port", "0", "--data-dir", str(tmp_path / "file" / "data")).finish()

    assert 2 == code
    assert text.startswith("Cannot write to ")
    assert 1 == text.count("\n")


def test_help_names_every_option(run: Callable[..., Process]) -> None:
    """The help tells what each option is for."""
    process = run("--help")
    code, _ = process.finish()
    text = "".join(process.lines.queue)

    assert 0 == code
    for option in (
        "--port",
        "--data-dir",
        "--access-key-secret",
        "--cors-origin",
        "--parent-pid-fd",
        "--log-format",
    ):
        assert option in text


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are not inherited this way")
def test_ends_with_its_starter(run: Callable[..., Process], tmp_path: Path) -> None:
    """When the starter's end of the pipe closes, as by kill -9, the emulator stops."""
    reading, writing = os.pipe()
    process = run(
        "--port", "0", "--data-dir", str(tmp_path), "--log-format", "json", "--parent-pid-fd", str(reading),
        pass_fds=(reading,),
    )  # fmt: skip
    os.close(reading)
    process.read_event()
    os.close(writing)

    assert 0 == process.finish()[0]


def test_killed_in_the_middle_of_an_upload(
    run: Callable[..., Process], tmp_path: Path, client: Any, form: Callable[..., bytes]
) -> None:
    """After kill -9 the old object is whole, and nothing of the new one is left."""
    arguments = ["--data-dir", str(tmp_path / "killed"), "--bucket", "test-bucket", "--log-format", "json"]
    arguments += ["--access-key-id", "test-key-id", "--access-key-secret", "test-key-secret"]
    process = run("--port", "0", *arguments)
    port = urlsplit(process.read_event()["url"]).port or 0

    def send(file: bytes, part: int) -> socket.socket:
        body = form(client.make_fields(), file)
        head = (
            f"POST /test-bucket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: multipart/form-data; boundary=BOUNDARY\r\n\r\n"
        )
        connection = socket.create_connection(("127.0.0.1", port), timeout=20)
        connection.sendall(head.encode() + body[:part])
        return connection

    with send(b"old", 10_000) as first:
        assert first.recv(100).startswith(b"HTTP/1.1 204 ")
    with send(b"new" * 2_000_000, 4_000_000):
        uploads = tmp_path / "killed" / "uploads"
        deadline = time.monotonic() + 10
        while sum(path.stat().st_size for path in uploads.iterdir()) < 1_000_000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.popen.kill()
        process.finish()
    assert [] != list(uploads.iterdir())

    options = EmulatorOptions(
        data_dir=tmp_path / "killed",
        bucket="test-bucket",
        access_key_id="test-key-id",
        access_key_secret="test-key-secret",
    )
    with Emulator(options) as emulator:
        client.emulator = emulator
        assert b"old" == client.get("a.txt").body
    assert [] == list(uploads.iterdir())
