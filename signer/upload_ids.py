"""Upload ids: 26 characters, sortable by time, with 80 random bits.

The layout is that of ULID (https://github.com/ulid/spec): 48 bits of milliseconds, 80 random bits, Crockford's base 32.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Two characters, ten bits, at a time.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -10, -10)
_PATTERN = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_upload_id(now: datetime, *, random_bits: Callable[[int], int] = secrets.randbits) -> str:
    """Return a new id; whoever holds it may see an anonymous upload, so it cannot be guessed."""
    return format_number(int(now.timestamp() * 1000) << 80 | random_bits(80))


def format_number(number: int) -> str:
    """Return 128 bits as an id: 48 of milliseconds, 80 others."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def read_milliseconds(upload_id: str) -> int:
    """Return the milliseconds since the epoch that an id begins with."""
    number = 0
    for character in upload_id[:10]:
        number = number << 5 | _ALPHABET.index(character)
    return number


def is_upload_id(text: str) -> bool:
    """Tell whether text has the form of an upload id."""
    return _PATTERN.fullmatch(text) is not None
