"""``Retry-After``: seconds or a date (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after); pure."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,9}")


def parse_retry_after(value: str | None, *, now: datetime) -> timedelta | None:
    """Return how long to wait, or nothing when the header is absent or cannot be read."""
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(aware - now, timedelta(0))
