"""Checksums: the digest that a client promises of a file.

Rules: *PutObject*, https://help.aliyun.com/zh/oss/developer-reference/putobject: ``Content-MD5`` is the Base64 of the 16 bytes, which OSS compares
with what arrives (400 InvalidDigest), and the ETag of an object that came in one piece is the same MD5 in hexadecimal. *PostObject* knows no such
field of the form: its header ``Content-MD5`` is that of the whole body, boundaries and all. An object made of parts has an ETag that is no MD5 of it.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from signer.errors import ChecksumInvalid, quote

MD5_BYTES = 16
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{32}")
_HINT = 'send {"md5": …}: the Base64 of the 16 bytes, 24 characters, as in the header Content-MD5'


def parse_checksum(checksum: object) -> str:
    """Return the Base64 of the MD5 that a request promises, or nothing when it promises none.

    Args:
        checksum: What stands in the request: an object with one field, ``md5``.

    Raises:
        ChecksumInvalid: Of another form; answered with 422.
    """
    if checksum is None:
        return ""
    if not isinstance(checksum, Mapping):
        raise ChecksumInvalid("the field checksum is not a JSON object", hint=_HINT)
    fields: Mapping[str, Any] = checksum
    if set(fields) != {"md5"}:
        raise ChecksumInvalid("the field checksum has other fields than md5", hint=_HINT)
    written = fields["md5"]
    if not isinstance(written, str) or not _is_digest(written):
        what = (
            "is in hexadecimal" if isinstance(written, str) and _HEXADECIMAL.fullmatch(written) else "is none"
        )
        raise ChecksumInvalid(f"the MD5 {quote(written)} {what}", hint=_HINT)
    return written


def _is_digest(written: str) -> bool:
    try:
        digest = b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return False
    # Base64 can be written in several ways; OSS and we compare text.
    return len(digest) == MD5_BYTES and binascii.b2a_base64(digest, newline=False).decode() == written
