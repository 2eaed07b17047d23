"""What we know of a grant when it is issued; carried by the ticket and by the seal.

Both hold the same facts, so they are written once: a JSON array in UTF-8, its version in front. Positions are never reused.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple, get_args

import orjson

from signer.errors import SignerError

VERSION = 1
Variable = str | int | bool
Use = Literal["once", "prefix"]
Via = Literal["post", "put", "multipart", "sts"]
VIAS: tuple[Via, ...] = get_args(Via)
"""The ways in which bytes reach the bucket: a form, a presigned PUT, presigned parts, temporary credentials."""


class FactsMalformed(SignerError):
    """Bytes that are no facts of a version that we know."""

    code = "facts_malformed"


class Facts(NamedTuple):
    """What a grant promises, in the order in which it is written.

    ``once`` grants bind one exact object key, and ``upload_id`` names the ledger's row. ``prefix`` grants bind a key prefix,
    and ``upload_id`` names the grant. Sizes are bytes, both ends included; times are Unix seconds. ``keep_days`` is how long
    the object stays after its arrival, nothing for ever; ``content_md5`` is what its bytes must have, in Base64.
    """

    use: Use
    upload_id: str
    profile: str
    issuer: str
    subject: str
    bucket: str
    object_key: str
    size_min: int
    size_max: int
    content_type: str
    file_name: str
    variables: Mapping[str, Variable] = {}
    dialect: str = ""
    issued_at: int = 0
    expires_at: int = 0
    via: Via = "post"
    keep_days: int = 0
    content_md5: str = ""

    @property
    def promised_etag(self) -> str:
        """The ETag of an object that has the promised bytes and came in one piece: the same MD5 in hexadecimal."""
        return b64decode(self.content_md5).hex().upper()

    @property
    def issued(self) -> datetime:
        """When the grant was issued, as an aware UTC time."""
        return datetime.fromtimestamp(self.issued_at, UTC)

    @property
    def expires(self) -> datetime:
        """When the grant ends, as an aware UTC time."""
        return datetime.fromtimestamp(self.expires_at, UTC)


def encode_facts(facts: Facts) -> bytes:
    """Return facts as compact JSON."""
    # What most grants have is not written: they are read, and stay as short, as before there was anything else.
    if facts.content_md5:
        return orjson.dumps((VERSION, *facts))
    unwritten = 1 if facts.keep_days else 2 if facts.via != "post" else 3
    return orjson.dumps((VERSION, *facts[: len(facts) - unwritten]))


def parse_facts(encoded: bytes) -> Facts:
    """Return the facts that were encoded.

    Raises:
        FactsMalformed: No facts, or those of another version.
    """
    try:
        version, *values = orjson.loads(encoded)
        if type(version) is not int or version != VERSION:
            raise FactsMalformed("facts of another version", hint="was this grant issued by a newer ossgate?")
        facts = Facts(*values)
    except (ValueError, TypeError) as error:
        raise FactsMalformed("these bytes hold no facts of a grant") from error
    if facts.via not in VIAS:
        raise FactsMalformed("a grant of a way of upload that this version does not know")
    if type(facts.keep_days) is not int or not isinstance(facts.content_md5, str):
        raise FactsMalformed("a grant whose days or digest are of another type")
    return facts
