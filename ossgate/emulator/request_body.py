"""The body of a request, read from the socket a megabyte at a time.

The server library's own reader copies every byte several times in Python; here the socket fills two buffers in
turn, so that one piece may still be hashed while the next is received.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

CHUNK_BYTES = 1024 * 1024
_MAX_LINE = 1024


class BodyTruncated(ConnectionError):
    """The client went away, or fell silent, before its body was complete."""


class SocketBody:
    """A body of known length, or a chunked one.

    Args:
        connection: The server library's connection: its socket, and the reader that may hold the first bytes.
        length: The declared length; None for a chunked body.
    """

    def __init__(self, connection: Any, length: int | None) -> None:
        self.length = length
        self.received = 0
        self._marks: list[tuple[int, Callable[[], None]]] = []
        self._connection = connection
        self._left = length or 0
        self._last_chunk_seen = length is not None
        self._in_chunk = False

    @property
    def complete(self) -> bool:
        """Tell whether everything has been read."""
        return self._left == 0 and self._last_chunk_seen

    def iter_chunks(self) -> Iterator[bytearray]:
        """Yield the body in large pieces; a piece is overwritten by the next but one.

        Raises:
            BodyTruncated: The client stopped before the end.
        """
        size = CHUNK_BYTES if self.length is None else min(CHUNK_BYTES, self.length)
        buffer, other = bytearray(size), bytearray(0 if size < CHUNK_BYTES else size)
        while filled := self._fill(buffer):
            if filled < len(buffer):
                yield buffer[:filled]
            else:
                yield buffer
            if other:
                buffer, other = other, buffer

    def add_mark(self, position: int, effect: Callable[[], None]) -> None:
        """Have something happen once so many bytes have been received; what it raises ends the reading."""
        self._marks = sorted([*self._marks, (position, effect)], key=lambda mark: mark[0])

    def drain(self) -> None:
        """Read and forget what is left."""
        for _ in self.iter_chunks():
            pass

    def _fill(self, buffer: bytearray) -> int:
        filled = 0
        with memoryview(buffer) as view:
            while filled < len(buffer) and self._find_bytes():
                wanted = min(len(buffer) - filled, self._left)
                if self._marks:
                    wanted = min(wanted, self._marks[0][0] - self.received)
                received = self._receive(view[filled : filled + wanted])
                if not received:
                    raise BodyTruncated("the request body ended early")
                filled += received
                self._left -= received
                self.received += received
                while self._marks and self._marks[0][0] <= self.received:
                    self._marks.pop(0)[1]()
        return filled

    def _find_bytes(self) -> bool:
        """Tell whether bytes are left, stepping over chunk headers."""
        while self._left == 0 and not self._last_chunk_seen:
            if self._in_chunk and self._read_line() != b"":
                raise BodyTruncated("a chunk is longer than it says")
            head = self._read_line().partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,15}", head):
                raise BodyTruncated("a chunk has no size")
            self._left = int(head, 16)
            self._in_chunk = True
            if self._left == 0:
                self._last_chunk_seen = True
                while self._read_line():
                    # Trailers mean nothing here.
                    pass
        return self._left > 0

    def _read_line(self) -> bytes:
        line: bytes = self._connection.rfile.readline(_MAX_LINE)
        if not line.endswith(b"\r\n"):
            raise BodyTruncated("the request body ended early")
        return line[:-2]

    def _receive(self, view: memoryview) -> int:
        reader = self._connection.rfile
        try:
            if reader.has_data():
                # What came along with the headers.
                first = reader.read1(len(view))
                view[: len(first)] = first
                return len(first)
            return int(self._connection.socket.recv_into(view))
        except TimeoutError as error:
            raise BodyTruncated("the client fell silent") from error
