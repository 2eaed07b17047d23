"""Retention: what ended long ago goes, and nothing else."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from ossgate.ledger import Arrival, CallbackFilter, Finding, KeptRequest, Ledger, NewUpload, QuotaLimit
from ossgate.ledger import retention as retention_module
from ossgate.ledger.retention import PRUNABLE

DAY = timedelta(days=1)
BELOW = "01u99999"


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_module, "BATCH_ROWS", 2)


@pytest.fixture
def make_ended(
    ledger: Ledger, make_upload: Callable[..., NewUpload], make_arrival: Callable[..., Arrival]
) -> Callable[..., NewUpload]:
    """Bring an upload to a state at a time."""

    def make(state: str, at: datetime) -> NewUpload:
        new = make_upload(created_at=at)
        ledger.record_issued([new], quota=None, now=at)
        if state in ("uploaded", "unconfirmed"):
            ledger.record_arrival(make_arrival(new, target=state), now=at, timeout=5)
        elif state == "deleted":
            ledger.record_arrival(make_arrival(new), now=at, timeout=5)
        if state in PRUNABLE:
            ledger.record_state(new.upload_id, state, now=at, timeout=5)
        return new

    return make


def test_old_ended_uploads_go_with_their_history(
    ledger: Ledger, make_ended: Callable[..., NewUpload], now: datetime
) -> None:
    """Expired, deleted and aborted ones go in batches; a young one stays."""
    old = [make_ended(state, now - 2 * DAY) for state in PRUNABLE for _ in range(3)]
    young = make_ended("expired", now)
    pruned = list(ledger.retention.prune(PRUNABLE, before=now - DAY, below=BELOW))

    assert 9 == sum(one.rows for one in pruned)
    assert [2, 1] * 3 == [one.rows for one in pruned]
    assert [None] * 9 == [ledger.fetch_upload(one.upload_id) for one in old]
    assert [] == [change for one in old for change in ledger.fetch_history(one.upload_id)]
    assert ledger.fetch_upload(young.upload_id) is not None


def test_what_is_in_the_bucket_stays(
    ledger: Ledger, make_ended: Callable[..., NewUpload], now: datetime
) -> None:
    """However old: of uploads that wait or have arrived the ledger must go on knowing."""
    kept = [make_ended(state, now - 2 * DAY) for state in ("issued", "unconfirmed", "uploaded")]

    assert [] == list(ledger.retention.prune(PRUNABLE, before=now, below=BELOW))
    assert None not in [ledger.fetch_upload(one.upload_id) for one in kept]
    with pytest.raises(ValueError, match="never pruned"):
        list(ledger.retention.prune(["uploaded"], before=now, below=BELOW))


def test_upload_that_ended_lately_stays(
    ledger: Ledger, make_ended: Callable[..., NewUpload], now: datetime
) -> None:
    """What counts is when it ended, not when it was granted."""
    new = make_ended("uploaded", now - 9 * DAY)
    ledger.record_state(new.upload_id, "deleted", now=now, timeout=5)
    list(ledger.retention.prune(PRUNABLE, before=now - DAY, below=BELOW))

    assert ledger.fetch_upload(new.upload_id) is not None


def test_count_changes_nothing(ledger: Ledger, make_ended: Callable[..., NewUpload], now: datetime) -> None:
    """What would go is counted, kind by kind."""
    new = make_ended("expired", now - 2 * DAY)
    counted = ledger.retention.count_prunable(["expired", "deleted"], before=now - DAY, below=BELOW)

    assert [
        ("upload (expired)", 1),
        ("upload (deleted)", 0),
        ("inbox", 0),
        ("quota", 0),
        ("reconcile_run", 0),
    ] == [(one.table, one.rows) for one in counted]
    assert ledger.fetch_upload(new.upload_id) is not None


def test_old_callbacks_accounts_and_runs_go(
    ledger: Ledger,
    keep: Callable[..., KeptRequest],
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    read_accounts: Callable[[], dict[tuple[str, str, str], tuple[int, int]]],
    now: datetime,
) -> None:
    """Callbacks and runs below the id, accounts of days that are over; an account for ever stays."""
    for n in range(5):
        keep("believed" if n % 2 else "refused", callback_id=f"01r{n}")
    for quota_key, period in (("daily", "day"), ("always", "ever")):
        new = make_upload(quota_key=quota_key, created_at=now - 5 * DAY)
        ledger.record_issued([new], quota=QuotaLimit(bytes=10**6, period=period), now=now)  # type: ignore[arg-type]
        ledger.record_arrival(make_arrival(new), now=now, timeout=5)
    run = ledger.runs.begin_run("01r", {}, owner="me", lease=DAY, now=now)
    found = Finding(now, "stranger", "left", "b", "k\0", None, "d" * 900)
    ledger.runs.save_run(run, [(1, found)], owner="me", lease=DAY, now=now)
    pruned = {one.table for one in ledger.retention.prune([], before=now - DAY, below="01r3")}

    assert {"inbox", "quota", "reconcile_run"} == pruned
    assert ["01r4", "01r3"] == [
        one.request.callback_id for one in ledger.inbox.find_callbacks(CallbackFilter())
    ]
    assert ["always"] == [key for key, _, _ in read_accounts()]
    assert [] == ledger.runs.list_runs()


def test_arrival_wins_against_pruning(
    ledger: Ledger,
    make_ended: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """A late object found between the look and the deletion keeps its row."""
    first, second = (make_ended("expired", now - 2 * DAY) for _ in range(2))
    third = make_ended("expired", now - 2 * DAY)
    batches = ledger.retention.prune(PRUNABLE, before=now - DAY, below=BELOW)
    next(batches)
    ledger.record_arrival(make_arrival(third), now=now, timeout=5)
    list(batches)

    assert (None, None, "uploaded") == (
        ledger.fetch_upload(first.upload_id), ledger.fetch_upload(second.upload_id),
        ledger.fetch_upload(third.upload_id).state,
    )  # fmt: skip
