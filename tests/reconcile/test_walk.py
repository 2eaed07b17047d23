"""The merge of two sorted sides: every key once, in pages, from any cursor on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.bucket import BucketUnavailable, ListedObject, ObjectPage
from ossgate.ledger import SweptUpload
from ossgate.reconcile import walk as walk_module
from ossgate.reconcile.walk import join, walk

KEYS = st.lists(st.text(alphabet="ab猫🐈\uffff", min_size=1, max_size=3), max_size=12)


def make_row(key, number=0):
    return SweptUpload(f"{key}{number}", "photo", "b", key, "uploaded", 3, "A", None, None, None, None, None)


def make_pagers(object_keys, rows, *, page_size):
    """Both sides as functions that give pages, and a note of how many rows were ever given at once."""
    listed = [ListedObject(key, 3, "A", None) for key in sorted(set(object_keys))]
    rows = sorted(rows, key=lambda row: row.object_key)

    def list_objects(after):
        rest = [one for one in listed if one.object_key > after]
        return ObjectPage(rest[:page_size], "more" if len(rest) > page_size else None, None)

    def list_uploads(after, through, limit):
        return [
            row
            for row in rows
            if (after is None or row.object_key > after) and (through is None or row.object_key <= through)
        ][:limit]

    return list_objects, list_uploads


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(walk_module, "PAGE_UPLOADS", 2)


def test_join_pairs_equal_keys(make_swept, make_listed):
    """Keys of both sides meet; what has no partner stands alone."""
    pairs = join([make_swept("b"), make_swept("d")], [make_listed("a"), make_listed("b"), make_listed("c")])

    assert [("a", False, True), ("b", True, True), ("c", False, True), ("d", True, False)] == [
        (pair.object_key, pair.upload is not None, pair.listed is not None) for pair in pairs
    ]


def test_join_gives_each_upload_of_a_key_its_object(make_swept, make_listed):
    """Two rows of one key are both compared with the one object."""
    pairs = join([make_swept("a"), make_swept("a", "issued")], [make_listed("a")])

    assert [("uploaded", "a"), ("issued", "a")] == [
        (pair.upload.state, pair.listed.object_key) for pair in pairs
    ]


@given(
    objects=KEYS, uploads=KEYS, page_size=st.integers(1, 4), cursor=st.none() | st.text("ab猫", min_size=1)
)
def test_walk_sees_every_key_above_the_cursor_once(objects, uploads, page_size, cursor):
    """Whatever the pages, and wherever it begins, each row and each object comes up exactly once and in order."""
    rows = [make_row(key, number) for number, key in enumerate(uploads)]
    windows = list(walk(*make_pagers(objects, rows, page_size=page_size), after=cursor))
    pairs = [pair for window in windows for pair in window.pairs]
    above = cursor or ""

    assert sorted(row.upload_id for row in rows if row.object_key > above) == sorted(
        pair.upload.upload_id for pair in pairs if pair.upload
    )
    assert sorted({key for key in objects if key > above}) == sorted(
        {pair.object_key for pair in pairs if pair.listed}
    )
    assert [pair.object_key for pair in pairs] == sorted(pair.object_key for pair in pairs)
    assert windows[-1].through is None


def test_walk_keeps_rows_of_one_key_together(small_pages):
    """More rows of one key than a page has are read at once, since the cursor is a key."""
    rows = [make_row("a", n) for n in range(5)] + [make_row("b")]
    windows = list(walk(*make_pagers(["a"], rows, page_size=10), after=None))

    assert [f"a{n}" for n in range(5)] + ["b0"] == [
        pair.upload.upload_id for window in windows for pair in window.pairs
    ]


def test_walk_reads_many_rows_in_pages(small_pages):
    """An empty bucket beside many rows is no reason to read them all at once."""
    rows = [make_row(f"{n:03d}") for n in range(50)]
    windows = list(walk(*make_pagers([], rows, page_size=10), after=None))

    assert (50, True) == (
        sum(window.uploads for window in windows), all(window.uploads <= 2 for window in windows),
    )  # fmt: skip


@pytest.mark.parametrize(
    "page",
    [
        ObjectPage([ListedObject("b", 1, "A", None), ListedObject("a", 1, "A", None)], None, None),
        ObjectPage([ListedObject("a", 1, "A", None), ListedObject("a", 1, "A", None)], None, None),
        ObjectPage([], "more", None),
    ],
    ids=["backwards", "twice", "empty"],
)
def test_walk_refuses_a_listing_out_of_order(page):
    """A listing that is not in order would make rows look as if their objects were gone."""
    with pytest.raises(BucketUnavailable):
        list(walk(lambda after: page, lambda *_: [], after=None))
