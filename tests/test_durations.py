"""Lengths of time, as people write them."""

from datetime import timedelta

import pytest

from ossgate.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", timedelta(seconds=30)),
        ("15m", timedelta(minutes=15)),
        (" 12H ", timedelta(hours=12)),
        ("400d", timedelta(days=400)),
        ("8 w", timedelta(weeks=8)),
        ("0s", timedelta()),
    ],
)
def test_duration_is_a_number_and_a_unit(text, expected):
    """Seconds to weeks, in either case."""
    assert expected == parse_duration(text)


@pytest.mark.parametrize("text", ["", "15", "m", "-1d", "1.5h", "1y", "9999999d", "１5m x"])
def test_anything_else_is_refused(text):
    """A bare number could be anything; what cannot be read is told with the way to write it."""
    with pytest.raises(ValueError, match=r"length of time|century"):
        parse_duration(text)
