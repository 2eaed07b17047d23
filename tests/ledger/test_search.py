"""What operators look for: the same answers on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ossgate.ledger import Arrival, Ledger, NewUpload, UploadFilter

MakeUpload = Callable[..., NewUpload]
UPLOADS: dict[str, dict[str, Any]] = {
    "01A": {"object_key": "photos/1.jpg", "file_name": "Cat.JPG", "profile": "photo", "subject": "alice"},
    "01B": {"object_key": "photos/2.jpg", "file_name": "100%_猫.jpg", "profile": "photo", "subject": "bob"},
    "01C": {"object_key": "Photos/3.bin", "file_name": "a\\b.bin", "profile": "file", "subject": "alice"},
    "01D": {"object_key": "x/photos/4.bin", "file_name": "dog.bin", "profile": "file", "subject": "carol"},
}


@pytest.fixture
def found(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: Callable[..., Arrival], now: datetime
) -> Callable[..., list[str]]:
    """Record four uploads, of which one has arrived, and search them."""
    news = [make_upload(upload_id=upload_id, **facts) for upload_id, facts in UPLOADS.items()]
    ledger.record_issued(news, quota=None, now=now)
    ledger.record_arrival(make_arrival(news[1]), now=now, timeout=2)

    def find(limit: int = 50, **wanted: Any) -> list[str]:
        return [each.upload_id for each in ledger.find_uploads(UploadFilter(**wanted), limit=limit)]

    return find


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, ["01D", "01C", "01B", "01A"]),
        ({"state": "uploaded"}, ["01B"]),
        ({"profile": "file"}, ["01D", "01C"]),
        ({"subject": "alice", "profile": "photo"}, ["01A"]),
        ({"from_id": "01B"}, ["01D", "01C", "01B"]),
        ({"below_id": "01C"}, ["01B", "01A"]),
        ({"from_id": "01B", "below_id": "01D", "limit": 1}, ["01C"]),
        ({"state": "nosuch"}, []),
    ],
    ids=str,
)
def test_find_uploads_by_filter(
    found: Callable[..., list[str]], wanted: dict[str, Any], ids: list[str]
) -> None:
    """Each filter narrows, all together, newest first."""
    assert found(**wanted) == ids


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("01b", ["01B"]),
        ("01", ["01D", "01C", "01B", "01A"]),
        ("1B", []),
        ("photos/", ["01B", "01A"]),
        ("Photos/", ["01C"]),
        ("cat", ["01A"]),
        (".JPG", ["01B", "01A"]),
        ("猫", ["01B"]),
        ("100%", ["01B"]),
        ("%", ["01B"]),
        ("_", ["01B"]),
        ("\\", ["01C"]),
        ("a\\b", ["01C"]),
        ("' OR 1=1 --", []),
    ],
)
def test_find_uploads_by_words(found: Callable[..., list[str]], words: str, ids: list[str]) -> None:
    """Words are the beginning of an id or a key, or part of a file name, and never a pattern."""
    assert found(words=words) == ids


def test_count_states(ledger: Ledger, found: Callable[..., list[str]]) -> None:
    """Counts are those from an id on."""
    assert ledger.count_states(from_id="") == {"issued": 3, "uploaded": 1}
    assert ledger.count_states(from_id="01C") == {"issued": 2}


def test_history_when_longer_than_the_limit(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: Callable[..., Arrival], now: datetime
) -> None:
    """A history that somebody made long is cut at its new end."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now)
    for number in range(5):
        later = now + timedelta(seconds=number + 1)
        ledger.record_arrival(make_arrival(new, etag=f"{number:032}"), now=later, timeout=2)

    changes = ledger.fetch_history(new.upload_id, limit=3)

    assert [change.claim for change in changes] == ["issued", "uploaded", f"replaced:{1:032}"]
