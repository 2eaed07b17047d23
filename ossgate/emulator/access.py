"""What callers without a signature may do: the ACL of the bucket, overruled by the object's own.

Source: "Bucket ACL" and "Object ACL", https://help.aliyun.com/zh/oss/user-guide/bucket-acl
"""

from ossgate.emulator.buckets import Bucket
from ossgate.emulator.errors import ANONYMOUS_DENIED, BUCKET_ACL_DENIED, OssError
from ossgate.emulator.store import ObjectStore

_READS = frozenset({"GetObject", "HeadObject", "GetObjectMeta"})
_WRITES = frozenset(
    """
    PutObject AppendObject DeleteObject InitiateMultipartUpload UploadPart CompleteMultipartUpload
    AbortMultipartUpload
    """.split()  # noqa: SIM905
)


def is_open_to_all(operation: str, bucket: Bucket | None, object_key: str, store: ObjectStore) -> bool:
    """Tell whether an ACL lets everybody do this."""
    try:
        check_anonymous(operation, bucket, object_key, store)
    except OssError:
        return False
    return True


def check_anonymous(operation: str, bucket: Bucket | None, object_key: str, store: ObjectStore) -> None:
    """Let an unsigned request pass where everybody may, refuse it elsewhere.

    Args:
        bucket: None for requests to the service itself.

    Raises:
        OssError: The operation needs a signature.
    """
    if bucket is None or operation not in _READS | _WRITES:
        raise OssError(ANONYMOUS_DENIED)
    metadata = store.find(bucket.name, object_key)
    # Whether a missing object may be told of is the bucket's matter.
    acl = bucket.acl if metadata is None or metadata.acl == "default" else metadata.acl
    allowed = ("public-read", "public-read-write") if operation in _READS else ("public-read-write",)
    if acl not in allowed:
        raise OssError(BUCKET_ACL_DENIED)
