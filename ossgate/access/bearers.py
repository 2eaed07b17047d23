"""Bearers for the query, made for clients that cannot send headers.

Signed with the ticket keys for a purpose of their own, so that neither passes for the other. They live an hour at most, are good for one
profile and one person, and act in the name of who made them.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256

from itsdangerous import BadData, Signer

from ossgate.access.callers import API_KEY, BEARER, Caller
from ossgate.access.denied import credentials_refused

PURPOSE = b"ossgate.bearer.v1"
VERSION = 1
MAX_SECONDS = 3600
DEFAULT_SECONDS = 900
MAX_LENGTH = 2048
MAX_SUBJECT_BYTES = 128


class BearerKeys:
    """Makes and judges query bearers: the newest, last key signs, all verify."""

    def __init__(self, keys: Sequence[bytes], *, clock: Callable[[], float] = time.time) -> None:
        self._signer = Signer(list(keys), salt=PURPOSE, key_derivation="hmac", digest_method=sha256)
        self._clock = clock

    def issue_bearer(self, maker: str, subject: str, profile: str, *, seconds: int) -> tuple[str, int]:
        """Return a bearer and the Unix time of its end."""
        expires_at = int(self._clock()) + seconds
        payload = json.dumps(
            [VERSION, maker, subject, profile, expires_at], ensure_ascii=False, separators=(",", ":")
        )
        encoded = urlsafe_b64encode(payload.encode()).rstrip(b"=")
        return self._signer.sign(encoded).decode("ascii"), expires_at

    def identify(self, token: str, address: str, *, knows_key: Callable[[str], bool]) -> Caller:
        """Return for whom a bearer was made.

        Args:
            knows_key: Tells whether an API key of a name still stands; bearers end with the key that made them.

        Raises:
            AccessDenied: None of ours, past its end, or of a revoked key.
        """
        invalid = credentials_refused(
            "bearer_invalid", "this is no bearer of ours", "make one with `POST /v1/bearers`"
        )
        if len(token) > MAX_LENGTH or not token.isascii():
            raise invalid
        try:
            payload = self._signer.unsign(token)
            fields = json.loads(urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
        except (BadData, ValueError) as error:
            raise invalid from error
        if not isinstance(fields, list) or fields[:1] != [VERSION]:
            raise invalid
        _, maker, subject, profile, expires_at = fields
        if expires_at <= self._clock():
            raise credentials_refused("bearer_expired", "the bearer is past its end", "make a new one")
        way, _, name = maker.partition(":")
        if way == API_KEY and not knows_key(name):
            raise credentials_refused(
                "bearer_revoked", "the API key that made this bearer was revoked", "make one with another key"
            )
        return Caller(BEARER, subject, address, subject=subject, profile=profile, maker=maker)
