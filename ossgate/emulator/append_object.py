"""AppendObject: an object that grows at its end.

Source: https://help.aliyun.com/zh/oss/developer-reference/appendobject
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import OssError
from ossgate.emulator.object_errors import (
    APPEND_CLASS_INVALID,
    OBJECT_TOO_LARGE,
    POSITION_INVALID,
    POSITION_MISSING,
)
from ossgate.emulator.object_metadata import APPENDABLE, chain_etag
from ossgate.emulator.put_object import build_metadata
from ossgate.emulator.requests import Request, check_object_key
from ossgate.emulator.responses import Response
from ossgate.emulator.upload_headers import read_upload_headers
from ossgate.emulator.write_request import (
    MAX_OBJECT_BYTES,
    build_write_headers,
    check_write_request,
    receive_body,
)

_CLASSES = ("Standard", "IA", "Archive")


@dataclass(frozen=True, slots=True)
class AppendObject:
    """Answers appends."""

    buckets: BucketRegistry
    now: Callable[[], datetime]

    def handle(self, request: Request, _: Credentials | None) -> Response:
        """Append one body; what is said of the object counts when it is begun.

        Raises:
            OssError: Position, headers or body do not hold, or the object is of another type.
        """
        check_object_key(request.object_key)
        position = _read_position(request)
        check_write_request(request)
        headers = read_upload_headers(request.headers)
        if headers.storage_class not in _CLASSES:
            raise OssError(APPEND_CLASS_INVALID)
        bucket = self.buckets.require(request.bucket)
        store = self.buckets.store
        # Said before the bytes are received; looked at again when they are here.
        store.check_position(store.find(request.bucket, request.object_key), position)
        if position > MAX_OBJECT_BYTES:
            raise OssError(OBJECT_TOO_LARGE)
        with store.stage() as staged:
            receive_body(request, staged, limit=MAX_OBJECT_BYTES - position)
            piece = build_metadata(
                request, headers, staged, now=self.now(), version_id=bucket.new_version_id()
            )
            piece = replace(piece, object_type=APPENDABLE, content_md5="", etag=chain_etag("", piece.etag))
            metadata = store.append(staged, piece, position=position)
        response = Response(200, build_write_headers(metadata))
        response.headers.append(("x-oss-next-append-position", str(metadata.size)))
        return response


def _read_position(request: Request) -> int:
    text = request.query_value("position")
    if text is None:
        raise OssError(POSITION_MISSING)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise OssError(POSITION_INVALID, extras=[("ArgumentName", "position"), ("ArgumentValue", text)])
    return int(text)
