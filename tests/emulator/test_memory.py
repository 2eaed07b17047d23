"""Large uploads are streamed."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
SIZE = 128 * MIB


def read_peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_does_not_grow_with_the_file(client: Any, form: Callable[..., bytes], tmp_path: Path) -> None:
    """Receiving 128 MiB takes a few megabytes more than standing idle."""
    command = [sys.executable, "-m", "ossgate.emulator", "--port", "0", "--data-dir", str(tmp_path / "data")]
    command += ["--bucket", "test-bucket", "--access-key-id", "test-key-id", "--log-format", "json"]
    command += ["--access-key-secret", "test-key-secret"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = urlsplit(json.loads(process.stdout.readline())["url"]).port
        before = read_peak(process.pid)
        head, tail = form(client.make_fields(), b"SPLIT").split(b"SPLIT")
        length = len(head) + SIZE + len(tail)
        request = (
            f"POST /test-bucket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n"
            "Content-Type: multipart/form-data; boundary=BOUNDARY\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(request.encode() + head)
            for _ in range(SIZE // MIB):
                connection.sendall(b"\r\n--BOUNDARY" + bytes(MIB - 12))
            connection.sendall(tail)
            answer = connection.recv(65536)
        peak = read_peak(process.pid)
        process.terminate()

    assert answer.startswith(b"HTTP/1.1 204 "), answer
    assert SIZE == (tmp_path / "data/buckets/test-bucket/objects/a.txt").stat().st_size
    assert peak - before < 16 * MIB
    assert peak < 100 * MIB
