"""Parts in the bucket, judged before they become an object."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from signer.errors import PartsMismatch, PartsMissing, PartsRefused, PartsSizeMismatch, PartTooSmall
from signer.facts import Facts
from signer.stored_parts import NamedPart, choose_parts

MIN = 100 * 1024


@dataclass(frozen=True)
class Part:
    part_number: int
    size: int
    etag: str = "AB"


PARTS = [Part(1, MIN), Part(2, MIN), Part(3, 7, "CD")]


@pytest.fixture
def facts(make_facts: Callable[..., Facts]) -> Facts:
    return make_facts(via="multipart", size_min=2 * MIN + 7, size_max=2 * MIN + 7)


def test_all_parts_make_the_object_when_none_is_named(facts: Facts) -> None:
    """The bucket knows its parts; the client needs no ETag."""
    assert choose_parts(PARTS, None, facts) == PARTS


def test_named_parts_are_found_in_the_order_of_their_numbers(facts: Facts) -> None:
    """However a client writes ETags, and in whatever order."""
    named = [NamedPart(3, "cd"), NamedPart(1, '"ab"'), NamedPart(2, '"AB"'), NamedPart(1, "AB")]

    assert choose_parts(PARTS, named, facts) == PARTS


def test_parts_that_are_not_named_are_left_out(facts: Facts) -> None:
    """A part too many in the bucket does no harm when the client knows better."""
    named = [NamedPart(part.part_number, part.etag) for part in PARTS]

    assert choose_parts([*PARTS, Part(4, MIN)], named, facts) == PARTS


@pytest.mark.parametrize(
    ("stored", "named", "error"),
    [
        ([], None, PartsMissing),
        (PARTS, [], PartsMissing),
        (PARTS, [NamedPart(4, "AB")], PartsMismatch),
        (PARTS, [NamedPart(1, "CD")], PartsMismatch),
        (PARTS[:2], None, PartsSizeMismatch),
        ([*PARTS, Part(4, 1)], None, PartTooSmall),
        ([PARTS[0], Part(2, MIN - 1), Part(3, 8)], None, PartTooSmall),
        ([*PARTS[:2], Part(3, 8)], None, PartsSizeMismatch),
        (PARTS, [NamedPart(1, "AB"), NamedPart(2, "AB")], PartsSizeMismatch),
    ],
)
def test_other_parts_are_refused(
    stored: list[Part], named: list[NamedPart] | None, error: type[PartsRefused], facts: Facts
) -> None:
    """None, one that is not there, one too small, or another size than was granted: by name, with the way out."""
    with pytest.raises(error) as refusal:
        choose_parts(stored, named, facts)

    assert refusal.value.hint


def test_size_within_a_granted_range_is_taken(make_facts: Callable[..., Facts]) -> None:
    """A grant of a range takes any size in it, both ends included."""
    facts = make_facts(size_min=1, size_max=MIN)

    assert choose_parts([Part(1, MIN)], None, facts)
    with pytest.raises(PartsSizeMismatch, match="granted were 1 to 102400"):
        choose_parts([Part(1, MIN + 1)], None, facts)
