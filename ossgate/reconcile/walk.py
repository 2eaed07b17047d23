"""A bucket's listing and the ledger's rows, joined in the order of their keys; pure but for the two functions that give pages.

Both sides come a page at a time, so memory does not grow with either. Keys sort by their bytes in OSS, and by their code points here,
which is the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ossgate.bucket import BucketUnavailable, ListedObject, ObjectPage
from ossgate.ledger import SweptUpload

PAGE_UPLOADS = 1000


@dataclass(frozen=True, slots=True)
class Pair:
    """One key's upload and object; either may be missing, not both."""

    upload: SweptUpload | None
    listed: ListedObject | None

    @property
    def object_key(self) -> str:
        """The key of both."""
        if self.upload is not None:
            return self.upload.object_key
        assert self.listed is not None
        return self.listed.object_key


@dataclass(frozen=True, slots=True)
class Window:
    """All pairs of a range of keys; ``through`` is where it ends, nothing at the end of the bucket."""

    pairs: list[Pair]
    objects: int
    uploads: int
    through: str | None
    answered_at: datetime | None


ListObjects = Callable[[str], ObjectPage]
ListUploads = Callable[[str | None, str | None, int], list[SweptUpload]]


def walk(list_objects: ListObjects, list_uploads: ListUploads, *, after: str | None) -> Iterator[Window]:
    """Give windows of pairs, from above a key on to the end.

    Args:
        list_objects: Gives the objects above a key.
        list_uploads: Gives so many uploads above one key and up to another.
        after: Where an earlier walk ended; nothing to begin.

    Raises:
        BucketUnavailable: The listing is not in order, or does not go on.
    """
    at_end = False
    while not at_end:
        page = list_objects(after or "")
        _check_order(page, after)
        at_end = page.following is None
        last = None if at_end else page.objects[-1].object_key
        yield from _join_page(page, list_uploads, after=after, through=last)
        after = last


def _join_page(
    page: ObjectPage, list_uploads: ListUploads, *, after: str | None, through: str | None
) -> Iterator[Window]:
    objects, position, size = page.objects, 0, PAGE_UPLOADS
    while True:
        uploads = list_uploads(after, through, size)
        bound = through
        if len(uploads) >= size:
            # There may be more of the last key; it is left for the next page, whole.
            last = uploads[-1].object_key
            whole = [upload for upload in uploads if upload.object_key != last]
            if not whole:
                size *= 2
                continue
            uploads, bound = whole, whole[-1].object_key
        end = position
        while end < len(objects) and (bound is None or objects[end].object_key <= bound):
            end += 1
        pairs = join(uploads, objects[position:end])
        yield Window(pairs, end - position, len(uploads), bound, page.answered_at)
        if bound == through:
            return
        after, position, size = bound, end, PAGE_UPLOADS


def join(uploads: Sequence[SweptUpload], objects: Sequence[ListedObject]) -> list[Pair]:
    """Pair uploads and objects of equal keys, both in the order of their keys; each upload of a key meets the object."""
    pairs: list[Pair] = []
    position = 0
    for listed in objects:
        key = listed.object_key
        while position < len(uploads) and uploads[position].object_key < key:
            pairs.append(Pair(uploads[position], None))
            position += 1
        found = position
        while position < len(uploads) and uploads[position].object_key == key:
            pairs.append(Pair(uploads[position], listed))
            position += 1
        if found == position:
            pairs.append(Pair(None, listed))
    pairs += [Pair(upload, None) for upload in uploads[position:]]
    return pairs


def _check_order(page: ObjectPage, after: str | None) -> None:
    before = after or ""
    for listed in page.objects:
        if listed.object_key <= before:
            raise BucketUnavailable("the bucket's list of objects is not in order")
        before = listed.object_key
    if page.following is not None and not page.objects:
        raise BucketUnavailable("the bucket's list of objects does not go on")
