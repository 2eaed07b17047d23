"""Prefix grants: for clients that choose their own names and use one permission for many files.

Such a client may write any key below ``key_prefix``, which ends in ``{grant_id}.{mac}/``. The mac proves, from nothing but an object's key, that we
issued this prefix, under this profile, in this bucket: also when the object carries no seal and no callback ever came.

The id of a grant proves, beside, for whom it was, to whoever names them: its last characters are made of issuer and subject. So a client that knows
nothing but an object's key may ask about it, and no other may.

Each object below a prefix is one upload. Its id is derived from grant and key, so that whoever meets the object first, a callback or reconciliation,
in whatever process, means the same row.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signer.base64_text import encode_base64url
from signer.errors import FileNameInvalid, SignerError, quote
from signer.facts import Facts
from signer.file_names import clean_file_name, truncate
from signer.texts import holds_hidden
from signer.ticket import MIN_KEY_BYTES, check_keys
from signer.upload_ids import format_bytes, format_number, read_milliseconds

PURPOSE = b"ossgate.prefix.v1"
MAC_BYTES = 16
OWNER_CHARACTERS = 8
"""Forty bits. Who would pass for the owner of a grant has to ask, once for each name that they can have, and asking is counted."""
_SEGMENT = re.compile(r"(?P<grant_id>[0-7][0-9A-HJKMNP-TV-Z]{25})\.(?P<mac>[A-Za-z0-9_-]{22})")


class PrefixForged(SignerError):
    """An object key below no prefix of ours."""

    code = "prefix_forged"


@dataclass(frozen=True, slots=True)
class PrefixProof:
    """What an object's key proves."""

    grant_id: str
    key_prefix: str
    upload_id: str

    @property
    def issued(self) -> datetime:
        """When the grant was issued, as an aware UTC time; its id tells."""
        return datetime.fromtimestamp(read_milliseconds(self.grant_id) / 1000, UTC)


class PrefixKeys:
    """Makes and verifies prefixes with a list of keys: the newest, last one makes, all verify.

    They are derived from the keys of seals, which are kept for as long as objects must prove what they are.
    """

    def __init__(self, keys: Sequence[bytes], *, at_least: int = MIN_KEY_BYTES) -> None:
        """Derive the keys.

        Raises:
            ConfigurationError: No key, or one that is too short.
        """
        check_keys(keys, "seal", at_least=at_least)
        self._keys = [HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(key) for key in keys]

    def build_prefix(self, base: str, grant_id: str, *, bucket: str, profile: str) -> str:
        """Return the prefix of a grant: the profile's own, then what proves the grant."""
        return f"{base}{grant_id}.{_mac(self._keys[-1], base + grant_id, bucket, profile)}/"

    def bind_owner(self, fresh_id: str, *, issuer: str, subject: str) -> str:
        """Return an id for a grant that proves for whom it is: a fresh one, its last characters replaced."""
        begin = fresh_id[:-OWNER_CHARACTERS]
        return begin + _mark_owner(self._keys[-1], begin, issuer, subject)

    def is_owner(self, grant_id: str, *, issuer: str, subject: str) -> bool:
        """Tell whether the grant of this id was made for them; by its id alone, so never of grants made before ids told it."""
        begin, mark = grant_id[:-OWNER_CHARACTERS], grant_id[-OWNER_CHARACTERS:]
        return any(hmac.compare_digest(mark, _mark_owner(key, begin, issuer, subject)) for key in self._keys)

    def verify(self, object_key: str, *, bucket: str, profile: str) -> PrefixProof:
        """Return what the key of an object proves.

        Raises:
            PrefixForged: It lies below no prefix that one of our keys made, is one itself, or holds control characters or dotted segments.
        """
        base = ""
        for segment in object_key.split("/")[:-1]:
            match = _SEGMENT.fullmatch(segment)
            # A subject may look like a proof; the first that is one counts, since below it all names are the client's.
            if match:
                for key in reversed(self._keys):
                    made = _mac(key, base + match["grant_id"], bucket, profile)
                    if hmac.compare_digest(made, match["mac"]):
                        return self._prove(key, object_key, match["grant_id"], f"{base}{segment}/", bucket)
            base += segment + "/"
        raise PrefixForged(f"{quote(object_key)} lies below no prefix of ours")

    def _prove(self, key: bytes, object_key: str, grant_id: str, key_prefix: str, bucket: str) -> PrefixProof:
        name = object_key.removeprefix(key_prefix)
        # HTTP clients fold dotted segments: the object's address would be that of a key outside the prefix.
        is_dotted = any(segment in (".", "..") for segment in name.split("/"))
        if not name or is_dotted or holds_hidden(object_key):
            raise PrefixForged(f"{quote(object_key)} is no name below its prefix")
        # By the key that made the prefix, so that another key, added later, changes no id.
        digest = hmac.digest(key, _encode("upload", bucket, object_key), "sha256")
        number = read_milliseconds(grant_id) << 80 | int.from_bytes(digest[:10])
        return PrefixProof(grant_id, key_prefix, format_number(number))


def describe_object(grant: Facts, proof: PrefixProof, *, object_key: str, content_type: str) -> Facts:
    """Return the facts of one object that arrived below a prefix, as those of an upload of its own."""
    name = object_key.removeprefix(proof.key_prefix)
    try:
        file_name = clean_file_name(truncate(name.rpartition("/")[2] or name, 255))
    except FileNameInvalid:
        file_name = "file"
    return grant._replace(
        use="once",
        upload_id=proof.upload_id,
        object_key=object_key,
        content_type=content_type,
        file_name=file_name,
    )


def _mac(key: bytes, proved: str, bucket: str, profile: str) -> str:
    digest = hmac.digest(key, _encode("prefix", profile, bucket, proved), "sha256")
    return encode_base64url(digest[:MAC_BYTES])


def _mark_owner(key: bytes, begin: str, issuer: str, subject: str) -> str:
    return format_bytes(
        hmac.digest(key, _encode("owner", begin, issuer, subject), "sha256")[:OWNER_CHARACTERS]
    )


def _encode(*texts: str) -> bytes:
    # As JSON, in which no text can pass for the border between two.
    return orjson.dumps(texts)
