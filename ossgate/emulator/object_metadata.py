"""What is known of an object beside its bytes; kept as JSON."""

import hashlib
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from anycrc import Model

NORMAL = "Normal"
MULTIPART = "Multipart"
APPENDABLE = "Appendable"
# CRC-64/XZ is what OSS calls crc64ecma.
_CRC64 = Model("CRC64-XZ")


@dataclass(frozen=True, slots=True)
class ObjectMetadata:
    """One object's facts.

    Args:
        etag: Without quotes; for plain objects the MD5 of the bytes in upper-case hex.
        content_md5: MD5 of the bytes in base64; empty when the object is made of several pieces.
        crc64: CRC-64/XZ as a decimal number.
        modified: Seconds since the epoch.
        http_headers: Cache-Control and its like, answered as they were given.
        user_metadata: `x-oss-meta-*` by full lower-case name.
        acl: "default" means the bucket's.
        version_id: Empty outside versioned buckets.
    """

    bucket: str
    object_key: str
    size: int
    etag: str
    content_md5: str
    crc64: str
    content_type: str
    modified: float
    http_headers: dict[str, str] = field(default_factory=dict)
    user_metadata: dict[str, str] = field(default_factory=dict)
    acl: str = "default"
    storage_class: str = "Standard"
    object_type: str = NORMAL
    encryption: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    version_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """Make what is written to disk."""
        return asdict(self)

    def extend(self, piece: "ObjectMetadata") -> "ObjectMetadata":
        """Tell the facts after a further piece has been appended."""
        return replace(
            self,
            size=self.size + piece.size,
            etag=chain_etag(self.etag, piece.etag),
            crc64=combine_crc64(self.crc64, piece.crc64, piece.size),
            modified=piece.modified,
        )


def combine_crc64(first: str, second: str, second_size: int) -> str:
    """Tell the CRC of two pieces in a row from theirs."""
    return str(_CRC64.combine(int(first), int(second), second_size)) if second_size else first


def chain_etag(previous: str, piece: str) -> str:
    """Make the ETag of an appendable object.

    The documentation's samples end in eight zeros and are no MD5 of the bytes; how OSS makes them is not told.
    """
    digest = hashlib.md5((previous + piece).encode(), usedforsecurity=False).hexdigest()
    return digest[:24].upper() + "00000000"
