"""InitiateMultipartUpload, UploadPart, AbortMultipartUpload.

Sources: https://help.aliyun.com/zh/oss/developer-reference/initiatemultipartupload and its neighbours
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import FILE_ALREADY_EXISTS, OssError
from ossgate.emulator.list_arguments import check_encoding, encode_name, list_encoding
from ossgate.emulator.multipart_store import MultipartStore, Upload
from ossgate.emulator.object_errors import (
    NO_SUCH_UPLOAD,
    NO_SUCH_UPLOAD_OF_PART,
    PART_NUMBER_INVALID,
)
from ossgate.emulator.object_metadata import MULTIPART, ObjectMetadata
from ossgate.emulator.requests import Request, check_object_key
from ossgate.emulator.responses import Response
from ossgate.emulator.upload_headers import DEFAULT_CONTENT_TYPE, read_upload_headers
from ossgate.emulator.write_request import check_write_request, receive_body
from ossgate.emulator.xml_body import read_body
from ossgate.emulator.xml_document import build_document

MAX_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Multipart:
    """Answers what concerns one upload before it is completed."""

    buckets: BucketRegistry
    uploads: MultipartStore
    now: Callable[[], datetime]

    def initiate(self, request: Request, _: Credentials | None) -> Response:
        """Begin an upload; what is said of the object is said here.

        Raises:
            OssError: A header does not hold, or the key may not be overwritten.
        """
        check_object_key(request.object_key)
        check_encoding(request)
        headers = read_upload_headers(request.headers)
        read_body(request)
        bucket = self.buckets.require(request.bucket)
        forbid = bucket.forbids_overwrite(request.object_key, asked=headers.forbid_overwrite)
        if forbid and self.uploads.store.exists(request.bucket, request.object_key):
            raise OssError(FILE_ALREADY_EXISTS)
        metadata = ObjectMetadata(
            bucket=request.bucket,
            object_key=request.object_key,
            size=0,
            etag="",
            content_md5="",
            crc64="0",
            content_type=headers.content_type or DEFAULT_CONTENT_TYPE,
            modified=self.now().timestamp(),
            http_headers=headers.http_headers,
            user_metadata=headers.user_metadata,
            acl=headers.acl,
            storage_class=headers.storage_class,
            object_type=MULTIPART,
            encryption=headers.encryption,
            tags=headers.tags,
        )
        upload = self.uploads.create(metadata, forbid_overwrite=headers.forbid_overwrite)
        document = build_document(
            "InitiateMultipartUploadResult",
            [
                *list_encoding(request),
                ("Bucket", request.bucket),
                ("Key", encode_name(request, request.object_key)),
                ("UploadId", upload.upload_id),
            ],
        )
        return Response(200, [("Content-Type", "application/xml")], document)

    def upload_part(self, request: Request, _: Credentials | None) -> Response:
        """Receive one part.

        Raises:
            OssError: Number, upload or digest does not hold.
        """
        number = read_part_number(request)
        check_write_request(request)
        upload = self.find(request)
        with self.uploads.store.stage() as staged:
            receive_body(request, staged)
            part = self.uploads.add_part(upload, number, staged)
            headers = [
                ("ETag", f'"{part.etag}"'),
                ("Content-MD5", staged.content_md5),
                ("x-oss-hash-crc64ecma", part.crc64),
            ]
        return Response(200, headers)

    def abort(self, request: Request, _: Credentials | None) -> Response:
        """End an upload and forget its parts.

        Raises:
            OssError: There is no such upload.
        """
        upload_id = request.query_value("uploadId") or ""
        upload = self.uploads.find(request.bucket, request.object_key, upload_id, missing=NO_SUCH_UPLOAD)
        self.uploads.abort(upload)
        return Response(204)

    def find(self, request: Request) -> Upload:
        """Tell the upload that a part belongs to.

        Raises:
            OssError: There is no such upload.
        """
        upload_id = request.query_value("uploadId") or ""
        return self.uploads.find(
            request.bucket, request.object_key, upload_id, missing=NO_SUCH_UPLOAD_OF_PART
        )


def read_part_number(request: Request) -> int:
    """Read the number of a part.

    Raises:
        OssError: It is no number from 1 to 10000.
    """
    text = request.query_value("partNumber") or ""
    if not (text.isascii() and text.isdigit() and len(text) < 10) or not 1 <= int(text) <= MAX_PARTS:
        raise OssError(PART_NUMBER_INVALID, extras=[("ArgumentName", "PartNumber"), ("ArgumentValue", text)])
    return int(text)
