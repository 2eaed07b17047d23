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
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from ossgate.emulator.callback_definition import CallbackDefinition, parse_callback
from ossgate.emulator.callback_delivery import CallbackDelivery
from ossgate.emulator.credentials import CredentialSet
from ossgate.emulator.errors import (
    ANONYMOUS_DENIED,
    ENCRYPTION_INVALID,
    ENTITY_TOO_LARGE,
    ENTITY_TOO_SMALL,
    FILE_ALREADY_EXISTS,
    FORBID_OVERWRITE_INVALID,
    FORM_BODY_TOO_LARGE,
    FORM_FILE_COUNT,
    FORM_KEY_MISSING,
    INVALID_DIGEST,
    KMS_NOT_ENABLED,
    METADATA_TOO_LARGE,
    OBJECT_ACL_INVALID,
    STORAGE_CLASS_INVALID,
    OssError,
)
from ossgate.emulator.form_parser import MAX_FIELDS_BYTES, FormFields, FormParser, parse_boundary
from ossgate.emulator.options import BucketAcl
from ossgate.emulator.post_signature import SignedForm, check_form_signature
from ossgate.emulator.requests import Request, check_object_key
from ossgate.emulator.responses import Response
from ossgate.emulator.staged_file import StagedFile
from ossgate.emulator.store import ObjectMetadata, ObjectStore
from ossgate.emulator.xml_document import build_document

MAX_OBJECT_BYTES = 5 * 1024**3
MAX_BODY_BYTES = MAX_OBJECT_BYTES + 2 * MAX_FIELDS_BYTES
MAX_METADATA_BYTES = 8 * 1024
OBJECT_ACLS = ("default", "private", "public-read", "public-read-write")
STORAGE_CLASSES = ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")
HTTP_FIELDS = ("Cache-Control", "Content-Disposition", "Content-Encoding", "Expires")
DEFAULT_CONTENT_TYPE = "application/octet-stream"


@dataclass(slots=True)
class _Upload:
    """One form on its way in; takes the file's bytes and counts them."""

    staged: StagedFile
    fields: FormFields
    signed: SignedForm | None
    object_key: str
    callback: CallbackDefinition | None
    smallest: int = 0
    largest: int = MAX_OBJECT_BYTES
    user_metadata: dict[str, str] = field(default_factory=dict)

    def write(self, data: memoryview) -> None:
        if self.staged.size + len(data) > self.largest:
            raise OssError(ENTITY_TOO_LARGE)
        self.staged.write(data)

    def join(self) -> None:
        self.staged.join()

    @property
    def forbid_overwrite(self) -> bool:
        return self.fields.get("x-oss-forbid-overwrite") == "true"


@dataclass(frozen=True, slots=True)
class PostObject:
    """Answers form uploads."""

    store: ObjectStore
    credentials: CredentialSet
    region: str
    bucket_acl: BucketAcl
    allow_private_callbacks: bool
    delivery: CallbackDelivery
    now: Callable[[], datetime]

    def handle(self, request: Request, url: str) -> Response:
        """Receive one form, store its file, send its callback.

        Args:
            url: The bucket's own URL, for the Location of a 201.

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
            _respond(upload.fields, metadata, url)
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
        metadata = _build_metadata(request, upload, modified=self.now().timestamp())
        self.store.commit(staged, metadata, forbid_overwrite=upload.forbid_overwrite)
        return upload, metadata

    def _begin(self, request: Request, fields: FormFields, staged: StagedFile) -> _Upload:
        """Check everything that can be checked before the file's first byte."""
        if "key" not in fields.values:
            raise OssError(FORM_KEY_MISSING)
        signed = check_form_signature(fields, self.credentials, region=self.region, now=self.now())
        if signed is None and self.bucket_acl != "public-read-write":
            raise OssError(ANONYMOUS_DENIED)
        if signed is not None:
            signed.check_expiration(self.now())
            signed.policy.check_conditions(lambda name: _look_up(name, fields, request.bucket))
        user_metadata = _check_values(request, fields)
        object_key = expand_file_name(fields.get("key"), fields.file_name)
        check_object_key(object_key)
        callback = None
        if "callback" in fields.values:
            callback = parse_callback(fields.get("callback"), allow_private=self.allow_private_callbacks)
        upload = _Upload(staged, fields, signed, object_key, callback, user_metadata=user_metadata)
        for size in signed.policy.length_ranges if signed is not None else ():
            upload.smallest = max(upload.smallest, size.low)
            upload.largest = min(upload.largest, size.high)
        if upload.forbid_overwrite and self.store.exists(request.bucket, object_key):
            # Said before the bytes are received; the commit checks it again.
            raise OssError(FILE_ALREADY_EXISTS)
        return upload

    def _call_back(
        self, request: Request, upload: _Upload, callback: CallbackDefinition, metadata: ObjectMetadata
    ) -> Response:
        custom = dict(_custom_variables(upload.fields))
        response = self.delivery.deliver(callback, metadata, custom, request=request, operation="PostObject")
        response.headers = _object_headers(metadata) + response.headers
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


