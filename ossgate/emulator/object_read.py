"""HeadObject and GetObject.

Sources: https://help.aliyun.com/zh/oss/developer-reference/headobject ,
https://help.aliyun.com/zh/oss/developer-reference/getobject
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import BinaryIO

from ossgate.emulator.byte_range import find_range
from ossgate.emulator.conditions import read_conditions
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import (
    INVALID_ARGUMENT,
    NO_SUCH_KEY,
    OssError,
)
from ossgate.emulator.image_process import process_image
from ossgate.emulator.object_errors import NO_SUCH_VERSION
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
            check_version(request.query_value("versionId"), metadata)
            response = _answer(request, metadata, file, overrides)
        except BaseException:
            file.close()
            raise
        if isinstance(response.body, bytes):
            file.close()
        return response

    def handle_meta(self, request: Request, _: Credentials | None) -> Response:
        """Answer HEAD with `?objectMeta`: the least that is known of an object.

        Raises:
            OssError: The object is missing.
        """
        check_object_key(request.object_key)
        metadata = self.store.find(request.bucket, request.object_key)
        if metadata is None:
            raise OssError(NO_SUCH_KEY, extras=[("Key", request.object_key)])
        headers = [
            ("ETag", f'"{metadata.etag}"'),
            ("Last-Modified", write_http_time(metadata.modified)),
            ("x-oss-hash-crc64ecma", metadata.crc64),
        ]
        if metadata.version_id:
            headers.append(("x-oss-version-id", metadata.version_id))
        return Response(200, headers, content_length=metadata.size)


def check_version(asked: str | None, metadata: ObjectMetadata) -> None:
    """Refuse a version other than the only one that is kept.

    Raises:
        OssError: There is no such version.
    """
    if asked not in (None, metadata.version_id or "null"):
        raise OssError(NO_SUCH_VERSION, extras=[("Key", metadata.object_key), ("VersionId", asked or "")])


def write_http_time(seconds: float) -> str:
    """Write a moment as HTTP headers have it."""
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC), usegmt=True)


def _read_overrides(request: Request) -> dict[str, str]:
    found = {}
    for name, header in _OVERRIDES.items():
        value = request.query_value(name)
        if value is not None:
            if not value.isprintable():
                raise OssError(INVALID_ARGUMENT, extras=[("ArgumentName", name), ("ArgumentValue", value)])
            found[header] = value
    return found


def _answer(
    request: Request, metadata: ObjectMetadata, file: BinaryIO, overrides: dict[str, str]
) -> Response:
    process = request.query_value("x-oss-process")
    if process and request.method == "GET":
        return process_image(process, metadata, file)
    return _respond(request, metadata, file, overrides)


def _respond(
    request: Request, metadata: ObjectMetadata, file: BinaryIO, overrides: dict[str, str]
) -> Response:
    etag = f'"{metadata.etag}"'
    headers = {
        "Content-Type": metadata.content_type,
        "ETag": etag,
        "Last-Modified": write_http_time(metadata.modified),
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
    if read_conditions(request).is_unmodified(metadata):
        return Response(304, [("ETag", etag), ("Last-Modified", headers["Last-Modified"])])
    strict = request.header("x-oss-range-behavior") == "standard"
    start, end = find_range(request.header("range"), metadata.size, strict=strict)
    status = 200
    if (start, end) != (0, metadata.size):
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{metadata.size}"
        # The digest is that of the whole object.
        headers.pop("Content-MD5", None)
    if request.method == "HEAD":
        return Response(status, list(headers.items()), b"", content_length=end - start)
    return Response(status, list(headers.items()), FileSlice(file, start, end), content_length=end - start)
