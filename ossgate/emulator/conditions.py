"""Conditions on an object's ETag and time, of reads and of copies' sources.

Sources: https://help.aliyun.com/zh/oss/developer-reference/getobject ,
https://help.aliyun.com/zh/oss/developer-reference/copyobject
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from ossgate.emulator.auth_v1 import parse_http_date
from ossgate.emulator.errors import PRECONDITION_FAILED, OssError
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.requests import Request


@dataclass(frozen=True, slots=True)
class Conditions:
    """The four headers, of whatever prefix."""

    if_match: str
    if_none_match: str
    if_modified_since: datetime | None
    if_unmodified_since: datetime | None

    def is_unmodified(self, metadata: ObjectMetadata) -> bool:
        """Judge an object: true answers 304.

        Raises:
            OssError: If-Match or If-Unmodified-Since does not hold.
        """
        modified = datetime.fromtimestamp(int(metadata.modified), UTC)
        if self.if_match and not _etag_matches(self.if_match, metadata.etag):
            raise OssError(PRECONDITION_FAILED, extras=[("Condition", "If-Match")])
        if self.if_unmodified_since is not None and modified > self.if_unmodified_since:
            raise OssError(PRECONDITION_FAILED, extras=[("Condition", "If-Unmodified-Since")])
        if self.if_none_match:
            return _etag_matches(self.if_none_match, metadata.etag)
        return self.if_modified_since is not None and modified <= self.if_modified_since


def read_conditions(request: Request, prefix: str = "") -> Conditions:
    """Read the headers that begin with a prefix."""
    return Conditions(
        request.header(f"{prefix}if-match"),
        request.header(f"{prefix}if-none-match"),
        _read_date(request, f"{prefix}if-modified-since"),
        _read_date(request, f"{prefix}if-unmodified-since"),
    )


def _read_date(request: Request, header: str) -> datetime | None:
    try:
        return parse_http_date(request.header(header))
    except OssError:
        # A condition that cannot be read is none.
        return None


def _etag_matches(header: str, etag: str) -> bool:
    return any(item.strip().removeprefix("W/").strip('"') in (etag, "*") for item in header.split(","))
