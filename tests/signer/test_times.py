"""Times of any zone, written in UTC."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from signer.grants import format_time
from signer.policy import format_expiration
from signer.times import to_utc
from signer.v4 import format_date

SHANGHAI = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("write", "written"),
    [
        (format_date, "20260101T190405Z"),
        (format_expiration, "2026-01-01T19:04:05.000Z"),
        (format_time, "2026-01-01T19:04:05Z"),
    ],
)
def test_time_of_another_zone_is_written_in_utc(write: Any, written: str) -> None:
    """Three in the morning in Shanghai is the evening before in every text that we write."""
    assert write(datetime(2026, 1, 2, 3, 4, 5, tzinfo=SHANGHAI)) == written
    assert write(datetime(2026, 1, 1, 19, 4, 5, 999999, tzinfo=UTC)) == written


@pytest.mark.parametrize("write", [format_date, format_expiration, format_time, to_utc])
def test_time_without_zone_is_refused(write: Any) -> None:
    """A naive time would be read as UTC and be hours off, so it is a mistake of the caller."""
    with pytest.raises(ValueError, match="zone"):
        write(datetime(2026, 1, 2))  # noqa: DTZ001


def test_grant_of_another_zone_is_the_same_grant(make_grant: Callable[..., Any], now: datetime) -> None:
    """The zone of the caller's clock changes neither signature nor object key."""
    there = make_grant(now=now.astimezone(SHANGHAI))
    here = make_grant(now=now)
    varying = {"x-oss-meta-ossgate-seal", "policy", "x-oss-signature"}

    assert there.facts == here.facts
    assert {name: there.fields[name] for name in there.fields if name not in varying} == {
        name: here.fields[name] for name in here.fields if name not in varying
    }
