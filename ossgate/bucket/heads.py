"""HEAD over kept connections: what every callback that is believed waits for.

An answer to HEAD has no body (https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2), so it ends with its head, and a small reader is enough. It takes
less than a third of the time that urllib3 took, which was more than all the rest of a callback. Whatever else is asked, urllib3 asks.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from urllib3.util import wait_for_read

MAX_HEAD_BYTES = 64 * 1024
_PORTS = {"http": 80, "https": 443}
_UNSENDABLE = re.compile(r"[^\x20-\x7e]")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: .*)?", re.DOTALL)
_HEADER_LINE = re.compile(rb"([!#-'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
_END = b"\r\n\r\n"
_ENDED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""What shows that the other side has closed the connection."""


class HeadInvalid(Exception):
    """An answer that is not HTTP, or that ended too soon."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer; names in small letters."""

    status: int
    headers: Mapping[str, str]


class HeadConnections:
    """Connections to the host of one URL: kept, opened on first use, lent to one thread at a time.

    Args:
        url: ``http`` or ``https``, with a host; the servers of the latter must prove their name.
        most: How many are kept while nobody needs them.
    """

    def __init__(self, url: str, *, most: int) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._named = parts.netloc.rpartition("@")[2]
        self._is_secure = parts.scheme == "https"
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._idle: deque[socket.socket] = deque()
        self._most = most

    def ask(self, target: str, headers: Mapping[str, str], *, seconds: float) -> Head:
        """Return the head of the answer.

        Args:
            target: Path and query, ready to be sent.
            headers: Beside Host and Accept-Encoding.
            seconds: For everything together: connecting, sending, and whatever number of reads.

        Raises:
            OSError: No connection, or no answer in time (`TimeoutError`).
            HeadInvalid: Another answer than HTTP.
            ValueError: Target or headers hold what no line may hold.
        """
        deadline = time.monotonic() + seconds
        request = self._encode(target, headers)
        while True:
            kept = self._take()
            connection = kept or self._connect(deadline)
            try:
                head, goes_on = _exchange(connection, request, deadline)
            except _ENDED:
                connection.close()
                # A kept connection may have been closed meanwhile; a HEAD may be sent again.
                if kept is None:
                    raise
                continue
            except BaseException:
                connection.close()
                raise
            if goes_on and len(self._idle) < self._most:
                self._idle.append(connection)
            else:
                connection.close()
            return head

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _encode(self, target: str, headers: Mapping[str, str]) -> bytes:
        lines = [f"HEAD {target} HTTP/1.1", f"Host: {self._named}", "Accept-Encoding: identity"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if " " in target or any(map(_UNSENDABLE.search, lines)):
            raise ValueError("a header of this request cannot be sent")
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    def _take(self) -> socket.socket | None:
        while True:
            try:
                # The one that was used last is the least likely to have been closed.
                connection = self._idle.pop()
            except IndexError:
                return None
            # What can be read now is the end, or belongs to no question of ours.
            if not wait_for_read(connection, timeout=0.0):
                return connection
            connection.close()

    def _connect(self, deadline: float) -> socket.socket:
        connection = socket.create_connection((self._host, self._port), timeout=_left(deadline))
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._is_secure:
                return connection
            connection.settimeout(_left(deadline))
            return self._find_context().wrap_socket(connection, server_hostname=self._host)
        except BaseException:
            connection.close()
            raise

    def _find_context(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = ssl.create_default_context()
            return self._context


def _exchange(connection: socket.socket, request: bytes, deadline: float) -> tuple[Head, bool]:
    """Return the head of an answer, and whether the connection can be used again."""
    connection.settimeout(_left(deadline))
    connection.sendall(request)
    received = b""
    while True:
        raw, mark, rest = received.partition(_END)
        if mark:
            head, goes_on = _parse(raw)
            if head.status >= 200:
                return head, goes_on and not rest
            # Only a first word; the answer follows.
            received = rest
            continue
        if len(received) > MAX_HEAD_BYTES:
            raise HeadInvalid("the head is too long")
        connection.settimeout(_left(deadline))
        chunk = connection.recv(16384)
        if not chunk:
            if received:
                raise HeadInvalid("the head ended too soon")
            raise ConnectionResetError("closed without an answer")
        received += chunk


def _parse(raw: bytes) -> tuple[Head, bool]:
    first, *lines = raw.split(b"\r\n")
    status_line = _STATUS_LINE.fullmatch(first)
    if status_line is None:
        raise HeadInvalid("no status line")
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER_LINE.fullmatch(line)
        if header is None:
            raise HeadInvalid("a line that is no header")
        name, value = header[1].decode("ascii").lower(), header[2].decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    goes_on = status_line[1] == b"1" and "close" not in headers.get("connection", "").lower()
    return Head(int(status_line[2]), headers), goes_on


def _left(deadline: float) -> float:
    """Return the seconds that are left.

    Raises:
        TimeoutError: None are.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left
