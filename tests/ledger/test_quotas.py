"""Quotas: reserved at issue, settled on fact, released on expiry, exact whoever asks at once."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from ossgate.ledger import Arrival, Ledger, NewUpload, QuotaExceeded, QuotaLimit

MakeUpload = Callable[..., NewUpload]
MakeArrival = Callable[..., Arrival]
Accounts = Callable[[], dict[tuple[str, str, str], tuple[int, int]]]
ACCOUNT = ("alice", "photo", "ever")
THREE = QuotaLimit(pending_uploads=3)


def test_quota_when_reserved_and_settled(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, read_accounts: Accounts
) -> None:
    """What is promised counts until what has arrived takes its place."""
    news = [make_upload(), make_upload()]
    ledger.record_issued(news, quota=THREE, now=now)

    assert read_accounts() == {ACCOUNT: (2, 2000)}

    for _ in range(2):
        ledger.record_arrival(make_arrival(news[0]), now=now, timeout=5)

    assert read_accounts() == {ACCOUNT: (1, 1400)}


def test_quota_when_pending_uploads_exceeded(
    ledger: Ledger, make_upload: MakeUpload, now: datetime, read_accounts: Accounts
) -> None:
    """One upload too many is refused with the figures, and reserves nothing."""
    ledger.record_issued([make_upload(), make_upload()], quota=THREE, now=now)

    with pytest.raises(QuotaExceeded, match="pending_uploads: 2 of 3 used, 2 more requested") as caught:
        ledger.record_issued([make_upload(), make_upload()], quota=THREE, now=now)

    assert (caught.value.kind, caught.value.limit) == ("pending_uploads", 3)
    assert (caught.value.used, caught.value.requested) == (2, 2)
    assert read_accounts() == {ACCOUNT: (2, 2000)}


def test_quota_when_bytes_exceeded(ledger: Ledger, make_upload: MakeUpload, now: datetime) -> None:
    """The promised maximum counts, to the byte."""
    limit = QuotaLimit(bytes=2500)
    ledger.record_issued([make_upload(size_max=1500)], quota=limit, now=now)

    with pytest.raises(QuotaExceeded, match="bytes: 1500 of 2500 used, 1001 more requested"):
        ledger.record_issued([make_upload(size_max=1001)], quota=limit, now=now)
    ledger.record_issued([make_upload(size_max=1000)], quota=limit, now=now)


def test_quota_when_overdue_uploads_make_room(
    ledger: Ledger, make_upload: MakeUpload, now: datetime, read_accounts: Accounts
) -> None:
    """When room is short, what was promised and is ten minutes overdue is released, and nothing younger."""
    old = [make_upload(expires_at=now), make_upload(expires_at=now + timedelta(minutes=1)), make_upload()]
    ledger.record_issued(old, quota=THREE, now=now)
    later = now + timedelta(minutes=11, seconds=1)

    ledger.record_issued([make_upload(), make_upload()], quota=THREE, now=later)

    states = [found.state for new in old if (found := ledger.fetch_upload(new.upload_id))]
    assert states == ["expired", "expired", "issued"]
    assert [change.claim for change in ledger.fetch_history(old[0].upload_id)] == ["issued", "expired"]
    assert read_accounts() == {ACCOUNT: (3, 3000)}


def test_quota_when_very_many_are_overdue(
    ledger: Ledger, make_upload: MakeUpload, now: datetime, read_accounts: Accounts
) -> None:
    """More overdue uploads than are read at once are all released."""
    limit = QuotaLimit(bytes=1_100_000)
    for _ in range(11):
        ledger.record_issued([make_upload(expires_at=now) for _ in range(100)], quota=limit, now=now)

    ledger.record_issued([make_upload()], quota=limit, now=now + timedelta(hours=1))

    assert read_accounts() == {ACCOUNT: (1, 1000)}


def test_quota_when_nothing_is_overdue_yet(ledger: Ledger, make_upload: MakeUpload, now: datetime) -> None:
    """Up to ten minutes after its expiry an upload keeps its place."""
    ledger.record_issued([make_upload(expires_at=now) for _ in range(3)], quota=THREE, now=now)

    with pytest.raises(QuotaExceeded):
        ledger.record_issued([make_upload()], quota=THREE, now=now + timedelta(minutes=10))


def test_quota_when_an_expired_upload_arrives(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, read_accounts: Accounts
) -> None:
    """A late arrival adds its bytes again, and no pending upload."""
    new = make_upload()
    ledger.record_issued([new], quota=THREE, now=now)
    ledger.record_state(new.upload_id, "expired", now=now, timeout=5)

    assert read_accounts() == {ACCOUNT: (0, 0)}

    ledger.record_arrival(make_arrival(new), now=now, timeout=5)

    assert read_accounts() == {ACCOUNT: (0, 400)}


def test_quota_when_an_unconfirmed_size_is_corrected(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, read_accounts: Accounts
) -> None:
    """The confirmed size replaces the provisional one."""
    new = make_upload()
    ledger.record_issued([new], quota=THREE, now=now)
    ledger.record_arrival(make_arrival(new, target="unconfirmed", size=900), now=now, timeout=5)
    ledger.record_arrival(make_arrival(new, size=100), now=now, timeout=5)

    assert read_accounts() == {ACCOUNT: (0, 100)}


def test_quota_when_aborted_or_deleted(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, read_accounts: Accounts
) -> None:
    """What is given up or gone counts no more."""
    news = [make_upload(), make_upload()]
    ledger.record_issued(news, quota=THREE, now=now)
    ledger.record_state(news[0].upload_id, "aborted", now=now, timeout=5)
    ledger.record_arrival(make_arrival(news[1]), now=now, timeout=5)
    ledger.record_state(news[1].upload_id, "deleted", now=now, timeout=5)

    assert read_accounts() == {ACCOUNT: (0, 0)}


def test_quota_of_a_day(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, read_accounts: Accounts
) -> None:
    """A day's account starts anew at midnight UTC, and an upload is settled on its own day's."""
    limit, tomorrow = QuotaLimit(pending_uploads=1, period="day"), now + timedelta(days=1)
    first, second = make_upload(), make_upload(created_at=tomorrow)
    ledger.record_issued([first], quota=limit, now=now)
    with pytest.raises(QuotaExceeded):
        ledger.record_issued([make_upload()], quota=limit, now=now)
    ledger.record_issued([second], quota=limit, now=tomorrow)

    ledger.record_arrival(make_arrival(first), now=tomorrow, timeout=5)

    assert read_accounts() == {
        ("alice", "photo", "2026-01-02"): (0, 400),
        ("alice", "photo", "2026-01-03"): (1, 1000),
    }


def test_quota_when_a_list_spans_accounts(
    ledger: Ledger, make_upload: MakeUpload, now: datetime, read_accounts: Accounts
) -> None:
    """All or none: a list is refused when one of its accounts has no room."""
    limit = QuotaLimit(pending_uploads=1)
    ledger.record_issued([make_upload(quota_key="bob")], quota=limit, now=now)

    with pytest.raises(QuotaExceeded):
        ledger.record_issued([make_upload(), make_upload(quota_key="bob")], quota=limit, now=now)

    assert {key: held for key, held in read_accounts().items() if held != (0, 0)} == {
        ("bob", "photo", "ever"): (1, 1000)
    }


def test_quota_when_no_key_or_no_limit(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, read_accounts: Accounts
) -> None:
    """Without a key, or without a limit, nothing is counted."""
    keyless, free = make_upload(quota_key=""), make_upload()
    ledger.record_issued([keyless], quota=QuotaLimit(pending_uploads=0), now=now)
    ledger.record_issued([free], quota=None, now=now)
    ledger.record_arrival(make_arrival(keyless), now=now, timeout=5)
    ledger.record_arrival(make_arrival(free), now=now, timeout=5)

    assert read_accounts() == {}


def test_quota_when_an_upload_is_rebuilt(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, read_accounts: Accounts
) -> None:
    """A rebuilt upload counts what has arrived."""
    ledger.record_arrival(make_arrival(make_upload(), quota_period="day"), now=now, timeout=5)

    assert read_accounts() == {("alice", "photo", "2026-01-02"): (0, 400)}


def test_quota_when_fifty_issue_at_once(
    make_ledger: Callable[..., Ledger], make_upload: MakeUpload, now: datetime, read_accounts: Accounts
) -> None:
    """Fifty clients at once, over two writers, get exactly as many uploads as the limit has."""
    ledgers, limit = [make_ledger(), make_ledger()], QuotaLimit(pending_uploads=70)
    uploads = [[make_upload() for _ in range(3)] for _ in range(50)]
    start, granted, refused = threading.Barrier(50), [], []

    def issue(number: int) -> None:
        start.wait()
        for new in uploads[number]:
            try:
                ledgers[number % 2].record_issued([new], quota=limit, now=now, timeout=30)
                granted.append(new)
            except QuotaExceeded as exc:
                refused.append(exc)

    threads = [threading.Thread(target=issue, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(granted), len(refused)) == (70, 80)
    assert read_accounts() == {ACCOUNT: (70, 70_000)}


def test_quota_when_replaced(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, read_accounts: Accounts
) -> None:
    """What stands under the key counts, however often it is written again, and is given back when it is deleted."""
    new = make_upload()
    ledger.record_issued([new], quota=THREE, now=now)
    held = []
    for etag, size, target in (
        ("A", 400, "uploaded"),
        ("B", 900, "uploaded"),
        ("B", 900, "uploaded"),
        ("C", 100, "uploaded"),
        ("D", 700, "unconfirmed"),
        ("B", 900, "uploaded"),
        ("A", 400, "unconfirmed"),
        ("A", 400, "uploaded"),
        ("C", 100, "uploaded"),
    ):
        ledger.record_arrival(make_arrival(new, etag=etag, size=size, target=target), now=now, timeout=5)
        held.append(read_accounts()[ACCOUNT])
    ledger.record_state(new.upload_id, "deleted", now=now, timeout=5)

    assert held == [(0, size) for size in (400, 900, 900, 100, 100, 900, 900, 400, 100)]
    assert read_accounts() == {ACCOUNT: (0, 0)}


def test_quota_of_a_day_when_deleted(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, read_accounts: Accounts
) -> None:
    """A day's account counts what the day has brought, deleted or not; what was never confirmed counts for nothing."""
    limit, news = QuotaLimit(bytes=5000, period="day"), [make_upload() for _ in range(3)]
    ledger.record_issued(news, quota=limit, now=now)
    ledger.record_arrival(make_arrival(news[0]), now=now, timeout=5)
    ledger.record_arrival(make_arrival(news[1], target="unconfirmed", size=300), now=now, timeout=5)
    for new, state in zip(news, ("deleted", "deleted", "aborted"), strict=True):
        ledger.record_state(new.upload_id, state, now=now, timeout=5)

    assert read_accounts() == {("alice", "photo", "2026-01-02"): (0, 400)}


@pytest.mark.parametrize(
    ("quota", "kind"), [(THREE, "pending_uploads"), (QuotaLimit(bytes=3500, period="day"), "bytes")]
)
def test_room_when_full(
    ledger: Ledger,
    make_upload: MakeUpload,
    now: datetime,
    read_accounts: Accounts,
    quota: QuotaLimit,
    kind: str,
) -> None:
    """Whether there is room is found out without taking any, and what is overdue makes some."""

    def ask(at: datetime, size: int = 501) -> None:
        ledger.require_room("alice", "photo", quota=quota, size=size, now=at)

    ask(now)
    assert set(read_accounts().values()) == {(0, 0)}
    ledger.record_issued(
        [make_upload(expires_at=now + timedelta(minutes=1)) for _ in range(3)], quota=quota, now=now
    )
    with pytest.raises(QuotaExceeded, match=kind):
        ask(now)
    assert set(read_accounts().values()) == {(3, 3000)}
    ledger.require_room("bob", "photo", quota=quota, size=501, now=now)
    if kind == "bytes":
        ask(now, size=500)

    ask(now + timedelta(minutes=12))
    assert set(read_accounts().values()) == {(0, 0)}
