"""API keys: 256 random bits each, stored as their SHA-256.

A slow hash protects passwords that people choose; these keys are random, and cannot be searched.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

PREFIX = "ossgate_"
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One trusted backend; an operator's key may see every upload."""

    name: str
    hash: str
    operator: bool = False


def new_api_key() -> str:
    """Return a new key; it is shown once and never stored."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_api_key(key: str) -> str:
    """Return what is stored of a key, such as ``sha256:9f86d0…``."""
    return "sha256:" + sha256(key.encode()).hexdigest()


def is_key_hash(text: str) -> bool:
    """Tell whether text is what `hash_api_key` returns."""
    return _HASH.fullmatch(text) is not None


def is_key_name(text: str) -> bool:
    """Tell whether text can name a key: at most 64 letters, digits, ``_`` and ``-``."""
    return _NAME.fullmatch(text) is not None


def find_api_key(keys: Iterable[ApiKey], presented: str) -> ApiKey | None:
    """Return the key that was presented, or nothing."""
    # Halves of surrogate pairs cannot be encoded, and are in no key.
    hashed = hash_api_key(presented) if presented.isascii() else ""
    found = None
    # Each is compared, in constant time: how long it takes tells nothing about which one was near.
    for key in keys:
        if compare_digest(key.hash, hashed):
            found = key
    return found
