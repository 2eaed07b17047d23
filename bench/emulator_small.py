"""Small form uploads to the emulator, each with its callback, per second.

    python -m bench.emulator_small --seconds 5 --at-once 100

The emulator, the callback's receiver and the clients are processes of their own. Prints the rate of a few clients, then that of many
uploads at once that each wait for their callback. The aim is 300 a second on two cores.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from signer import Credentials, sign_form
from signer.conditions import exact

AIM = 300
REPLY = b'{"Status":"OK"}'
CREDENTIALS = Credentials("bench-id", "bench-secret")


class _Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(REPLY)))
        self.end_headers()
        self.wfile.write(REPLY)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


def _receive(ports: multiprocessing.SimpleQueue) -> None:  # type: ignore[type-arg]
    server = _Server(("127.0.0.1", 0), _Receiver)
    ports.put(server.server_address[1])
    server.serve_forever()


def build_body(key: str, callback: str) -> bytes:
    """Return one small signed form, 1 KB of file in it."""
    now = datetime.now(UTC)
    fields = sign_form(
        {"key": key, "callback": callback},
        [exact("bucket", "demo-bucket")],
        version="v4",
        credentials=CREDENTIALS,
        region="cn-hangzhou",
        now=now,
        expires_at=now + timedelta(hours=1),
    )
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    file = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n' + "x" * 1024
    return ("".join(parts) + file + "\r\n--b--\r\n").encode()


def post_for(seconds: float, url: str, callback: str, clients: int) -> tuple[int, int, float]:
    """Post from so many clients at once; return how many succeeded and failed, and how long it took."""
    address = urlsplit(url).netloc
    counts = {True: 0, False: 0}
    lock = threading.Lock()
    start = time.perf_counter()

    def work(client: int) -> None:
        connection = http.client.HTTPConnection(address)
        number = 0
        while time.perf_counter() - start < seconds:
            number += 1
            body = build_body(f"small/{clients}/{client}/{number}", callback)
            connection.request(
                "POST", "/demo-bucket", body, {"Content-Type": "multipart/form-data; boundary=b"}
            )
            answer = connection.getresponse()
            good = answer.read() == REPLY and answer.status == 200
            with lock:
                counts[good] += 1
        connection.close()

    threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts[True], counts[False], time.perf_counter() - start


def main() -> None:
    """Run both loads and print what came of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--at-once", type=int, default=100)
    arguments = parser.parse_args()
    ports: multiprocessing.SimpleQueue = multiprocessing.SimpleQueue()  # type: ignore[type-arg]
    receiver = multiprocessing.Process(target=_receive, args=(ports,), daemon=True)
    receiver.start()
    definition = {"callbackUrl": f"http://127.0.0.1:{ports.get()}/cb", "callbackBody": "size=${size}"}
    callback = b64encode(json.dumps(definition).encode()).decode()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "ossgate.emulator", "--port", "0", "--data-dir", str(Path(folder))]
        keys = [
            "--access-key-id",
            CREDENTIALS.access_key_id,
            "--access-key-secret",
            CREDENTIALS.access_key_secret,
        ]
        emulator = subprocess.Popen(
            [*command, *keys, "--log-format", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            assert emulator.stdout
            url = json.loads(emulator.stdout.readline())["url"]
            threading.Thread(target=emulator.stdout.read, daemon=True).start()
            for clients in (8, arguments.at_once):
                good, bad, took = post_for(arguments.seconds, url, callback, clients)
                print(f"{clients:>4} at once: {good / took:6.0f} a second, {bad} failed (aim {AIM})")
        finally:
            emulator.terminate()
            emulator.wait()
            receiver.terminate()


if __name__ == "__main__":
    main()
