"""Ranges against a plain model of what OSS makes of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.emulator.byte_range import find_range
from ossgate.emulator.errors import OssError

sizes = st.integers(0, 30)
numbers = st.sampled_from(["", *map(str, range(33)), "9" * 18, "9" * 19, "-1", "²", " 1"])
headers = (
    st.builds("bytes={}-{}".format, numbers, numbers)
    | st.sampled_from(["", "bytes=", "bytes", "bytes=1", "lines=0-1", "bytes=0-1,3-4", "BYTES=0-1", "0-1"])
    | st.text(max_size=12)
)


def find_bytes(header: str, size: int) -> list[int] | None:
    """The model: the numbers of the bytes that are asked for; None when the range is none."""
    match = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", header.strip())
    if match is None or max(map(len, match.groups())) > 18:
        return None
    first, last = match.groups()
    if first:
        asked = [n for n in range(size) if n >= int(first) and (not last or n <= int(last))]
    else:
        asked = list(range(size))[-int(last) :] if last and int(last) else []
    return asked or None


@given(headers, sizes)
def test_same_bytes_as_the_model(header: str, size: int) -> None:
    """A range names the bytes that it says; one that is none names all."""
    start, end = find_range(header, size)
    expected = find_bytes(header, size)

    assert list(range(start, end)) == (list(range(size)) if expected is None else expected)


@given(headers, sizes)
def test_strictly(header: str, size: int) -> None:
    """By the standard a range outside the object is refused with the object's size; what is no range is passed over."""
    refused: OssError | None = None
    found = (0, 0)
    try:
        found = find_range(header, size, strict=True)
    except OssError as error:
        refused = error

    if refused is None:
        assert found == find_range(header, size)
    else:
        assert (416, "InvalidRange") == (refused.kind.status, refused.kind.code)
        assert (("Content-Range", f"bytes */{size}"),) == refused.headers
        assert find_bytes(header, size) is None


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        ("bytes=0-0", 1, (0, 1)),
        ("bytes=0-", 5, (0, 5)),
        ("bytes=-9", 5, (0, 5)),
        ("bytes=4-2", 5, (0, 5)),
        ("bytes=-0", 5, (0, 5)),
        ("bytes=-1", 0, (0, 0)),
    ],
)
def test_edges(header: str, size: int, expected: tuple[int, int]) -> None:
    """The edges, one by one."""
    assert expected == find_range(header, size)
