"""PostObject: the form upload, from multipart body to stored object.

Order of checks: form and limits, required fields, signature fields, policy, signature, expiration, conditions,
field values, callback definition; then the file is received, its size judged as it comes; at the end the
expiration once more, the whole-body digest, and the object is stored.
Source: "PostObject", https://help.aliyun.com/zh/oss/developer-reference/postobject
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.callback_definition import CallbackDefinition, parse_callback
from ossgate.emulator.callback_delivery import CallbackDelivery
from ossgate.emulator.credentials import CredentialSet
from ossgate.emulator.errors import (
    ANONYMOUS_DENIED,
    ENTITY_TOO_LARGE,
    ENTITY_TOO_SMALL,
    FILE_ALREADY_EXISTS,
    FORM_BODY_TOO_LARGE,
    FORM_FILE_COUNT,
    FORM_KEY_MISSING,
    INVALID_DIGEST,
    OssError,
)
from ossgate.emulator.form_parser import MAX_FIELDS_BYTES, FormFields, FormParser, parse_boundary
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.post_signature import SignedForm, check_form_signature
from ossgate.emulator.put_object import build_metadata
from ossgate.emulator.requests import Request, check_object_key
from ossgate.emulator.responses import Response
from ossgate.emulator.staged_file import StagedFile
from ossgate.emulator.store import ObjectStore
from ossgate.emulator.sts import Sts
from ossgate.emulator.upload_headers import UploadHeaders, read_upload_headers
from ossgate.emulator.write_request import MAX_OBJECT_BYTES, build_write_headers
from ossgate.emulator.xml_document import build_document

MAX_BODY_BYTES = MAX_OBJECT_BYTES + 2 * MAX_FIELDS_BYTES


@dataclass(slots=True)
class _Upload:
    """One form on its way in; takes the file's bytes and counts them."""

    staged: StagedFile
    fields: FormFields
    headers: UploadHeaders
    signed: SignedForm | None
    object_key: str
    callback: CallbackDefinition | None
    forbid_overwrite: bool
    smallest: int = 0
    largest: int = MAX_OBJECT_BYTES

    def write(self, data: memoryview) -> None:
        if self.staged.size + len(data) > self.largest:
            raise OssError(ENTITY_TOO_LARGE)
        self.staged.write(data)

    def join(self) -> None:
        self.staged.join()


