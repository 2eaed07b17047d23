"""Answers on their way to the client."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO

from ossgate.emulator.errors import OssError, render_error
from ossgate.emulator.xml_document import Members

_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class FileSlice:
    """A part of an open file as a body.

    Args:
        start: The first byte.
        end: The byte after the last.
    """

    file: BinaryIO
    start: int
    end: int

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(self.start)
        left = self.end - self.start
        while left > 0 and (piece := self.file.read(min(_PIECE_BYTES, left))):
            left -= len(piece)
            yield piece

    def close(self) -> None:
        """Close the file."""
        self.file.close()


@dataclass(slots=True)
class Response:
    """Status, headers and body.

    Args:
        body: The whole body, or a part of a file, which whoever sends the answer closes.
        content_length: Told when it is not the body's own, as for HEAD.
        code: OSS's error code, when this is a refusal; for the transcript.
        message: The error's text, for the transcript.
        object_key: The key that was stored, for the transcript: a form's request line does not tell it.
        extras: Further members of the error document, for the transcript.
        cut_after: Bytes of the body after which the connection is cut; 0 sends nothing at all.
        pause_after: Bytes of the body after which the answer pauses for `pause_seconds`.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | FileSlice = b""
    content_length: int | None = None
    code: str = ""
    message: str = ""
    object_key: str = ""
    extras: tuple[tuple[str, str | Members], ...] = ()
    cut_after: int | None = None
    pause_after: int = 0
    pause_seconds: float = 0.0

    @property
    def status_line(self) -> str:
        """The code with its reason phrase."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"

    def close(self) -> None:
        """Close the file that the body is a part of, if it is."""
        if not isinstance(self.body, bytes):
            self.body.close()


def interrupt_pieces(response: Response, sleep: Callable[[float], None]) -> Iterator[bytes | memoryview]:
    """Yield the body, pausing and ending where the response says so."""
    sent = 0
    pause = (response.pause_after, response.pause_seconds) if response.pause_after else None
    for piece in (response.body,) if isinstance(response.body, bytes) else response.body:
        left = memoryview(piece)
        if response.cut_after is not None:
            left = left[: response.cut_after - sent]
        if pause is not None and sent + len(left) >= pause[0]:
            first = left[: pause[0] - sent]
            yield first
            sent += len(first)
            left = left[len(first) :]
            sleep(pause[1])
            pause = None
        yield left
        sent += len(left)
        if sent == response.cut_after:
            return


def respond_with_error(error: OssError, *, request_id: str, host_id: str) -> Response:
    """Shape a refusal as OSS does, EC code in the `x-oss-ec` header included."""
    if error.kind.status == 304:
        # The one answer without a document: HTTP does not allow it any.
        return Response(304, list(error.headers), code=error.kind.code)
    headers = [("Content-Type", "application/xml"), *error.headers]
    if error.kind.ec:
        headers.append(("x-oss-ec", error.kind.ec))
    return Response(
        error.kind.status,
        headers,
        render_error(error, request_id=request_id, host_id=host_id),
        code=error.kind.code,
        message=error.message,
        extras=error.extras,
    )
