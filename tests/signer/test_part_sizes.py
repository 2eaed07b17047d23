"""How files are cut: few parts, never more than OSS takes, each of a length that is known before it is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import PartNumberInvalid, PartSizeInvalid, TooManyParts
from signer.part_sizes import (
    CLIENT_SIZED,
    MIN_PART_SIZE,
    check_part_numbers,
    check_part_size,
    choose_part_size,
    count_parts,
    measure_part,
)
from signer.profiles import MAX_MULTIPART_SIZE, MAX_PARTS

MIB, GIB = 1024**2, 1024**3
SIZES = st.integers(0, MAX_MULTIPART_SIZE)


@pytest.mark.parametrize(
    ("size", "part_size", "count"),
    [
        (0, 2 * MIB, 1),
        (1, 2 * MIB, 1),
        (2 * MIB, 2 * MIB, 1),
        (2 * MIB + 1, 2 * MIB, 2),
        (60 * MIB, 2 * MIB, 30),
        (128 * MIB, 2 * MIB, 64),
        (128 * MIB + 1, 4 * MIB, 33),
        (256 * MIB, 4 * MIB, 64),
        (256 * MIB + 1, 8 * MIB, 33),
        (8000 * MIB, 8 * MIB, 1000),
        (8000 * MIB + 1, 16 * MIB, 501),
        (100 * GIB, 64 * MIB, 1600),
        (640_000 * MIB, 64 * MIB, 10_000),
        (640_000 * MIB + 1, 128 * MIB, 5001),
        (40_000 * GIB, 4 * GIB, 10_000),
        (40_000 * GIB + 1, 5 * GIB, 8001),
        (MAX_MULTIPART_SIZE, 5 * GIB, 10_000),
    ],
)
def test_part_size_grows_with_the_file(size: int, part_size: int, count: int) -> None:
    """2 MiB up to 128 MiB, 4 up to 256, 8 up to 8,000, 64 MiB up to 625 GiB, then what 10,000 parts demand; 5 GiB at the very end."""
    assert choose_part_size(size) == part_size
    assert count_parts(size, part_size) == count


@given(size=SIZES)
def test_chosen_size_always_fits(size: int) -> None:
    """Whatever the size: a power of two or 5 GiB, at most 10,000 parts, and the parts are the file."""
    part_size = choose_part_size(size)
    count = count_parts(size, part_size)

    assert part_size == 5 * GIB or part_size & (part_size - 1) == 0
    assert 1 <= count <= MAX_PARTS
    assert (count - 1) * part_size + measure_part(size, part_size, count) == size
    assert measure_part(size, part_size, count) > 0 or size == 0
    assert check_part_size(part_size, size) == part_size


@given(size=SIZES, part_size=st.integers(-(2**70), 2**70))
def test_size_of_a_clients_own_is_taken_or_refused(size: int, part_size: int) -> None:
    """What is taken can be sent."""
    try:
        check_part_size(part_size, size)
    except PartSizeInvalid:
        return
    assert MIN_PART_SIZE <= part_size <= 5 * GIB
    assert count_parts(size, part_size) <= MAX_PARTS


@pytest.mark.parametrize("numbers", [[1], [3], [1, 2, 3], [3, 1, 1], [1] * 100])
def test_numbers_of_the_upload_are_taken_in_their_order(numbers: list[object]) -> None:
    """From the first part to the last; one that is asked for twice is signed twice."""
    assert check_part_numbers(numbers, 3) == numbers


@pytest.mark.parametrize(
    "number",
    [0, -1, 4, 10_001, 2**100, True, None, 1.0, "1", [1], {"a": 1}],
    ids=lambda value: str(value)[:12],
)
def test_other_numbers_are_refused(number: object) -> None:
    """Zero, one above the last, and what is no whole number."""
    with pytest.raises(PartNumberInvalid) as refusal:
        check_part_numbers([1, number], 3)

    assert refusal.value.code == "part_number_invalid"
    assert "from 1 to 3" in refusal.value.hint


@pytest.mark.parametrize("numbers", [[], [1] * 101, [1] * 10_000])
def test_none_and_too_many_are_refused(numbers: list[object]) -> None:
    """A hundred at once are the most."""
    with pytest.raises(TooManyParts):
        check_part_numbers(numbers, 3)


def test_file_that_its_client_cuts_may_have_all_parts_of_oss():
    """Where neither size is told, every number that OSS knows is a part."""
    assert 10_000 == count_parts(5 * 1024**3, CLIENT_SIZED)
