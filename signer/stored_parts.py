"""What the bucket holds of a multipart upload, judged before it becomes an object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from signer.errors import PartsMismatch, PartsMissing, PartsSizeMismatch, PartTooSmall, quote
from signer.facts import Facts
from signer.part_sizes import MIN_PART_SIZE


class StoredPart(Protocol):
    """One part in the bucket; the ETag without quotes, in upper case."""

    @property
    def part_number(self) -> int: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def etag(self) -> str: ...  # noqa: D102


Part = TypeVar("Part", bound=StoredPart)


@dataclass(frozen=True, slots=True)
class NamedPart:
    """A part as a client names it."""

    part_number: int
    etag: str


def choose_parts(stored: Sequence[Part], named: Iterable[NamedPart] | None, facts: Facts) -> list[Part]:
    """Return the parts that make the object: all that the bucket holds, or those that the client names.

    Args:
        named: Nothing when the client leaves it to us.

    Raises:
        PartsMissing: There is none.
        PartsMismatch: The client names one that the bucket does not hold so.
        PartTooSmall: One before the last is below OSS's minimum.
        PartsSizeMismatch: Together they have another size than was granted.
    """
    chosen = list(stored) if named is None else _find(stored, named)
    if not chosen:
        raise PartsMissing("no part of this upload has arrived", hint="send the parts, then complete")
    for part in chosen[:-1]:
        if part.size < MIN_PART_SIZE:
            raise PartTooSmall(
                f"part {part.part_number} has {part.size} bytes",
                hint="all parts but the last have at least 100 KB; send it again in the size of the grant",
            )
    size = sum(part.size for part in chosen)
    if not facts.size_min <= size <= facts.size_max:
        granted = (
            f"{facts.size_max}"
            if facts.size_min == facts.size_max
            else f"{facts.size_min} to {facts.size_max}"
        )
        raise PartsSizeMismatch(
            f"the {len(chosen)} parts have {size} bytes together, granted were {granted}",
            hint="send the parts that are missing; `GET` of the parts tells which are there",
        )
    return chosen


def _find(stored: Sequence[Part], named: Iterable[NamedPart]) -> list[Part]:
    held = {part.part_number: part for part in stored}
    found: dict[int, Part] = {}
    for name in named:
        part = held.get(name.part_number)
        if part is None or part.etag != name.etag.strip('"').upper():
            raise PartsMismatch(
                f"the bucket does not hold part {name.part_number} with the ETag {quote(name.etag, 40)}",
                hint="send it again, or leave the list out: the bucket knows the parts",
            )
        found[name.part_number] = part
    return [found[number] for number in sorted(found)]