@dataclass(frozen=True, slots=True)
class PostObject:
    """Answers form uploads."""

    store: ObjectStore
    credentials: CredentialSet
    sts: Sts
    region: str
    buckets: BucketRegistry
    allow_private_callbacks: bool
    delivery: CallbackDelivery
    now: Callable[[], datetime]

    def handle(self, request: Request) -> Response:
        """Receive one form, store its file, send its callback.

        Raises:
            OssError: The form is refused; what is left of its body is for the server to read.
        """
        with self.store.stage() as staged:
            upload, metadata = self._receive(request, staged)
        # Told before the callback goes out, so that a transcript reads in the order of what happened.
        self.delivery.transcript.record(
            "stored",
            bucket=metadata.bucket,
            object_key=metadata.object_key,
            size=metadata.size,
            request_id=request.request_id,
        )
        response = (
            _respond(request, upload.fields, metadata)
            if upload.callback is None
            else self._call_back(request, upload, upload.callback, metadata)
        )
        response.object_key = metadata.object_key
        return response

    def _receive(self, request: Request, staged: StagedFile) -> tuple[_Upload, ObjectMetadata]:
        if request.body.length is not None and request.body.length > MAX_BODY_BYTES:
            raise OssError(FORM_BODY_TOO_LARGE)
        uploads: list[_Upload] = []

        def begin_file(fields: FormFields) -> _Upload:
            uploads.append(self._begin(request, fields, staged))
            return uploads[-1]

        parser = FormParser(parse_boundary(request.header("content-type")), begin_file)
        expected_digest = request.header("content-md5")
        whole_body = hashlib.md5(usedforsecurity=False)
        for chunk in request.body.iter_chunks():
            if expected_digest:
                whole_body.update(chunk)
            parser.write(chunk)
        if not uploads and "key" not in parser.fields.values:
            raise OssError(FORM_KEY_MISSING)
        parser.finish()
        if not uploads:
            raise OssError(FORM_FILE_COUNT)
        if expected_digest and base64.b64encode(whole_body.digest()).decode() != expected_digest:
            raise OssError(INVALID_DIGEST)
        upload = uploads[0]
        upload.join()
        # The slow upload's pitfall: judged when the last byte is here.
        if upload.signed is not None:
            upload.signed.check_expiration(self.now())
        if staged.size < upload.smallest:
            raise OssError(ENTITY_TOO_SMALL)
        metadata = build_metadata(
            replace(request, object_key=upload.object_key),
            upload.headers,
            staged,
            now=self.now(),
            version_id=self.buckets.require(request.bucket).new_version_id(),
        )
        self.store.commit(staged, metadata, forbid_overwrite=upload.forbid_overwrite)
        return upload, metadata

    def _begin(self, request: Request, fields: FormFields, staged: StagedFile) -> _Upload:
        """Check everything that can be checked before the file's first byte."""
        if "key" not in fields.values:
            raise OssError(FORM_KEY_MISSING)
        object_key = expand_file_name(fields.get("key"), fields.file_name)
        self.delivery.sender.player.name_key(object_key)
        signed = check_form_signature(fields, self.credentials, region=self.region, now=self.now())
        if signed is None and self.buckets.require(request.bucket).acl != "public-read-write":
            raise OssError(ANONYMOUS_DENIED)
        if signed is not None:
            signed.check_expiration(self.now())
            signed.policy.check_conditions(lambda name: _look_up(name, fields, request.bucket))
            self._authorize(request, fields, signed, object_key)
        headers = _read_headers(request, fields)
        check_object_key(object_key)
        callback = None
        if "callback" in fields.values:
            callback = parse_callback(fields.get("callback"), allow_private=self.allow_private_callbacks)
        forbid = self.buckets.require(request.bucket).forbids_overwrite(
            object_key, asked=headers.forbid_overwrite
        )
        upload = _Upload(staged, fields, headers, signed, object_key, callback, forbid)
        for size in signed.policy.length_ranges if signed is not None else ():
            upload.smallest = max(upload.smallest, size.low)
            upload.largest = min(upload.largest, size.high)
        if upload.forbid_overwrite and self.store.exists(request.bucket, object_key):
            # Said before the bytes are received; the commit checks it again.
            raise OssError(FILE_ALREADY_EXISTS)
        return upload

    def _authorize(self, request: Request, fields: FormFields, signed: SignedForm, object_key: str) -> None:
        self.sts.authorize(
            signed.credentials,
            "PostObject",
            request.bucket,
            object_key,
            self.sts.read_facts(request, fields.values),
            open_to_all=lambda: self.buckets.require(request.bucket).acl == "public-read-write",
        )

    def _call_back(
        self, request: Request, upload: _Upload, callback: CallbackDefinition, metadata: ObjectMetadata
    ) -> Response:
        custom = dict(_custom_variables(upload.fields))
        response = self.delivery.deliver(callback, metadata, custom, request=request, operation="PostObject")
        response.headers = build_write_headers(metadata) + response.headers
        return response


def expand_file_name(key: str, file_name: str) -> str:
    """Put the uploaded file's base name where the key says `${filename}`."""
    base_name = re.split(r"[/\\]", file_name)[-1]
    return key.replace("${filename}", base_name)


def find_content_type(fields: FormFields) -> str:
    """Tell the object's type: `x-oss-content-type`, else the file part's own, else the field Content-Type."""
    return fields.get("x-oss-content-type") or fields.file_content_type or fields.get("content-type")


def _look_up(name: str, fields: FormFields, bucket: str) -> str | None:
    if name == "bucket":
        return bucket
    if name == "content-type":
        return find_content_type(fields) or None
    return fields.values.get(name)


def _read_headers(request: Request, fields: FormFields) -> UploadHeaders:
    # The object ACL may also come as a request header; the field wins.
    acl = (
        {"x-oss-object-acl": request.header("x-oss-object-acl")}
        if "x-oss-object-acl" in request.headers
        else {}
    )
    values = acl | fields.values | {"content-type": find_content_type(fields)}
    return read_upload_headers(values, with_tags=False)


def _custom_variables(fields: FormFields) -> list[tuple[str, str]]:
    # The template's names are case-sensitive, so the spelling that was sent counts.
    return [(fields.names[name], value) for name, value in fields.values.items() if name.startswith("x:")]


def _respond(request: Request, fields: FormFields, metadata: ObjectMetadata) -> Response:
    headers = build_write_headers(metadata)
    redirect = fields.get("success_action_redirect")
    if redirect and redirect.isprintable():
        return Response(303, [*headers, ("Location", quote(redirect, safe="!#$%&'()*+,/:;=?@[]~"))])
    status = fields.get("success_action_status")
    location = request.locate_object(metadata.object_key)
    if status == "201":
        document = build_document(
            "PostResponse",
            [
                ("Bucket", metadata.bucket),
                ("Location", location),
                ("Key", metadata.object_key),
                ("ETag", metadata.etag),
            ],
        )
        return Response(
            201, [*headers, ("Content-Type", "application/xml"), ("Location", location)], document
        )
    return Response(200 if status == "200" else 204, headers)
