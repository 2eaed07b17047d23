"""The body of a request that carries a document: small, digested, and then parsed."""

import base64
import hashlib
from datetime import UTC, datetime
from xml.etree.ElementTree import Element  # for its type

from ossgate.emulator.errors import INVALID_DIGEST, OssError
from ossgate.emulator.object_errors import BODY_TOO_LARGE, MALFORMED_XML, MISSING_DIGEST
from ossgate.emulator.requests import Request
from ossgate.emulator.write_request import read_content_md5
from ossgate.emulator.xml_document import XmlMalformed, parse_document

MAX_BYTES = 4 * 1024 * 1024


def read_body(request: Request, *, limit: int = MAX_BYTES, needs_digest: bool = False) -> bytes:
    """Read a whole body.

    Raises:
        OssError: It is too long, its digest is missing where one is needed, or is another.
    """
    announced = read_content_md5(request)
    if needs_digest and not announced:
        raise OssError(MISSING_DIGEST, extras=[("ArgumentName", "Content-MD5")])
    body = bytearray()
    for chunk in request.body.iter_chunks():
        body += chunk
        if len(body) > limit:
            raise OssError(BODY_TOO_LARGE)
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    if announced and base64.b64encode(digest).decode() != announced:
        raise OssError(INVALID_DIGEST)
    return bytes(body)


def parse_body(body: bytes, root: str) -> Element:
    """Parse a body.

    Raises:
        OssError: It is not the document that the operation takes.
    """
    try:
        return parse_document(body, root)
    except XmlMalformed as error:
        raise OssError(MALFORMED_XML) from error


def write_time(seconds: float) -> str:
    """Write a moment as OSS's documents have it."""
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%dT%H:%M:%S}.000Z"
