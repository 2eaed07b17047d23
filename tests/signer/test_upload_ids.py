"""Upload ids: sortable by time, not to be guessed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.upload_ids import format_number, is_upload_id, new_upload_id

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
RANDOM = st.binary(min_size=16, max_size=16)


def decode(upload_id: str) -> int:
    number = 0
    for character in upload_id:
        number = number << 5 | ALPHABET.index(character)
    return number


def test_id_has_the_layout_of_ulid() -> None:
    """The time part of the ULID specification's example comes out, and the random bits stand behind it."""
    moment = datetime.fromtimestamp(1469918176.385, UTC)
    zeros = new_upload_id(moment, random_bytes=bytes)
    ones = new_upload_id(moment, random_bytes=lambda count: b"\xff" * count)

    assert zeros == "01ARYZ6S41" + "0" * 16
    assert ones == "01ARYZ6S41" + "Z" * 16


@given(moment=MOMENTS, given_bytes=RANDOM)
def test_time_and_random_bits_are_all_in_the_id(moment: datetime, given_bytes: bytes) -> None:
    """80 random bits, five of each byte and none of them lost, behind the milliseconds."""
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return given_bytes

    upload_id = new_upload_id(moment, random_bytes=random_bytes)

    assert asked == [16]
    assert [ALPHABET.index(character) for character in upload_id[10:]] == [byte & 31 for byte in given_bytes]
    assert abs((decode(upload_id) >> 80) - moment.timestamp() * 1000) <= 1


@given(number=st.integers(0, 2**128 - 1))
def test_number_is_written_as_an_id(number: int) -> None:
    """All 128 bits, none of them lost."""
    assert decode(format_number(number)) == number


@given(moment=MOMENTS, later=st.integers(1, 10**9), first=RANDOM, second=RANDOM)
def test_ids_sort_by_time(moment: datetime, later: int, first: bytes, second: bytes) -> None:
    """A text comparison puts the earlier id first, whatever their random bits, from two milliseconds apart on."""
    then = min(moment, datetime(9999, 1, 1, tzinfo=UTC)) + timedelta(milliseconds=later + 1)
    moment = min(moment, datetime(9999, 1, 1, tzinfo=UTC))

    assert new_upload_id(moment, random_bytes=lambda _: first) < new_upload_id(
        then, random_bytes=lambda _: second
    )


def test_ids_of_one_moment_differ(now: datetime) -> None:
    """Ten thousand ids of the same millisecond are all different, and each random character takes every value."""
    ids = {new_upload_id(now) for _ in range(10_000)}

    assert len(ids) == 10_000
    assert len({upload_id[:10] for upload_id in ids}) == 1
    for position in range(10, 26):
        assert {upload_id[position] for upload_id in ids} == set(ALPHABET)


@given(moment=MOMENTS)
def test_new_id_is_an_id(moment: datetime) -> None:
    """What is made is recognised."""
    assert is_upload_id(new_upload_id(moment))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 25,
        "0" * 27,
        "8" + "0" * 25,
        "0" * 25 + "I",
        "0" * 25 + "L",
        "0" * 25 + "O",
        "0" * 25 + "U",
        "0" * 25 + "a",
        "0" * 26 + "\n",
        "０" * 26,
        "../" + "0" * 23,
        "0" * 10_000,
    ],
    ids=lambda text: ascii(text[-8:]) + str(len(text)),
)
def test_other_text_is_no_id(text: str) -> None:
    """Wrong length, letters outside the alphabet, lower case, a time past 48 bits."""
    assert not is_upload_id(text)


@given(text=st.text())
def test_any_text_is_judged(text: str) -> None:
    """Generated text is never taken for an id, and never raises."""
    assert not is_upload_id(text)
