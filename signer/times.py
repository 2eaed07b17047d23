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
