"""PutObject: the body is the object.

Order of checks: key, headers, callback definition, overwrite; then the body is received, its digest compared, and
the object stored; last the callback. Source: "PutObject", https://help.aliyun.com/zh/oss/developer-reference/putobject
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.callback_delivery import CallbackDelivery
from ossgate.emulator.callback_request import RequestedCallback, read_callback
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import FILE_ALREADY_EXISTS, OssError
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.requests import Request, check_object_key
from ossgate.emulator.responses import Response
from ossgate.emulator.staged_file import StagedFile
from ossgate.emulator.store import ObjectStore
from ossgate.emulator.upload_headers import DEFAULT_CONTENT_TYPE, UploadHeaders, read_upload_headers
from ossgate.emulator.write_request import build_write_headers, check_write_request, receive_body


@dataclass(frozen=True, slots=True)
class PutObject:
    """Answers plain uploads."""

    store: ObjectStore
    buckets: BucketRegistry
    allow_private_callbacks: bool
    delivery: CallbackDelivery
    now: Callable[[], datetime]

    def handle(self, request: Request, _: Credentials | None) -> Response:
        """Receive one object, store it, send its callback.

        Raises:
            OssError: The request is refused; what is left of its body is for the server to read.
        """
        check_object_key(request.object_key)
        check_write_request(request)
        headers = read_upload_headers(request.headers)
        callback = read_callback(request, allow_private=self.allow_private_callbacks)
        bucket = self.buckets.require(request.bucket)
        forbid = bucket.forbids_overwrite(request.object_key, asked=headers.forbid_overwrite)
        if forbid and self.store.exists(request.bucket, request.object_key):
            # Said before the bytes are received; the commit checks it again.
            raise OssError(FILE_ALREADY_EXISTS)
        with self.store.stage() as staged:
            receive_body(request, staged)
            metadata = build_metadata(
                request, headers, staged, now=self.now(), version_id=bucket.new_version_id()
            )
            self.store.commit(staged, metadata, forbid_overwrite=forbid)
        return answer_upload(self.delivery, request, metadata, callback, operation="PutObject")


def build_metadata(
    request: Request,
    headers: UploadHeaders,
    staged: StagedFile,
    *,
    now: datetime,
    version_id: str = "",
) -> ObjectMetadata:
    """Gather what is kept of an object that has just been received."""
    return ObjectMetadata(
        bucket=request.bucket,
        object_key=request.object_key,
        size=staged.size,
        etag=staged.etag,
        content_md5=staged.content_md5,
        crc64=staged.crc64,
        content_type=headers.content_type or DEFAULT_CONTENT_TYPE,
        modified=now.timestamp(),
        http_headers=headers.http_headers,
        user_metadata=headers.user_metadata,
        acl=headers.acl,
        storage_class=headers.storage_class,
        encryption=headers.encryption,
        tags=headers.tags,
        version_id=version_id,
    )


def answer_upload(
    delivery: CallbackDelivery,
    request: Request,
    metadata: ObjectMetadata,
    callback: RequestedCallback | None,
    *,
    operation: str,
) -> Response:
    """Tell of the stored object, send its callback if there is one, and shape the answer."""
    # Told before the callback goes out, so that a transcript reads in the order of what happened.
    delivery.transcript.record(
        "stored",
        bucket=metadata.bucket,
        object_key=metadata.object_key,
        size=metadata.size,
        request_id=request.request_id,
    )
    if callback is None:
        return Response(200, build_write_headers(metadata))
    response = delivery.deliver(
        callback.definition, metadata, callback.variables, request=request, operation=operation
    )
    response.headers = build_write_headers(metadata) + response.headers
    return response
