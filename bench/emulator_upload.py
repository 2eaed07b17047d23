"""One large upload to the emulator, as a form, by PUT and in parts, beside `cp` then `md5sum` of the same file.

    python bench/emulator_upload.py --size-mib 1024 --rounds 3

Prints, per round, the speed of each in MB/s, its ratio to the yardstick, and the emulator's peak memory; the last
line holds medians. Parts have 32 MiB each and go one after another; joining them is part of the time.
The file is made once; rounds are interleaved, so that a slow moment of the machine hits both.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlsplit

MIB = 1024 * 1024
PART_BYTES = 32 * MIB
SECRET = "bench-secret"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size-mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", type=Path, help="where to work; needs five times the size")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as folder:
        run(Path(folder), arguments.size_mib, arguments.rounds)


def run(folder: Path, size_mib: int, rounds: int) -> None:
    source = folder / "source.bin"
    with source.open("wb") as file:
        for _ in range(size_mib):
            file.write(os.urandom(MIB))
    emulator, port = start_emulator(folder / "data")
    try:
        print(f"{'round':>6} {'cp+md5sum':>9} {'POST':>11} {'PUT':>11} {'parts':>11} {'peak MiB':>9}")
        rows = []
        for number in range(rounds):
            yardstick = measure_yardstick(source, folder / "copy.bin")
            measures = [measure_post, measure_put, measure_parts]
            # Whoever comes later finds the disk busy with what came before: each is first once in three rounds.
            order = [measures[(number + place) % 3] for place in range(3)]
            spent = {measure: measure(source, port) for measure in order}
            speeds = [
                size_mib / seconds for seconds in (yardstick, *(spent[measure] for measure in measures))
            ]
            rows.append((*speeds, read_peak_memory(emulator.pid)))
            print_row(str(number + 1), rows[-1])
        print_row("median", tuple(statistics.median(column) for column in zip(*rows, strict=True)))
    finally:
        emulator.terminate()
        emulator.wait()


def print_row(name: str, row: tuple[float, ...]) -> None:
    yardstick, *speeds, peak = row
    cells = " ".join(f"{speed:>5.0f} {speed / yardstick:>4.2f}x" for speed in speeds)
    print(f"{name:>6} {yardstick:>9.0f} {cells} {peak:>9.1f}", flush=True)


def start_emulator(data_dir: Path) -> tuple["subprocess.Popen[str]", int]:
    command = [sys.executable, "-m", "ossgate.emulator", "--port", "0", "--data-dir", str(data_dir)]
    command += ["--access-key-secret", SECRET, "--access-key-id", "bench", "--log-format", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, urlsplit(json.loads(process.stdout.readline())["url"]).port or 0


def measure_yardstick(source: Path, copy: Path) -> float:
    started = time.monotonic()
    subprocess.run(["cp", source, copy], check=True)
    subprocess.run(["md5sum", copy], check=True, stdout=subprocess.DEVNULL)
    spent = time.monotonic() - started
    copy.unlink()
    return spent


def measure_post(source: Path, port: int) -> float:
    head, tail = make_form()
    length = len(head) + source.stat().st_size + len(tail)
    request = (
        f"POST /demo-bucket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary=BOUNDARY\r\nContent-Length: {length}\r\n\r\n"
    )
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection, source.open("rb") as file:
        connection.sendall(request.encode() + head)
        connection.sendfile(file)
        connection.sendall(tail)
        answer = connection.recv(65536)
    spent = time.monotonic() - started
    if not answer.startswith(b"HTTP/1.1 204"):
        sys.exit(f"the upload was refused: {answer.decode()}")
    return spent


def measure_put(source: Path, port: int) -> float:
    started = time.monotonic()
    send(port, "PUT", "put.bin", source, 0, source.stat().st_size)
    return time.monotonic() - started


def measure_parts(source: Path, port: int) -> float:
    started = time.monotonic()
    upload_id = send(port, "POST", "parts.bin?uploads").partition("<UploadId>")[2].partition("<")[0]
    for number, offset in enumerate(range(0, source.stat().st_size, PART_BYTES), 1):
        length = min(PART_BYTES, source.stat().st_size - offset)
        target = f"parts.bin?partNumber={number}&uploadId={upload_id}"
        send(port, "PUT", target, source, offset, length)
    send(port, "POST", f"parts.bin?uploadId={upload_id}", header="x-oss-complete-all:yes\n")
    return time.monotonic() - started


def send(
    port: int,
    method: str,
    target: str,
    source: Path | None = None,
    offset: int = 0,
    length: int = 0,
    header: str = "",
) -> str:
    date = format_datetime(datetime.now(UTC), usegmt=True)
    message = f"{method}\n\n\n{date}\n{header}/demo-bucket/{target}"
    signature = base64.b64encode(hmac.digest(SECRET.encode(), message.encode(), hashlib.sha1)).decode()
    request = (
        f"{method} /demo-bucket/{target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
        f"Date: {date}\r\nAuthorization: OSS bench:{signature}\r\nContent-Length: {length}\r\n"
        + (header.strip() + "\r\n" if header else "")
    )
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request.encode() + b"\r\n")
        if source is not None:
            with source.open("rb") as file:
                connection.sendfile(file, offset, length)
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    if not answer.startswith("HTTP/1.1 200"):
        sys.exit(f"the upload was refused: {answer}")
    return answer


def make_form() -> tuple[bytes, bytes]:
    expiration = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    policy = {"expiration": expiration, "conditions": [{"bucket": "demo-bucket"}]}
    encoded = base64.b64encode(json.dumps(policy).encode())
    signature = base64.b64encode(hmac.digest(SECRET.encode(), encoded, hashlib.sha1))
    fields = {"key": b"large.bin", "OSSAccessKeyId": b"bench", "policy": encoded, "Signature": signature}
    parts = [
        b'--BOUNDARY\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    file = b'--BOUNDARY\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    return b"".join(parts) + file, b"\r\n--BOUNDARY--\r\n"


def read_peak_memory(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


if __name__ == "__main__":
    main()
