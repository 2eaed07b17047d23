"""Answers on their way to the client."""

from collections.abc import Generator
from dataclasses import dataclass, field
from http import HTTPStatus

from ossgate.emulator.errors import OssError, render_error


@dataclass(slots=True)
class Response:
    """Status, headers and body.

    Args:
        body: The whole body, or pieces of it; then `content_length` tells the sum.
        code: OSS's error code, when this is a refusal; for the transcript.
        message: The error's text, for the transcript.
        object_key: The key that was stored, for the transcript: a form's request line does not tell it.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | Generator[bytes] = b""
    content_length: int | None = None
    code: str = ""
    message: str = ""
    object_key: str = ""

    @property
    def status_line(self) -> str:
        """The code with its reason phrase."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def respond_with_error(error: OssError, *, request_id: str, host_id: str) -> Response:
    """Shape a refusal as OSS does, EC code in the `x-oss-ec` header included."""
    headers = [("Content-Type", "application/xml"), *error.headers]
    if error.kind.ec:
        headers.append(("x-oss-ec", error.kind.ec))
    return Response(
        error.kind.status,
        headers,
        render_error(error, request_id=request_id, host_id=host_id),
        code=error.kind.code,
        message=error.message,
    )
