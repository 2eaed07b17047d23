"""Lengths of time as people write them: ``30s``, ``15m``, ``12h``, ``400d``."""

from __future__ import annotations

import re
from datetime import timedelta

_WRITTEN = re.compile(r"(\d{1,7})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(text: str) -> timedelta:
    """Return a length of time.

    Raises:
        ValueError: Not a whole number and a unit, or longer than a century.
    """
    found = _WRITTEN.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"{text[:32]!r} is no length of time: write it as 30s, 15m, 12h, 400d or 8w")
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if length > timedelta(days=36500):
        raise ValueError(f"{text[:32]!r} is longer than a century")
    return length
