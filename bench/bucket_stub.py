"""A bucket that answers HEAD with what it was told, and nothing else: `python -m bench.bucket_stub PORT FILE`.

The file is a JSON object: request path to the bytes of the answer. The stub ends with its parent, whose pipe `OSSGATE_PARENT_FD` names.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.servers import HOST

_READY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_MISSING = b"HTTP/1.1 404 Not Found\r\nx-oss-request-id: stub\r\nContent-Length: 0\r\n\r\n"


def build_head(*, size: int, etag: str, content_type: str, seal: str) -> str:
    """Return the answer to HEAD, with the headers that OSS sends."""
    return (
        "HTTP/1.1 200 OK\r\nServer: AliyunOSS\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {size}\r\nConnection: keep-alive\r\n"
        "x-oss-request-id: 5F1E8B2C3A4D5E6F70819203\r\nAccept-Ranges: bytes\r\n"
        f'ETag: "{etag}"\r\nLast-Modified: Fri, 02 Jan 2026 03:04:05 GMT\r\nx-oss-object-type: Normal\r\n'
        f"x-oss-hash-crc64ecma: 12345678901234567890\r\nx-oss-storage-class: Standard\r\n"
        f"x-oss-meta-ossgate-seal: {seal}\r\nContent-MD5: nhB9nTcrtoJr2B01QqQZ1g==\r\nx-oss-server-time: 3\r\n\r\n"
    )


def serve(listener: socket.socket, answers: Mapping[str, bytes], parent: int) -> None:
    """Answer until the parent is gone."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(parent, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj == parent:
                return
            if key.fileobj is listener:
                accepted, _ = listener.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(accepted, selectors.EVENT_READ, bytearray())
                continue
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            if not _answer(connection, key.data, answers):
                selector.unregister(connection)
                connection.close()


def _answer(connection: socket.socket, received: bytearray, answers: Mapping[str, bytes]) -> bool:
    try:
        chunk = connection.recv(65536)
    except ConnectionError:
        return False
    received += chunk
    while b"\r\n\r\n" in received:
        head, _, rest = bytes(received).partition(b"\r\n\r\n")
        received[:] = rest
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        connection.sendall(_READY if method == "GET" else answers.get(path, _MISSING))
    return bool(chunk)


def main() -> None:
    """Serve the answers of a file."""
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    answers = {path: answer.encode("latin-1") for path, answer in json.loads(file.read_text()).items()}
    with socket.create_server((HOST, port), backlog=64) as listener:
        serve(listener, answers, int(os.environ["OSSGATE_PARENT_FD"]))


if __name__ == "__main__":
    main()
