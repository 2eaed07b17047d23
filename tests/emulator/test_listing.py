"""Pages of a listing against a plain model of what they should hold."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from ossgate.emulator.key_index import KeyIndex
from ossgate.emulator.list_objects import decode_token, encode_token
from ossgate.emulator.listing import list_page
from ossgate.emulator.object_metadata import ObjectMetadata

letters = st.text(st.sampled_from(["a", "b", "/", "键", "\U0010ffff", "😀", "\ufffd", "\ue000"]), max_size=5)
keys = letters.filter(bool)


def describe(key: str) -> ObjectMetadata:
    return ObjectMetadata("b", key, 0, hashlib.md5(key.encode()).hexdigest(), "", "0", "", 0.0)


def list_everything(all_keys: set[str], prefix: str, delimiter: str, after: str) -> list[str]:
    """The model: sort by bytes, roll up, drop what is not behind the marker."""
    entries = []
    for key in sorted(all_keys, key=str.encode):
        if not key.startswith(prefix):
            continue
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        entry = key if at < 0 else key[: at + len(delimiter)]
        if key.encode() > after.encode() and not (at >= 0 and entry == after) and entry not in entries:
            entries.append(entry)
    return entries


@given(st.sets(keys), letters, letters, letters, st.integers(1, 4))
def test_pages_hold_what_the_model_holds(
    all_keys: set[str], prefix: str, delimiter: str, after: str, most: int
) -> None:
    """Page by page comes exactly what one large page would hold, in the order of bytes."""
    index = KeyIndex(all_keys)
    expected = list_everything(all_keys, prefix, delimiter, after)
    found: list[str] = []
    marker = after
    for _ in range(len(expected) + 1):
        page = list_page(index, describe, prefix=prefix, delimiter=delimiter, after=marker, most=most)
        entries = [item.object_key for item in page.objects] + page.common_prefixes
        found += sorted(entries, key=str.encode)
        marker = page.next_marker
        assert len(entries) == (most if marker else min(most, len(entries)))
        if not marker:
            break

    assert expected == found


@given(st.sets(keys), keys)
def test_index_is_a_sorted_set(all_keys: set[str], other: str) -> None:
    """Keys are kept once, in order, and found by their neighbours."""
    index = KeyIndex(all_keys)
    index.add(other)
    index.add(other)
    ordered = sorted(all_keys | {other})

    assert len(ordered) == len(index)
    assert other == index.find_from(other)
    assert [*ordered, None][ordered.index(other) + 1] == index.find_after(other)
    index.discard(other)
    index.discard(other)
    assert len(all_keys - {other}) == len(index)


def test_hundred_thousand_keys() -> None:
    """A page of a large bucket costs as many steps as it has entries, wherever it is."""
    index = KeyIndex(f"folder-{number // 1000}/object-{number}" for number in range(100_000))
    asked: list[str] = []

    def find(key: str) -> ObjectMetadata:
        asked.append(key)
        return describe(key)

    marker, pages = "", 0
    while pages == 0 or marker:
        page = list_page(index, find, prefix="", delimiter="", after=marker, most=1000)
        marker, pages = page.next_marker, pages + 1
        assert len(page.objects) == 1000
    rolled = list_page(index, find, prefix="", delimiter="/", after="", most=1000)

    assert (100, 100) == (pages, len(rolled.common_prefixes))
    assert 100_100 > len(asked)


def test_objects_that_have_gone_are_stepped_over() -> None:
    """A key without an object, as when somebody removes a file by hand, takes no place on the page."""
    index = KeyIndex(["a", "b", "c", "d"])
    page = list_page(
        index, lambda key: None if key in "bd" else describe(key), prefix="", delimiter="", after="", most=2
    )

    assert (["a", "c"], "") == ([item.object_key for item in page.objects], page.next_marker)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400))
def test_tokens_come_back(last: str) -> None:
    """A continuation token holds any key, in letters that need no escaping."""
    token = encode_token(last)

    assert last == decode_token(token)
    assert token.replace("-", "").replace(".", "").replace("_", "").isalnum()
