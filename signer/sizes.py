"""Sizes as people write them: ``20MB``, ``1GiB``, ``512``."""

from __future__ import annotations

import re
from fractions import Fraction

from signer.errors import ConfigurationError, quote

_SIZE = re.compile(r"\s*([0-9]{1,18}(?:\.[0-9]{1,6})?)\s*(?:([KMGT])i?)?B?\s*", re.IGNORECASE)
_FACTORS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def parse_size(written: str | int) -> int:
    """Return a size in bytes; KB and KiB are both 1,024 bytes, as upload limits are usually meant.

    Raises:
        ConfigurationError: Not a size.
    """
    if isinstance(written, int) and not isinstance(written, bool) and written >= 0:
        return written
    match = _SIZE.fullmatch(written) if isinstance(written, str) else None
    if not match:
        raise ConfigurationError(
            f"{quote(written)} is no size", hint='write bytes, or a number with KB, MB or GB: "20MB"'
        )
    return int(Fraction(match.group(1)) * _FACTORS[(match.group(2) or "").upper()])


def format_size(size: int) -> str:
    """Return a size for a message, such as ``20 MB``."""
    value, unit = float(size), "bytes"
    for larger in ("KB", "MB", "GB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.1f}".removesuffix(".0") + " " + unit
