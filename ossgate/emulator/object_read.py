"""HeadObject and GetObject.

Sources: https://help.aliyun.com/zh/oss/developer-reference/headobject ,
https://help.aliyun.com/zh/oss/developer-reference/getobject
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import BinaryIO

from ossgate.emulator.auth_v1 import parse_http_date
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import (
    INVALID_ARGUMENT,
    INVALID_RANGE,
    NO_SUCH_KEY,
    PRECONDITION_FAILED,
    OssError,
)
from ossgate.emulator.object_metadata import APPENDABLE, ObjectMetadata
from ossgate.emulator.requests import Request, check_object_key
from ossgate.emulator.responses import FileSlice, Response
from ossgate.emulator.store import ObjectStore

_OVERRIDES = {
    "response-content-type": "Content-Type",
    "response-content-language": "Content-Language",
    "response-expires": "Expires",
    "response-cache-control": "Cache-Control",
    "response-content-disposition": "Content-Disposition",
    "response-content-encoding": "Content-Encoding",
}
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """Answers HEAD and GET of objects."""

    store: ObjectStore

    def handle(self, request: Request, caller: Credentials | None) -> Response:
        """Answer one request.

        Raises:
            OssError: The object is missing, or a condition does not hold.
        """
        check_object_key(request.object_key)
        overrides = _read_overrides(request)
        if overrides and caller is None:
            raise OssError(
                INVALID_ARGUMENT, message="response-* parameters are allowed in signed requests only."
            )
        opened = self.store.open_object(request.bucket, request.object_key)
        if opened is None:
            raise OssError(NO_SUCH_KEY, extras=[("Key", request.object_key)])
        metadata, file = opened
        try:
            response = _respond(request, metadata, file, overrides)
        except BaseException:
            file.close()
            raise
        if isinstance(response.body, bytes):
            file.close()
        return response


def _read_overrides(request: Request) -> dict[str, str]:
    found = {}
    for name, header in _OVERRIDES.items():
        value = request.query_value(name)
        if value is not None:
            if not value.isprintable():
                raise OssError(INVALID_ARGUMENT, extras=[("ArgumentName", name), ("ArgumentValue", value)])
            found[header] = value
    return found


def _respond(
    request: Request, metadata: ObjectMetadata, file: BinaryIO, overrides: dict[str, str]
) -> Response:
    etag = f'"{metadata.etag}"'
    modified = datetime.fromtimestamp(int(metadata.modified), UTC)
    headers = {
        "Content-Type": metadata.content_type,
        "ETag": etag,
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "Content-MD5": metadata.content_md5,
        "x-oss-object-type": metadata.object_type,
        "x-oss-storage-class": metadata.storage_class,
        "x-oss-hash-crc64ecma": metadata.crc64,
        "x-oss-version-id": metadata.version_id,
        "x-oss-server-side-encryption": metadata.encryption,
        "x-oss-tagging-count": str(len(metadata.tags)) if metadata.tags else "",
        "x-oss-next-append-position": str(metadata.size) if metadata.object_type == APPENDABLE else "",
        **metadata.http_headers,
        **metadata.user_metadata,
        **overrides,
    }
    headers = {name: value for name, value in headers.items() if value or name in overrides}
    if _is_unmodified(request, metadata.etag, modified):
        return Response(304, [("ETag", etag), ("Last-Modified", headers["Last-Modified"])])
    start, end = _find_range(request, metadata.size)
    status = 200
    if (start, end) != (0, metadata.size):
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{metadata.size}"
        # The digest is that of the whole object.
        headers.pop("Content-MD5", None)
    if request.method == "HEAD":
        return Response(status, list(headers.items()), b"", content_length=end - start)
    return Response(status, list(headers.items()), FileSlice(file, start, end), content_length=end - start)


def _is_unmodified(request: Request, etag: str, modified: datetime) -> bool:
    """Judge the conditional headers: true answers 304.

    Raises:
        OssError: If-Match or If-Unmodified-Since does not hold.
    """
    if_match = request.header("if-match")
    if if_match and not _etag_matches(if_match, etag):
        raise OssError(PRECONDITION_FAILED, extras=[("Condition", "If-Match")])
    unmodified_since = _read_date(request, "if-unmodified-since")
    if unmodified_since is not None and modified > unmodified_since:
        raise OssError(PRECONDITION_FAILED, extras=[("Condition", "If-Unmodified-Since")])
    if_none_match = request.header("if-none-match")
    if if_none_match:
        return _etag_matches(if_none_match, etag)
    modified_since = _read_date(request, "if-modified-since")
    return modified_since is not None and modified <= modified_since


def _read_date(request: Request, header: str) -> datetime | None:
    try:
        return parse_http_date(request.header(header))
    except OssError:
        # A condition that cannot be read is none.
        return None


def _etag_matches(header: str, etag: str) -> bool:
    return any(item.strip().removeprefix("W/").strip('"') in (etag, "*") for item in header.split(","))


def _find_range(request: Request, size: int) -> tuple[int, int]:
    """Tell first byte and the byte after the last; an invalid range means the whole object, as OSS has it."""
    whole = (0, size)
    header = request.header("range")
    if not header:
        return whole
    match = _RANGE.fullmatch(header.strip())
    first, last = match.groups() if match else ("", "")
    if first and int(first) < size and (not last or int(last) >= int(first)):
        return int(first), min(int(last) + 1, size) if last else size
    if not first and last and int(last) > 0 and size > 0:
        return max(size - int(last), 0), size
    if request.header("x-oss-range-behavior") == "standard" and match and (first or last):
        raise OssError(INVALID_RANGE, headers=[("Content-Range", f"bytes */{size}")])
    return whole
