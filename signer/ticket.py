"""The ticket: our signed proof of a grant, carried through OSS back to us.

It travels as a constant inside the callback body, which the policy pins. The client can read it and any OSS tenant can make OSS send it
to us with other claims beside it, so it proves the grant and nothing about what arrived.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from itsdangerous import BadSignature, Signer, want_bytes
from itsdangerous.signer import SigningAlgorithm

from signer.base64_text import decode_base64url, encode_base64url
from signer.errors import ConfigurationError, TicketForged, TicketMalformed, quote
from signer.facts import Facts, FactsMalformed, encode_facts, parse_facts

PURPOSE = b"ossgate.ticket.v1"
MIN_KEY_BYTES = 32
MAX_TICKET_LENGTH = 5120
"""Longer than any ticket that fits a callback; refused before any work is done on it."""
# Payload, dot, 32 bytes of signature. Base64 readers pass over foreign characters and over the two bits that the last one has
# too many, so without this a ticket could be written in several ways.
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")


def measure_ticket(facts_bytes: int) -> int:
    """Return how many characters the ticket of so many bytes of facts has: Base64, a dot and the signature."""
    return -(-facts_bytes * 4 // 3) + 44


def check_keys(keys: Sequence[bytes], purpose: str, *, at_least: int = MIN_KEY_BYTES) -> None:
    """Refuse an empty key list and keys below 32 bytes.

    Raises:
        ConfigurationError: With the way to make a key.
    """
    if not keys:
        raise ConfigurationError(f"no {purpose} key is set", hint="make one with `ossgate keys new`")
    for position, key in enumerate(keys, start=1):
        if len(key) < at_least:
            raise ConfigurationError(
                f"{purpose} key number {position} has {len(key)} bytes, which is below {at_least}",
                hint="make one with `ossgate keys new`",
            )


class _HmacSha256(SigningAlgorithm):
    """The library's HMAC-SHA256 in one call."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha256")


class _QuickSigner(Signer):
    """The library's signer, which keeps the keys that it derives: they are the same for every ticket."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._derived = {key: super(_QuickSigner, self).derive_key(key) for key in self.secret_keys}
        self._newest = self._derived[self.secret_keys[-1]]

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        return self._newest if secret_key is None else self._derived[want_bytes(secret_key)]


class TicketKeys:
    """Signs and verifies tickets with a list of keys: the newest, last one signs, all verify."""

    def __init__(self, keys: Sequence[bytes], *, at_least: int = MIN_KEY_BYTES) -> None:
        """Keep the keys.

        Raises:
            ConfigurationError: No key, or one that is too short.
        """
        check_keys(keys, "ticket", at_least=at_least)
        # A plain Signer, since the expiry is one of the facts: the library's own time stamp would say it twice.
        # Its key derivation mixes the purpose in; "none" would ignore it, and a seal's key could sign tickets.
        self._signer = _QuickSigner(
            list(keys), salt=PURPOSE, key_derivation="hmac", digest_method=sha256, algorithm=_HmacSha256()
        )

    def issue_ticket(self, facts: Facts) -> str:
        """Return the ticket of a grant: text of the URL-safe Base64 alphabet and one dot."""
        return self.sign(encode_facts(facts))

    def sign(self, encoded_facts: bytes) -> str:
        """Return the ticket of facts that were encoded before."""
        return self._signer.sign(encode_base64url(encoded_facts)).decode("ascii")

    def verify_ticket(self, ticket: str) -> Facts:
        """Return the facts that a ticket proves. Its expiry is not judged here.

        Raises:
            TicketMalformed: The text cannot be a ticket; answered with 403.
            TicketForged: None of our keys signed it; answered with 403.
        """
        if len(ticket) > MAX_TICKET_LENGTH or not _FORM.fullmatch(ticket):
            raise TicketMalformed(
                "the callback carries no ticket of ours", hint="was it issued by this ossgate?"
            )
        try:
            payload = self._signer.unsign(ticket)
        except BadSignature as error:
            raise TicketForged(
                f"none of our keys signed the ticket {quote(ticket, 24)}",
                hint="was the key that signed it removed from [keys] ticket?",
            ) from error
        try:
            return parse_facts(decode_base64url(payload.decode("ascii")))
        except (ValueError, FactsMalformed) as error:
            raise TicketMalformed("a ticket of ours holds no facts that this version knows") from error
