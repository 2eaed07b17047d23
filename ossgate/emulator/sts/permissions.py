"""Which permissions an operation needs: OSS's table of actions.

Sources: "RAM policy overview", https://www.alibabacloud.com/help/en/oss/user-guide/ram-policy-overview ,
and the permission section of each operation's page; EC 0003-00000905 tells that tags given with an upload need
their own permission.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Target = Literal["service", "bucket", "object", "source"]


@dataclass(frozen=True, slots=True)
class Permission:
    """One action on one kind of resource.

    Args:
        only_with: Needed only when the request gives an ACL, or tags, of its own.
    """

    action: str
    target: Target
    only_with: Literal["acl", "tagging"] | None = None


def _on(target: Target, *names: str) -> tuple[Permission, ...]:
    return tuple(Permission(f"oss:{name}", target) for name in names)


_ACL = Permission("oss:PutObjectAcl", "object", "acl")
_TAGGING = Permission("oss:PutObjectTagging", "object", "tagging")
_WRITE = (*_on("object", "PutObject"), _ACL, _TAGGING)
_READ_SOURCE = _on("source", "GetObject")

OPERATIONS: Mapping[str, tuple[Permission, ...]] = {
    # Objects.
    "PutObject": _WRITE,
    "PostObject": _WRITE,
    "AppendObject": _WRITE,
    "CopyObject": (*_READ_SOURCE, *_WRITE),
    "GetObject": _on("object", "GetObject"),
    "HeadObject": _on("object", "GetObject"),
    "GetObjectMeta": _on("object", "GetObject"),
    "DeleteObject": _on("object", "DeleteObject"),
    # Asked once for each key; one denied key refuses the whole request.
    "DeleteMultipleObjects": _on("object", "DeleteObject"),
    "PutObjectAcl": _on("object", "PutObjectAcl"),
    "GetObjectAcl": _on("object", "GetObjectAcl"),
    "PutObjectTagging": _on("object", "PutObjectTagging"),
    "GetObjectTagging": _on("object", "GetObjectTagging"),
    "DeleteObjectTagging": _on("object", "DeleteObjectTagging"),
    "PutSymlink": _WRITE,
    "GetSymlink": _on("object", "GetObject"),
    "RestoreObject": _on("object", "RestoreObject"),
    # Multipart uploads.
    "InitiateMultipartUpload": _WRITE,
    "UploadPart": _on("object", "PutObject"),
    "UploadPartCopy": (*_READ_SOURCE, *_on("object", "PutObject")),
    "CompleteMultipartUpload": (*_on("object", "PutObject"), _ACL),
    "AbortMultipartUpload": _on("object", "AbortMultipartUpload"),
    "ListParts": _on("object", "ListParts"),
    "ListMultipartUploads": _on("bucket", "ListMultipartUploads"),
    # Buckets.
    "ListBuckets": _on("service", "ListBuckets"),
    "PutBucket": (*_on("bucket", "PutBucket"), Permission("oss:PutBucketAcl", "bucket", "acl")),
    "DeleteBucket": _on("bucket", "DeleteBucket"),
    "ListObjects": _on("bucket", "ListObjects"),
    "ListObjectsV2": _on("bucket", "ListObjects"),
    "ListObjectVersions": _on("bucket", "ListObjectVersions"),
    "GetBucketInfo": _on("bucket", "GetBucketInfo"),
    "GetBucketStat": _on("bucket", "GetBucketStat"),
    "GetBucketVersioning": _on("bucket", "GetBucketVersioning"),
    "PutBucketVersioning": _on("bucket", "PutBucketVersioning"),
    "GetBucketOverwriteConfig": _on("bucket", "GetBucketOverwriteConfig"),
    "PutBucketOverwriteConfig": _on("bucket", "PutBucketOverwriteConfig"),
    "DeleteBucketOverwriteConfig": _on("bucket", "DeleteBucketOverwriteConfig"),
    "GetBucketLocation": _on("bucket", "GetBucketLocation"),
    "PutBucketAcl": _on("bucket", "PutBucketAcl"),
    "GetBucketAcl": _on("bucket", "GetBucketAcl"),
    "PutBucketCors": _on("bucket", "PutBucketCors"),
    "GetBucketCors": _on("bucket", "GetBucketCors"),
    "DeleteBucketCors": _on("bucket", "DeleteBucketCors"),
}
LISTINGS = frozenset({"ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads"})
