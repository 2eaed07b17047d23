"""Upload ids: 26 characters, sortable by time, with 80 random bits.

The layout is that of ULID (https://github.com/ulid/spec): 48 bits of milliseconds, 80 random bits, Crockford's base 32.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Two characters, ten bits, at a time.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
# One character for each byte; 256 is a multiple of 32, so that each is as likely as any other.
_CHARACTERS = (_ALPHABET * 8).encode("ascii")
_PATTERN = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_upload_id(now: datetime, *, random_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """Return a new id; whoever holds it may see an anonymous upload, so it cannot be guessed.

    Args:
        random_bytes: Asked for sixteen, of each of which five bits count.
    """
    return _format_milliseconds(int(now.timestamp() * 1000)) + format_bytes(random_bytes(16))


def format_bytes(data: bytes) -> str:
    """Return a character of an id for each byte, of which five bits count."""
    return data.translate(_CHARACTERS).decode("ascii")


def format_number(number: int) -> str:
    """Return 128 bits as an id: 48 of milliseconds, 80 others."""
    others = "".join([_PAIRS[number >> shift & 1023] for shift in range(70, -10, -10)])
    return _format_milliseconds(number >> 80) + others


def _format_milliseconds(time: int) -> str:
    return (
        _PAIRS[time >> 40]
        + _PAIRS[time >> 30 & 1023]
        + _PAIRS[time >> 20 & 1023]
        + _PAIRS[time >> 10 & 1023]
        + _PAIRS[time & 1023]
    )


def read_milliseconds(upload_id: str) -> int:
    """Return the milliseconds since the epoch that an id begins with."""
    number = 0
    for character in upload_id[:10]:
        number = number << 5 | _ALPHABET.index(character)
    return number


def is_upload_id(text: str) -> bool:
    """Tell whether text has the form of an upload id."""
    return _PATTERN.fullmatch(text) is not None
