"""API keys: 256 random bits each, stored as their SHA-256.

A slow hash protects passwords that people choose; these keys are random, and cannot be searched.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256

PREFIX = "ossgate_"
_HASH = re.compile(r"sha256:[0-9a-f]{64}")


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
