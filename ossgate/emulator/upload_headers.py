"""What an upload says about the object beside its bytes: headers of PutObject and its like, fields of a form.

Source: "PutObject", https://help.aliyun.com/zh/oss/developer-reference/putobject
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ossgate.emulator.errors import (
    ENCRYPTION_INVALID,
    FORBID_OVERWRITE_INVALID,
    INVALID_ARGUMENT,
    KMS_NOT_ENABLED,
    METADATA_TOO_LARGE,
    OBJECT_ACL_INVALID,
    STORAGE_CLASS_INVALID,
    OssError,
)
from ossgate.emulator.object_errors import METADATA_NAME_INVALID
from ossgate.emulator.tag_set import parse_tagging_header

MAX_METADATA_BYTES = 8 * 1024
OBJECT_ACLS = ("default", "private", "public-read", "public-read-write")
STORAGE_CLASSES = ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")
HTTP_FIELDS = ("Cache-Control", "Content-Disposition", "Content-Encoding", "Expires")
DEFAULT_CONTENT_TYPE = "application/octet-stream"
_META = "x-oss-meta-"


@dataclass(frozen=True, slots=True)
class UploadHeaders:
    """The checked values.

    Args:
        content_type: Empty when none is given.
        http_headers: Cache-Control and its like, kept as they are given.
        user_metadata: `x-oss-meta-*` by full lower-case name.
        acl: "default" means the bucket's.
        encryption: "AES256", "SM4" or empty.
        forbid_overwrite: Whether a taken key is to be refused.
    """

    content_type: str
    http_headers: dict[str, str]
    user_metadata: dict[str, str]
    acl: str
    storage_class: str
    encryption: str
    tags: dict[str, str]
    forbid_overwrite: bool


def read_upload_headers(values: Mapping[str, str], *, with_tags: bool = True) -> UploadHeaders:
    """Read and check what an upload says.

    Args:
        values: Headers or form fields, by lower-case name.
        with_tags: Whether `x-oss-tagging` means something; forms have no tags.

    Raises:
        OssError: A value is none that OSS knows.
    """
    overwrite = values.get("x-oss-forbid-overwrite")
    if overwrite not in (None, "true", "false"):
        raise OssError(FORBID_OVERWRITE_INVALID)
    acl = values.get("x-oss-object-acl") or "default"
    if acl not in OBJECT_ACLS:
        raise OssError(OBJECT_ACL_INVALID)
    storage_class = values.get("x-oss-storage-class", "Standard")
    if storage_class not in STORAGE_CLASSES:
        raise OssError(STORAGE_CLASS_INVALID)
    for name in ("content-type", *(field.lower() for field in HTTP_FIELDS)):
        _check_text(name, values.get(name, ""))
    return UploadHeaders(
        content_type=values.get("content-type", ""),
        http_headers={name: values[name.lower()] for name in HTTP_FIELDS if values.get(name.lower())},
        user_metadata=read_user_metadata(values),
        acl=acl,
        storage_class=storage_class,
        encryption=_read_encryption(values),
        tags=parse_tagging_header(values.get("x-oss-tagging", "")) if with_tags else {},
        forbid_overwrite=overwrite == "true",
    )


def read_user_metadata(values: Mapping[str, str]) -> dict[str, str]:
    """Pick out and check `x-oss-meta-*`.

    Raises:
        OssError: A name has odd characters, or all together are too large.
    """
    found = {name: value for name, value in values.items() if name.startswith(_META)}
    for name, value in found.items():
        _check_text(name, value)
        if not re.fullmatch(r"[a-z0-9-]+", name.removeprefix(_META), re.ASCII):
            raise OssError(METADATA_NAME_INVALID, extras=[("ArgumentName", name)])
    if sum(len((name + value).encode()) for name, value in found.items()) > MAX_METADATA_BYTES:
        raise OssError(METADATA_TOO_LARGE)
    return found


def _check_text(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        # Bytes that are no UTF-8 can be kept, but neither listed nor called back.
        raise OssError(INVALID_ARGUMENT, extras=[("ArgumentName", name)]) from error


def _read_encryption(values: Mapping[str, str]) -> str:
    encryption = values.get("x-oss-server-side-encryption")
    if encryption == "KMS":
        raise OssError(KMS_NOT_ENABLED)
    if encryption not in (None, "AES256", "SM4"):
        raise OssError(ENCRYPTION_INVALID)
    return encryption or ""
