"""Between the server library and the app: build the request, write the answer."""

import contextlib
import os
import secrets
import socket
import struct
from typing import Any

from cheroot.server import Gateway

from ossgate.emulator.app import App
from ossgate.emulator.errors import MALFORMED_REQUEST, REQUEST_TIMEOUT, OssError
from ossgate.emulator.fault_player import ConnectionCut
from ossgate.emulator.post_object import MAX_BODY_BYTES
from ossgate.emulator.request_body import BodyTruncated, SocketBody
from ossgate.emulator.requests import Addressing, Request, decode_path, decode_query, split_host
from ossgate.emulator.responses import Response, interrupt_pieces

# On Windows both numbers have two bytes.
_LINGER_OFF = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_UNPRINTABLE = dict.fromkeys([*range(32), 127], " ")


class EmulatorGateway(Gateway):
    """Answers one request of a connection.

    The server carries `app` and `addressing`.
    """

    def respond(self) -> None:
        """Read the request, have it answered, write the answer."""
        app: App = self.req.server.app
        length = None if self.req.chunked_read else int(self.req.inheaders.get(b"Content-Length", b"0"))
        body = SocketBody(self.req.conn, length)
        # Tells the library that nothing is left for it to read.
        self.req.rfile = None
        request, problem = _build_request(self.req, body)
        try:
            self._answer(app, request, body, problem)
        except ConnectionCut:
            self._cut()

    def _answer(self, app: App, request: Request, body: SocketBody, problem: OssError | None) -> None:
        length = body.length
        try:
            if problem is not None or (length is not None and length < 0):
                response = app.answer_error(request, problem or OssError(MALFORMED_REQUEST))
                self.req.close_connection = True
            else:
                response = app.handle(request)
        except BodyTruncated:
            response = app.answer_error(request, OssError(REQUEST_TIMEOUT))
            self.req.close_connection = True
        self._finish_reading(body)
        self._write(app, request, response)

    def _cut(self) -> None:
        # No wait for what is unsent: the client sees a reset, not an end.
        connection = self.req.conn.socket
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
        connection.close()
        self.req.sent_headers = True
        self.req.close_connection = True

    def _finish_reading(self, body: SocketBody) -> None:
        # A client that is still sending does not read: an early answer would be lost in a connection reset.
        if self.req.close_connection and not body.complete:
            return
        if body.length is not None and body.length > MAX_BODY_BYTES:
            self.req.close_connection = True
            return
        try:
            for _ in body.iter_chunks():
                pass
        except ConnectionCut:
            raise
        except (BodyTruncated, OSError):
            self.req.close_connection = True

    def _write(self, app: App, request: Request, response: Response) -> None:
        if response.pause_seconds and not response.pause_after:
            app.faults.sleep(response.pause_seconds)
        if response.cut_after == 0:
            response.close()
            raise ConnectionCut("a fault cuts the answer")
        self.req.status = response.status_line.encode()
        headers = [("Server", "AliyunOSS"), ("x-ossgate-emulator", "1"), *response.headers]
        length = response.content_length
        if length is None and isinstance(response.body, bytes):
            length = len(response.body)
        if response.status not in (204, 304):
            headers.append(("Content-Length", str(length)))
        self.req.outheaders = [
            (name.encode(), value.translate(_UNPRINTABLE).encode("utf-8", "surrogateescape"))
            for name, value in headers
        ]
        with contextlib.closing(response):
            self.req.ensure_headers_sent()
            if request.method == "HEAD":
                return
            for piece in interrupt_pieces(response, app.faults.sleep):
                # Past the library's writer, which copies each piece several times.
                self.req.conn.socket.sendall(piece)
                length = (length or 0) - len(piece)
        if response.cut_after is not None:
            raise ConnectionCut("a fault cuts the answer")
        if length:
            # The file was cut while it was read: the client must not take what follows for the rest.
            self.req.close_connection = True


def _build_request(req: Any, body: SocketBody) -> tuple[Request, OssError | None]:
    headers = {
        name.decode("latin-1").lower(): value.decode("utf-8", "surrogateescape")
        for name, value in req.inheaders.items()
    }
    raw_path, _, raw_query = req.uri.decode("utf-8", "surrogateescape").partition("?")
    host = split_host(headers.get("host", ""))
    problem = None
    bucket = object_key = ""
    addressing: Addressing = req.server.addressing
    try:
        bucket, object_key = addressing.locate(host, decode_path(raw_path))
    except OssError as error:
        problem = error
    request = Request(
        method=req.method.decode("latin-1"),
        raw_path=raw_path,
        query=decode_query(raw_query),
        headers=headers,
        host=host,
        bucket=bucket,
        object_key=object_key,
        remote_addr=req.conn.remote_addr or "",
        request_id=secrets.token_hex(12).upper(),
        body=body,
        path_style=addressing.is_path_style(host),
        raw_query=raw_query,
    )
    return request, problem
