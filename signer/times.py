"""Times as OSS and our JSON write them: in UTC, to the second."""

from __future__ import annotations

from datetime import UTC, datetime


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
    # Several times quicker than formatting each part, and each grant writes three times.
    return to_utc(moment).isoformat()[:19]
