"""The source of a copy: which object, and whether it is as the request expects it.

Sources: https://help.aliyun.com/zh/oss/developer-reference/copyobject ,
https://help.aliyun.com/zh/oss/developer-reference/uploadpartcopy
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.conditions import read_conditions
from ossgate.emulator.errors import NO_SUCH_KEY, ErrorKind, OssError
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.object_read import check_version
from ossgate.emulator.requests import Request, check_object_key, decode_path, decode_query

NOT_MODIFIED = ErrorKind(304, "NotModified", "The source has not been modified.")


@contextmanager
def open_source(
    request: Request, buckets: BucketRegistry, *, malformed: ErrorKind
) -> Iterator[tuple[ObjectMetadata, BinaryIO]]:
    """Open the object that `x-oss-copy-source` names, for a `with` block.

    Args:
        malformed: What to raise when the header names none.

    Raises:
        OssError: There is no such object, or a condition on it does not hold.
    """
    bucket, object_key, version = _parse(request.header("x-oss-copy-source"), malformed)
    buckets.require(bucket)
    opened = buckets.store.open_object(bucket, object_key)
    if opened is None:
        raise OssError(NO_SUCH_KEY, extras=[("Key", object_key)])
    metadata, file = opened
    with file:
        check_version(version, metadata)
        if read_conditions(request, "x-oss-copy-source-").is_unmodified(metadata):
            raise OssError(NOT_MODIFIED)
        yield metadata, file


def _parse(header: str, malformed: ErrorKind) -> tuple[str, str, str | None]:
    """Read `/bucket/key`, percent-encoded, a version behind a question mark."""
    path, _, query = header.strip().partition("?")
    bucket, slash, object_key = decode_path(path).removeprefix("/").partition("/")
    if not path.startswith(("/", "%2F", "%2f")) or not slash or not bucket or not object_key:
        raise OssError(malformed, extras=[("ArgumentName", "x-oss-copy-source"), ("ArgumentValue", header)])
    check_object_key(object_key)
    return bucket, object_key, dict(decode_query(query)).get("versionId")
