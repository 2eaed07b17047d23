"""Times as OSS and our JSON write them: in UTC, to the second."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import floor


def to_utc(moment: datetime) -> datetime:
    """Return an aware time in UTC, whatever zone it is given in.

    Raises:
        ValueError: The time has no zone; read as UTC it would be hours off without a sign of it.
    """
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise ValueError("a time without a zone; use datetime.now(UTC)")
    return moment.astimezone(UTC)


def format_seconds(moment: datetime) -> str:
    """Return an aware time as ``2026-01-02T03:04:05``, in UTC."""
    # Each grant writes three times, and many grants fall into one second.
    return _format_unix(floor(to_utc(moment).timestamp()))


@lru_cache(maxsize=256)
def _format_unix(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
