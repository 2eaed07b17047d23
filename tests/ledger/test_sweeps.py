"""Walks over all uploads: in the order of keys' bytes, of what waits, and notes in the history."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from ossgate.ledger import Arrival, Ledger, NewUpload, UploadUnknown
from ossgate.ledger.sweeps import end_prefix

KEYS = ["A", "a", "a!", "a/b", "aa", "b", "Ä", "猫", "\uffff", "🐈"]


@pytest.fixture
def keyed(ledger: Ledger, make_upload: Callable[..., NewUpload], now: datetime) -> Ledger:
    """Issue an upload for each key, in another order than theirs."""
    ledger.record_issued([make_upload(object_key=key) for key in reversed(KEYS)], quota=None, now=now)
    return ledger


def test_list_by_key_is_in_the_order_of_bytes(keyed: Ledger) -> None:
    """Both databases sort as OSS does, whatever the rules of their language."""
    listed = [one.object_key for one in keyed.sweeps.list_by_key("demo-bucket")]

    assert sorted(KEYS, key=str.encode) == listed


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"after": "a", "through": "aa"}, ["a!", "a/b", "aa"]),
        ({"prefix": "a"}, ["a", "a!", "a/b", "aa"]),
        ({"prefix": "a", "after": "a!"}, ["a/b", "aa"]),
        ({"prefix": "\uffff"}, ["\uffff"]),
        ({"limit": 2}, ["A", "a"]),
        ({"after": "a\0z", "through": "a!\0"}, ["a!"]),
        ({"through": "A\0"}, ["A"]),
    ],
)
def test_list_by_key_keeps_its_bounds(keyed: Ledger, bounds: dict[str, object], expected: list[str]) -> None:
    """Above one key, up to another, below a prefix; a NUL in a stranger's key divides them just so."""
    assert expected == [one.object_key for one in keyed.sweeps.list_by_key("demo-bucket", **bounds)]  # type: ignore[arg-type]


def test_list_by_key_knows_its_bucket(
    keyed: Ledger, make_upload: Callable[..., NewUpload], now: datetime
) -> None:
    """Equal keys of two buckets are two objects."""
    keyed.record_issued([make_upload(bucket="other", object_key="a")], quota=None, now=now)

    assert ["a"] == [one.object_key for one in keyed.sweeps.list_by_key("other")]
    assert ["demo-bucket", "other"] == keyed.sweeps.list_buckets()


def test_days_count_from_the_arrival(
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """A row has its end once its object is there, also one that was lost and is rebuilt; others have none."""
    issued, lost, kept = make_upload(keep_days=2), make_upload(keep_days=3), make_upload()
    ledger.record_issued([issued, kept], quota=None, now=now, timeout=30)
    before = ledger.fetch_upload(issued.upload_id)
    for each in (issued, lost, kept):
        ledger.record_arrival(make_arrival(each), now=now + timedelta(hours=1), timeout=30)
    found = [ledger.fetch_upload(each.upload_id) for each in (issued, lost, kept)]

    assert before is not None
    assert (2, None) == (before.keep_days, before.keep_until)
    assert [now + timedelta(days=2, hours=1), now + timedelta(days=3, hours=1), None] == [
        one.keep_until for one in found if one is not None
    ]


def test_outlived_uploads_are_listed_by_their_end(
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """The longest past first, page by page; what is deleted, or has its days before it, is not among them."""
    uploads = [make_upload(keep_days=days) for days in (3, 1, 1, 2, 9, 1)]
    for each in uploads:
        ledger.record_arrival(make_arrival(each), now=now, timeout=30)
    ledger.record_state(uploads[5].upload_id, "deleted", now=now, timeout=30, reason="outlived")
    before = now + timedelta(days=4)
    first = ledger.sweeps.list_outlived(before=before, limit=2)
    assert first[-1].keep_until is not None
    rest = ledger.sweeps.list_outlived(after=(first[-1].keep_until, first[-1].upload_id), before=before)

    assert [uploads[at].upload_id for at in (1, 2, 3, 0)] == [one.upload_id for one in first + rest]
    assert [] == ledger.sweeps.list_outlived(before=now + timedelta(days=1))


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("", None), ("a", "b"), ("a/", "a0"), ("\ud7ff", "\ue000"), ("a\U0010ffff", "b"), ("\U0010ffff", None)],
)
def test_end_of_a_prefix(prefix: str, expected: str | None) -> None:
    """The first text after all that begin so, past what is no character."""
    assert expected == end_prefix(prefix)


def test_list_waiting_across_accounts(
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """What is overdue of every account comes in pages; what has arrived or may yet come does not."""
    overdue = [
        make_upload(quota_key=f"q{n % 3}", expires_at=now - timedelta(minutes=n + 1)) for n in range(5)
    ]
    pending, arrived = make_upload(), make_upload(expires_at=now - timedelta(hours=1))
    ledger.record_issued([*overdue, pending, arrived], quota=None, now=now)
    ledger.record_arrival(make_arrival(arrived), now=now, timeout=5)
    first = ledger.sweeps.list_waiting("issued", before=now, limit=3)
    second = ledger.sweeps.list_waiting("issued", before=now, limit=3, after=first[-1].upload_id)

    assert [one.upload_id for one in overdue] == [one.upload_id for one in [*first, *second]]


def test_note_is_kept_once(ledger: Ledger, make_upload: Callable[..., NewUpload], now: datetime) -> None:
    """A note stands in the history when the call returns, and a second of its kind does nothing."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now)
    for _ in range(2):
        ledger.sweeps.record_note(new.upload_id, "rewritten:20260102T030405Z", now=now)

    assert ["issued", "rewritten:20260102T030405Z"] == [
        one.claim for one in ledger.fetch_history(new.upload_id)
    ]
    with pytest.raises(UploadUnknown):
        ledger.sweeps.record_note("01unknown", "note", now=now)
