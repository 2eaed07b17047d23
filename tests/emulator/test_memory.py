"""Large uploads are streamed, and joined without being read."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
SIZE = 128 * MIB

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


@dataclass
class Process:
    """An emulator in a process of its own."""

    pid: int
    port: int
    folder: Path

    def read_peak(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def send(self, head: str, *pieces: bytes) -> bytes:
        """Send a request; its body is the pieces, each as often as they say."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(head.encode() + b"\r\n")
            for piece in pieces:
                connection.sendall(piece)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One for all tests: what one of them takes is not given back."""
    folder = tmp_path_factory.mktemp("memory")
    command = [sys.executable, "-m", "ossgate.emulator", "--port", "0", "--data-dir", str(folder)]
    command += ["--bucket", "test-bucket", "--access-key-id", "test-key-id", "--log-format", "json"]
    command += ["--access-key-secret", "test-key-secret"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        port = urlsplit(json.loads(running.stdout.readline())["url"]).port or 0
        yield Process(running.pid, port, folder)
        running.terminate()


def write_head(client: Any, method: str, key: str, query: dict[str, str], length: int) -> str:
    lines = [f"{method} /test-bucket/{key}?" + "&".join(f"{n}={v}" for n, v in query.items()) + " HTTP/1.1"]
    lines += ["Host: 127.0.0.1", f"Content-Length: {length}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in client.make_headers_v4(method, key, query=query).items()]
    return "\r\n".join(lines) + "\r\n"


def test_form(process: Process, client: Any, form: Callable[..., bytes]) -> None:
    """Receiving a form of 128 MiB takes a few megabytes more than standing idle."""
    before = process.read_peak()
    head, tail = form(client.make_fields(), b"SPLIT").split(b"SPLIT")
    request = (
        f"POST /test-bucket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(head) + SIZE + len(tail)}\r\n"
        "Content-Type: multipart/form-data; boundary=BOUNDARY\r\nConnection: close\r\n"
    )
    piece = b"\r\n--BOUNDARY" + bytes(MIB - 12)
    answer = process.send(request, head, *[piece] * (SIZE // MIB), tail)

    assert answer.startswith(b"HTTP/1.1 204 "), answer
    assert SIZE == (process.folder / "buckets/test-bucket/objects/a.txt").stat().st_size
    assert process.read_peak() - before < 16 * MIB
    assert process.read_peak() < 100 * MIB


def test_put(process: Process, client: Any) -> None:
    """So does a PUT."""
    before = process.read_peak()
    answer = process.send(write_head(client, "PUT", "put.bin", {}, SIZE), *[bytes(MIB)] * (SIZE // MIB))

    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert process.read_peak() - before < 16 * MIB
    assert process.read_peak() < 100 * MIB


def test_multipart(process: Process, client: Any) -> None:
    """So do parts, and making one object of them; no part is left behind."""
    before = process.read_peak()
    answer = process.send(write_head(client, "POST", "parts.bin", {"uploads": ""}, 0))
    upload_id = answer.decode().split("<UploadId>")[1].split("<")[0]
    for number in range(1, 5):
        query = {"partNumber": str(number), "uploadId": upload_id}
        head = write_head(client, "PUT", "parts.bin", query, SIZE // 4)
        assert process.send(head, *[bytes(MIB)] * (SIZE // 4 // MIB)).startswith(b"HTTP/1.1 200 ")
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>58F06DD588D8FFB3BEB46ADA6309436B</ETag></Part>"
        for number in range(1, 5)
    )
    body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    head = write_head(client, "POST", "parts.bin", {"uploadId": upload_id}, len(body))
    answer = process.send(head, body)

    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert SIZE == (process.folder / "buckets/test-bucket/objects/parts.bin").stat().st_size
    assert [] == list((process.folder / "multipart/test-bucket").iterdir())
    assert process.read_peak() - before < 16 * MIB
    assert process.read_peak() < 100 * MIB


def test_longest_list_of_parts(process: Process, client: Any) -> None:
    """A list of 10,000 parts is read within bounds, and judged."""
    answer = process.send(write_head(client, "POST", "many.bin", {"uploads": ""}, 0))
    upload_id = answer.decode().split("<UploadId>")[1].split("<")[0]
    etag = "&#34;58F06DD588D8FFB3BEB46ADA6309436B&#34;"
    parts = "".join(
        f"  <Part>\n    <PartNumber>{number}</PartNumber>\n    <ETag>{etag}</ETag>\n  </Part>\n"
        for number in range(1, 10_001)
    )
    body = f"<CompleteMultipartUpload>\n{parts}</CompleteMultipartUpload>".encode()
    answer = process.send(write_head(client, "POST", "many.bin", {"uploadId": upload_id}, len(body)), body)

    assert b"<Code>InvalidPart</Code>" in answer
    assert process.read_peak() < 100 * MIB


def test_copy_and_append(process: Process, client: Any) -> None:
    """Copies and appends are streamed like the rest."""
    before = process.read_peak()
    query = {"append": "", "position": "0"}
    answer = process.send(
        write_head(client, "POST", "log.bin", query, SIZE // 2), *[bytes(MIB)] * (SIZE // 2 // MIB)
    )
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    headers = client.make_headers_v4("PUT", "copy.bin", headers={"x-oss-copy-source": "/test-bucket/log.bin"})
    lines = ["PUT /test-bucket/copy.bin HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    answer = process.send("\r\n".join(lines) + "\r\n")

    assert b"<CopyObjectResult>" in answer, answer
    assert process.read_peak() - before < 16 * MIB
