"""Sizes as people write them."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import ConfigurationError
from signer.sizes import format_size, parse_size


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (0, 0),
        (512, 512),
        ("512", 512),
        ("512B", 512),
        ("1KB", 1024),
        ("1KiB", 1024),
        ("20MB", 20 * 1024**2),
        ("20 mb", 20 * 1024**2),
        (" 1.5G ", 1536 * 1024**2),
        ("5GB", 5 * 1024**3),
        ("1T", 1024**4),
        ("0.1KB", 102),
        ("9007199254740993", 9007199254740993),
        ("999999999999999999", 999999999999999999),
    ],
)
def test_size_is_read(written: str | int, size: int) -> None:
    """Bytes as a number, or with a unit of 1,024; large ones are exact."""
    assert parse_size(written) == size


TEXTS = [
    "",
    " ",
    "MB",
    "-1",
    "-1MB",
    "1,5MB",
    "1.MB",
    ".5MB",
    "1e3",
    "1 M B",
    "1PB",
    "1iB",
    "inf",
    "nan",
    "0x10",
]
TOO_LONG = ["9" * 400, "1" + "0" * 19, "1." + "0" * 7]
OTHERS = [-1, -(10**5000), True, False, 1.5, None, b"1MB", ["1MB"]]


@pytest.mark.parametrize(
    "written", [*TEXTS, "２０MB", *TOO_LONG, *OTHERS], ids=lambda written: type(written).__name__
)
def test_other_text_is_no_size(written: Any) -> None:
    """Anything else is refused with an example, never read as something near."""
    with pytest.raises(ConfigurationError) as refusal:
        parse_size(written)

    assert "20MB" in refusal.value.hint


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KB"),
        (1536, "1.5 KB"),
        (20 * 1024**2, "20 MB"),
        (5 * 1024**3, "5 GB"),
        (5 * 1024**4, "5120 GB"),
    ],
)
def test_size_is_written_for_people(size: int, written: str) -> None:
    """One decimal place, none when it is zero."""
    assert format_size(size) == written


@given(size=st.integers(0, 10**18 - 1))
def test_bytes_are_read_back(size: int) -> None:
    """A plain number is the same as number and as text."""
    assert parse_size(size) == parse_size(str(size)) == size


@given(written=st.text() | st.from_regex(r"[0-9.]{0,6} ?[KMGTkmgt]?i?B?", fullmatch=True))
def test_any_text_is_a_size_or_refused(written: str) -> None:
    """Generated text only ends in our error, or in bytes."""
    with contextlib.suppress(ConfigurationError):
        assert parse_size(written) >= 0
