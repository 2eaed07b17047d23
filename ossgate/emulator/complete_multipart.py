"""CompleteMultipartUpload: many parts become one object.

ETag: MD5 of the parts' ETags as text in upper-case hex, a hyphen, the number of parts; not S3's rule.
Source: https://help.aliyun.com/zh/oss/developer-reference/completemultipartupload ; the ETag as recorded.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.callback_delivery import CallbackDelivery
from ossgate.emulator.callback_request import read_callback
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import FORBID_OVERWRITE_INVALID, OBJECT_ACL_INVALID, OssError
from ossgate.emulator.list_arguments import check_encoding, encode_name, list_encoding
from ossgate.emulator.multipart import MAX_PARTS
from ossgate.emulator.multipart_store import MultipartStore, Part, Upload
from ossgate.emulator.object_errors import (
    COMPLETE_ALL_INVALID,
    COMPLETE_ALL_WITH_BODY,
    INVALID_PART,
    INVALID_PART_ORDER,
    MALFORMED_XML,
    NO_SUCH_UPLOAD,
    PART_NUMBER_INVALID,
    PART_TOO_SMALL,
)
from ossgate.emulator.object_metadata import ObjectMetadata, combine_crc64
from ossgate.emulator.put_object import answer_upload
from ossgate.emulator.requests import Request, check_object_key
from ossgate.emulator.responses import Response
from ossgate.emulator.upload_headers import OBJECT_ACLS
from ossgate.emulator.xml_body import parse_body, read_body
from ossgate.emulator.xml_document import build_document, find_text

MIN_PART_BYTES = 100 * 1024
# The parts that a body names: number and ETag.
_Wanted = Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class CompleteMultipart:
    """Answers completions."""

    buckets: BucketRegistry
    uploads: MultipartStore
    allow_private_callbacks: bool
    delivery: CallbackDelivery
    now: Callable[[], datetime]

    def handle(self, request: Request, _: Credentials | None) -> Response:
        """Join the parts, store the object, send its callback.

        Raises:
            OssError: Upload, parts, headers or callback do not hold; the upload stays as it is.
        """
        check_object_key(request.object_key)
        check_encoding(request)
        acl, asked = _read_headers(request)
        callback = read_callback(request, allow_private=self.allow_private_callbacks)
        wanted = _read_wanted(request)
        upload_id = request.query_value("uploadId") or ""
        upload = self.uploads.find(request.bucket, request.object_key, upload_id, missing=NO_SUCH_UPLOAD)
        bucket = self.buckets.require(request.bucket)

        def describe(parts: Sequence[Part]) -> ObjectMetadata:
            metadata = describe_object(upload, parts, now=self.now())
            return replace(metadata, acl=acl or metadata.acl, version_id=bucket.new_version_id())

        metadata = self.uploads.complete(
            upload,
            lambda parts: choose_parts(parts, wanted),
            describe,
            forbid_overwrite=bucket.forbids_overwrite(
                request.object_key, asked=asked or upload.forbid_overwrite
            ),
        )
        response = answer_upload(
            self.delivery, request, metadata, callback, operation="CompleteMultipartUpload"
        )
        if callback is None:
            response.headers.append(("Content-Type", "application/xml"))
            response.body = _build_result(request, metadata)
        return response


def describe_object(upload: Upload, parts: Sequence[Part], *, now: datetime) -> ObjectMetadata:
    """Tell the metadata of the object that parts make."""
    return replace(
        upload.metadata,
        size=sum(part.size for part in parts),
        etag=build_multipart_etag([part.etag for part in parts]),
        crc64=reduce(lambda crc, part: combine_crc64(crc, part.crc64, part.size), parts, "0"),
        modified=now.timestamp(),
    )


def build_multipart_etag(etags: Sequence[str]) -> str:
    """Make the object's ETag of its parts' ETags, in order and without quotes."""
    digest = hashlib.md5("".join(etags).encode(), usedforsecurity=False).hexdigest().upper()
    return f"{digest}-{len(etags)}"


def choose_parts(parts: dict[int, Part], wanted: _Wanted | None) -> list[Part]:
    """Pick the parts that a body names, or all.

    Raises:
        OssError: One is missing, has another ETag, or is too small; or there is none.
    """
    if wanted is None:
        wanted = [(number, parts[number].etag) for number in sorted(parts)]
    if not wanted:
        raise OssError(INVALID_PART)
    chosen = []
    for number, etag in wanted:
        part = parts.get(number)
        if part is None or part.etag != etag.upper():
            raise OssError(INVALID_PART, extras=[("PartNumber", str(number)), ("PartEtag", etag)])
        chosen.append(part)
    for part in chosen[:-1]:
        if part.size < MIN_PART_BYTES:
            raise OssError(
                PART_TOO_SMALL,
                extras=[
                    ("ProposedSize", str(part.size)),
                    ("MinSizeAllowed", str(MIN_PART_BYTES)),
                    ("PartNumber", str(part.number)),
                    ("PartEtag", part.etag),
                ],
            )
    return chosen


def _read_headers(request: Request) -> tuple[str, bool]:
    acl = request.header("x-oss-object-acl")
    if acl and acl not in OBJECT_ACLS:
        raise OssError(OBJECT_ACL_INVALID)
    overwrite = request.header("x-oss-forbid-overwrite")
    if overwrite not in ("", "true", "false"):
        raise OssError(FORBID_OVERWRITE_INVALID)
    return acl, overwrite == "true"


def _read_wanted(request: Request) -> _Wanted | None:
    body = read_body(request)
    complete_all = request.header("x-oss-complete-all")
    if complete_all:
        if complete_all.lower() != "yes":
            raise OssError(COMPLETE_ALL_INVALID)
        if body:
            raise OssError(COMPLETE_ALL_WITH_BODY)
        return None
    wanted: list[tuple[int, str]] = []
    for element in parse_body(body, "CompleteMultipartUpload").iterfind("Part"):
        text, etag = find_text(element, "PartNumber") or "", find_text(element, "ETag")
        if etag is None or not (text.isascii() and text.isdigit() and len(text) < 10):
            raise OssError(MALFORMED_XML)
        number = int(text)
        if not 1 <= number <= MAX_PARTS:
            raise OssError(
                PART_NUMBER_INVALID, extras=[("ArgumentName", "PartNumber"), ("ArgumentValue", text)]
            )
        if wanted and number <= wanted[-1][0]:
            raise OssError(INVALID_PART_ORDER)
        wanted.append((number, etag.strip('"')))
    if not wanted:
        raise OssError(MALFORMED_XML)
    return wanted


def _build_result(request: Request, metadata: ObjectMetadata) -> bytes:
    return build_document(
        "CompleteMultipartUploadResult",
        [
            *list_encoding(request),
            ("Location", request.locate_object(metadata.object_key)),
            ("Bucket", metadata.bucket),
            ("Key", encode_name(request, metadata.object_key)),
            ("ETag", f'"{metadata.etag}"'),
        ],
    )
