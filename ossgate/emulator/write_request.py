"""What writing operations share: the body on its way to a staged file, and the answer's headers."""

import base64
import binascii
from contextlib import suppress

from ossgate.emulator.errors import INVALID_DIGEST, OssError
from ossgate.emulator.object_errors import (
    CONDITION_NOT_IMPLEMENTED,
    MISSING_CONTENT_LENGTH,
    OBJECT_TOO_LARGE,
)
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.requests import Request
from ossgate.emulator.staged_file import StagedFile

MAX_OBJECT_BYTES = 5 * 1024**3
_CONDITIONS = ("If-Modified-Since", "If-Unmodified-Since", "If-Match", "If-None-Match")


def check_write_request(request: Request) -> None:
    """Refuse a write before its body is read.

    Raises:
        OssError: The body has no length, is too long, or conditions are asked for.
    """
    for name in _CONDITIONS:
        if request.header(name.lower()):
            raise OssError(CONDITION_NOT_IMPLEMENTED, extras=[("Header", name)])
    if request.body.length is not None and not request.header("content-length"):
        raise OssError(MISSING_CONTENT_LENGTH)
    if (request.body.length or 0) > MAX_OBJECT_BYTES:
        raise OssError(OBJECT_TOO_LARGE)
    read_content_md5(request)


def read_content_md5(request: Request) -> str:
    """Tell the digest that the request announces, empty when it announces none.

    Raises:
        OssError: It is no MD5 in base64.
    """
    announced = request.header("content-md5").strip()
    if announced:
        digest = b""
        with suppress(binascii.Error, ValueError):
            digest = base64.b64decode(announced, validate=True)
        if len(digest) != 16:
            raise OssError(INVALID_DIGEST)
    return announced


def receive_body(request: Request, staged: StagedFile, *, limit: int = MAX_OBJECT_BYTES) -> None:
    """Bring the body to a staged file.

    Raises:
        OssError: It is too long, or not what its Content-MD5 says.
        BodyTruncated: The client stopped before the end.
    """
    for chunk in request.body.iter_chunks():
        if staged.size + len(chunk) > limit:
            raise OssError(OBJECT_TOO_LARGE)
        staged.write(memoryview(chunk))
    staged.join()
    announced = read_content_md5(request)
    if announced and announced != staged.content_md5:
        raise OssError(INVALID_DIGEST)


def build_write_headers(metadata: ObjectMetadata) -> list[tuple[str, str]]:
    """Write the headers that tell what was stored."""
    headers = [("ETag", f'"{metadata.etag}"')]
    if metadata.content_md5:
        headers.append(("Content-MD5", metadata.content_md5))
    headers.append(("x-oss-hash-crc64ecma", metadata.crc64))
    if metadata.version_id:
        headers.append(("x-oss-version-id", metadata.version_id))
    if metadata.encryption:
        headers.append(("x-oss-server-side-encryption", metadata.encryption))
    return headers
