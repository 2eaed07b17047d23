"""Retry-After, in both its forms and in none."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.delivery.retry_after import parse_retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("Fri, 02 Jan 2026 03:05:05 GMT", 60),
        ("Fri, 02 Jan 2026 03:05:05 -0000", 60),
        ("Fri, 02 Jan 2026 02:00:00 GMT", 0),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("99999999999999999999", None),
        ("Fri, 99 Jan 2026 03:05:05 GMT", None),
    ],
)
def test_parse(value, seconds, now):
    """Seconds and dates are read; what is neither is as good as absent."""
    expected = None if seconds is None else timedelta(seconds=seconds)

    assert parse_retry_after(value, now=now) == expected


@given(value=st.text(max_size=60))
def test_parse_anything(value):
    """No text makes it fail."""
    from datetime import UTC, datetime

    found = parse_retry_after(value, now=datetime(2026, 1, 2, tzinfo=UTC))

    assert found is None or found >= timedelta(0)