def _check_values(request: Request, fields: FormFields) -> dict[str, str]:
    overwrite = fields.values.get("x-oss-forbid-overwrite")
    if overwrite not in (None, "true", "false"):
        raise OssError(FORBID_OVERWRITE_INVALID)
    if _object_acl(request, fields) not in OBJECT_ACLS:
        raise OssError(OBJECT_ACL_INVALID)
    if fields.values.get("x-oss-storage-class", "Standard") not in STORAGE_CLASSES:
        raise OssError(STORAGE_CLASS_INVALID)
    encryption = fields.values.get("x-oss-server-side-encryption")
    if encryption == "KMS":
        raise OssError(KMS_NOT_ENABLED)
    if encryption not in (None, "AES256", "SM4"):
        raise OssError(ENCRYPTION_INVALID)
    user_metadata = {name: value for name, value in fields.values.items() if name.startswith("x-oss-meta-")}
    if (
        sum(len(name.encode()) + len(value.encode()) for name, value in user_metadata.items())
        > MAX_METADATA_BYTES
    ):
        raise OssError(METADATA_TOO_LARGE)
    return user_metadata


def _object_acl(request: Request, fields: FormFields) -> str:
    return fields.get("x-oss-object-acl") or request.header("x-oss-object-acl") or "default"


def _custom_variables(fields: FormFields) -> list[tuple[str, str]]:
    # The template's names are case-sensitive, so the spelling that was sent counts.
    return [(fields.names[name], value) for name, value in fields.values.items() if name.startswith("x:")]


def _build_metadata(request: Request, upload: _Upload, *, modified: float) -> ObjectMetadata:
    fields = upload.fields
    return ObjectMetadata(
        bucket=request.bucket,
        object_key=upload.object_key,
        size=upload.staged.size,
        etag=upload.staged.etag,
        content_md5=upload.staged.content_md5,
        crc64=upload.staged.crc64,
        content_type=find_content_type(fields) or DEFAULT_CONTENT_TYPE,
        modified=modified,
        http_headers={name: fields.get(name.lower()) for name in HTTP_FIELDS if fields.get(name.lower())},
        user_metadata=upload.user_metadata,
        acl=_object_acl(request, fields),
        storage_class=fields.get("x-oss-storage-class") or "Standard",
    )


def _object_headers(metadata: ObjectMetadata) -> list[tuple[str, str]]:
    return [
        ("ETag", f'"{metadata.etag}"'),
        ("Content-MD5", metadata.content_md5),
        ("x-oss-hash-crc64ecma", metadata.crc64),
    ]


def _respond(fields: FormFields, metadata: ObjectMetadata, url: str) -> Response:
    headers = _object_headers(metadata)
    redirect = fields.get("success_action_redirect")
    if redirect and redirect.isprintable():
        return Response(303, [*headers, ("Location", quote(redirect, safe="!#$%&'()*+,/:;=?@[]~"))])
    status = fields.get("success_action_status")
    location = f"{url}/{quote(metadata.object_key, safe='/')}"
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
