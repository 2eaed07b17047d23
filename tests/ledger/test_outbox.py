"""The outbox: written with the change, claimed in order, settled, replayed; the same on both databases."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from ossgate.ledger import (
    Arrival,
    Delivery,
    Ledger,
    NewUpload,
    QuotaLimit,
    RowRejected,
    TransitionForbidden,
)

LEASE = timedelta(seconds=60)


def route_to_hooks(profile: str, event: str) -> tuple[str, ...]:
    return ("hooks",)


@pytest.fixture
def ledger(make_ledger: Callable[..., Ledger]) -> Ledger:
    """Open a ledger with one sink that hears of everything."""
    return make_ledger(routes=route_to_hooks)


@pytest.fixture
def arrive(
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> Callable[..., NewUpload]:
    """Record an upload that has arrived."""

    def record(**facts: Any) -> NewUpload:
        new = make_upload(**facts)
        ledger.record_arrival(make_arrival(new), now=now, timeout=30)
        return new

    return record


@pytest.fixture
def hold_delivery(url: str) -> Callable[[str], AbstractContextManager[None]]:
    """Lock a delivery's row as another deliverer does, for as long as the context lasts."""
    import psycopg

    @contextmanager
    def hold(delivery_id: str) -> Iterator[None]:
        server = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(server) as other:
            other.execute("SELECT 1 FROM delivery WHERE delivery_id = %s FOR UPDATE", (delivery_id,))
            yield
            other.rollback()

    return hold


def claim(ledger: Ledger, now: datetime, *, limit: int = 10, by: str = "one") -> list[Delivery]:
    return ledger.outbox.claim_deliveries({"hooks": limit}, locked_by=by, lease=LEASE, now=now, timeout=30)


def test_body_is_frozen_when_it_happens(
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """A delivery's body is the whole upload as it was at that moment, byte for byte."""
    new = make_upload(upload_id="01u")
    ledger.record_issued([new], quota=None, now=now, timeout=30)
    arrival = make_arrival(new, crc64="77", facts={"width": 640, "height": 480, "request_id": "5F1E"})
    ledger.record_arrival(arrival, now=now + timedelta(seconds=2), timeout=30)
    ledger.record_state("01u", "deleted", now=now + timedelta(days=1), timeout=30)

    told, _ = ledger.outbox.list_deliveries("01u")

    assert told.body == (
        '{"type":"upload.uploaded","timestamp":"2026-01-02T03:04:07Z","data":{"upload_id":"01u","state":"uploaded",'
        '"profile":"photo","subject":"alice","bucket":"demo-bucket","object_key":"photos/01u.jpg","file_name":"猫 🐈.jpg",'
        '"size":400,"etag":"9E107D9D372BB6826BD81D3542A419D6","content_type":"image/jpeg","crc64":"77",'
        '"created_at":"2026-01-02T03:04:05Z","uploaded_at":"2026-01-02T03:04:07Z","width":640,"height":480,'
        '"vars":{"album":"七月","count":3,"public":true}}}'
    )
    assert (told.type, told.sink, told.state, told.attempts) == ("upload.uploaded", "hooks", "pending", 0)


def test_end_of_an_upload_is_told_with_its_reason(
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """Until when it was to stay stands in both events, why it went in the last, and in the history."""
    new = make_upload(upload_id="01u", keep_days=1)
    ledger.record_issued([new], quota=None, now=now, timeout=30)
    ledger.record_arrival(make_arrival(new), now=now, timeout=30)
    ledger.record_state("01u", "deleted", now=now + timedelta(days=1), timeout=30, reason="outlived")
    told = [json.loads(each.body)["data"] for each in ledger.outbox.list_deliveries("01u")]

    assert ["2026-01-03T03:04:05Z"] * 2 == [data["keep_until"] for data in told]
    assert [None, "outlived"] == [data.get("reason") for data in told]
    assert {"reason": "outlived"} == ledger.fetch_history("01u")[-1].facts


def test_each_change_is_told_once(
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """However often an arrival or another object is told, each change puts one row into the outbox."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now, timeout=30)
    ledger.record_state(new.upload_id, "expired", now=now, timeout=30)
    for etag in ("A", "A", "B", "B", "C"):
        ledger.record_arrival(make_arrival(new, etag=etag), now=now, timeout=30)
    for _ in range(2):
        ledger.record_state(new.upload_id, "deleted", now=now, timeout=30)

    told = ledger.outbox.list_deliveries(new.upload_id)

    assert [each.type for each in told] == [
        "upload.expired",
        "upload.uploaded",
        "upload.replaced",
        "upload.replaced",
        "upload.deleted",
    ]
    assert [json.loads(each.body)["data"]["replacement"]["etag"] for each in told[2:4]] == ["B", "C"]
    assert len({each.delivery_id for each in told}) == 5


def test_unconfirmed_is_not_told(
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """Of provisional facts nothing is told; of what confirms them everything."""
    new = make_upload()
    ledger.record_arrival(make_arrival(new, target="unconfirmed"), now=now, timeout=30)
    before = ledger.outbox.list_deliveries(new.upload_id)
    ledger.record_arrival(make_arrival(new), now=now, timeout=30)

    assert before == []
    assert [each.type for each in ledger.outbox.list_deliveries(new.upload_id)] == ["upload.uploaded"]


def test_refused_step_is_not_told(
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """An arrival of an aborted upload changes nothing and tells nothing."""
    new = make_upload()
    ledger.record_issued([new], quota=None, now=now, timeout=30)
    ledger.record_state(new.upload_id, "aborted", now=now, timeout=30)
    with pytest.raises(TransitionForbidden):
        ledger.record_arrival(make_arrival(new), now=now, timeout=30)

    assert [each.type for each in ledger.outbox.list_deliveries(new.upload_id)] == ["upload.aborted"]


def test_expiry_for_want_of_room_is_told(
    ledger: Ledger, make_upload: Callable[..., NewUpload], now: datetime
) -> None:
    """What an issue makes expire is told like any other expiry, though nobody named it."""
    old, new = make_upload(), make_upload()
    limit = QuotaLimit(pending_uploads=1)
    ledger.record_issued([old], quota=limit, now=now, timeout=30)
    ledger.record_issued([new], quota=limit, now=now + timedelta(hours=1), timeout=30)

    assert [each.type for each in ledger.outbox.list_deliveries(old.upload_id)] == ["upload.expired"]


def test_rejected_change_is_not_told(
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """Change and outbox are one transaction: a row that the database refuses leaves nothing to tell."""
    new = make_upload()
    with pytest.raises(RowRejected):
        ledger.record_arrival(make_arrival(new, size=1 << 70), now=now, timeout=30)

    assert ledger.outbox.list_deliveries(new.upload_id) == []


def test_routes_choose_the_sinks(
    make_ledger: Callable[..., Ledger],
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """Each sink that a profile and type lead to has a row of its own; none leads to none."""
    routes = {("photo", "upload.uploaded"): ("hooks", "broker"), ("photo", "upload.deleted"): ("broker",)}
    ledger = make_ledger(routes=lambda profile, event: routes.get((profile, event), ()))
    new, other = make_upload(), make_upload(profile="file")
    for each in (new, other):
        ledger.record_arrival(make_arrival(each), now=now, timeout=30)
        ledger.record_state(each.upload_id, "deleted", now=now, timeout=30)

    told = [(each.type, each.sink) for each in ledger.outbox.list_deliveries(new.upload_id)]

    assert told == [
        ("upload.uploaded", "hooks"),
        ("upload.uploaded", "broker"),
        ("upload.deleted", "broker"),
    ]
    assert ledger.outbox.list_deliveries(other.upload_id) == []


def test_claim_is_a_lease(ledger: Ledger, arrive: Callable[..., NewUpload], now: datetime) -> None:
    """What one deliverer has, no other gets until the lease is over; then it comes again under the same id."""
    arrive()
    (first,) = claim(ledger, now)
    meanwhile = claim(ledger, now + LEASE - timedelta(seconds=1), by="two")
    (again,) = claim(ledger, now + LEASE, by="two")

    assert (first.attempts, first.locked_by, first.locked_until) == (1, "one", now + LEASE)
    assert meanwhile == []
    assert (again.delivery_id, again.attempts, again.body) == (first.delivery_id, 2, first.body)


def test_claim_keeps_an_uploads_order(
    ledger: Ledger,
    arrive: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """Of an upload only the earliest that is pending is given out, though the clock went back a quarter of an hour."""
    new, other = arrive(), arrive()
    ledger.record_state(new.upload_id, "deleted", now=now - timedelta(minutes=15), timeout=30)

    first = claim(ledger, now)
    (uploaded,) = (each for each in first if each.upload_id == new.upload_id)
    blocked = claim(ledger, now)
    ledger.outbox.finish_delivery(uploaded, now=now)
    (deleted,) = claim(ledger, now)

    assert {each.upload_id for each in first} == {new.upload_id, other.upload_id}
    assert (uploaded.type, blocked, deleted.type) == ("upload.uploaded", [], "upload.deleted")


def test_followers_wait_with_what_failed(
    ledger: Ledger, arrive: Callable[..., NewUpload], now: datetime
) -> None:
    """What waits behind a failed delivery is moved with it, and is due at once when that is done."""
    new = arrive()
    ledger.record_state(new.upload_id, "deleted", now=now, timeout=30)
    (first,) = claim(ledger, now)
    later = now + timedelta(hours=2)
    ledger.outbox.retry_delivery(first, next_at=later, error="500")
    waiting = [each.next_at for each in ledger.outbox.list_deliveries(new.upload_id)]
    (again,) = claim(ledger, later)
    ledger.outbox.finish_delivery(again, now=later)

    assert waiting == [later, later]
    assert [each.type for each in claim(ledger, later)] == ["upload.deleted"]


def test_dead_lets_the_next_pass(ledger: Ledger, arrive: Callable[..., NewUpload], now: datetime) -> None:
    """A delivery that is given up no longer holds up what comes after it."""
    new = arrive()
    ledger.record_state(new.upload_id, "deleted", now=now, timeout=30)
    (first,) = claim(ledger, now)
    ledger.outbox.bury_delivery(first, error="gone for good", now=now)

    assert [each.type for each in claim(ledger, now)] == ["upload.deleted"]
    assert [each.last_error for each in ledger.outbox.list_dead()] == ["gone for good"]


def test_retry_waits_for_its_time(ledger: Ledger, arrive: Callable[..., NewUpload], now: datetime) -> None:
    """A failed delivery keeps its error and comes again at its time, not before."""
    arrive()
    (first,) = claim(ledger, now)
    next_at = now + timedelta(minutes=5)
    ledger.outbox.retry_delivery(first, next_at=next_at, error="it said \0 and \udc80 " + "x" * 900)

    assert claim(ledger, next_at - timedelta(seconds=1)) == []
    (again,) = claim(ledger, next_at)
    assert again.last_error is not None
    assert again.last_error.startswith("it said \\x00 and \\udc80 x")
    assert len(again.last_error) == 500
    assert again.attempts == 2


def test_settling_needs_the_lease(ledger: Ledger, arrive: Callable[..., NewUpload], now: datetime) -> None:
    """A deliverer that lost its lease can no longer put a delivery off or bury it, but what it has delivered counts."""
    arrive()
    (slow,) = claim(ledger, now)
    (quick,) = claim(ledger, now + LEASE, by="two")
    ledger.outbox.retry_delivery(slow, next_at=now + timedelta(days=1), error="slow")
    ledger.outbox.bury_delivery(slow, error="slow", now=now)
    (held,) = ledger.outbox.list_deliveries(slow.upload_id)
    ledger.outbox.finish_delivery(slow, now=now + LEASE)
    ledger.outbox.retry_delivery(quick, next_at=now, error="quick")
    (done,) = ledger.outbox.list_deliveries(slow.upload_id)

    assert (held.state, held.locked_by, held.last_error) == ("pending", "two", None)
    assert (done.state, done.delivered_at, done.locked_by) == ("delivered", now + LEASE, None)


def test_release_does_not_count(ledger: Ledger, arrive: Callable[..., NewUpload], now: datetime) -> None:
    """What is given back untried is due at once, and its attempt is not counted."""
    arrive()
    arrive()
    ledger.outbox.release_deliveries(claim(ledger, now), now=now)
    ledger.outbox.release_deliveries([], now=now)

    assert [each.attempts for each in claim(ledger, now, by="two")] == [1, 1]


def test_claim_is_bounded(ledger: Ledger, arrive: Callable[..., NewUpload], now: datetime) -> None:
    """A deliverer gets no more than it asked for, what is due first coming first."""
    for _ in range(5):
        arrive()

    assert claim(ledger, now, limit=0) == []
    assert len(claim(ledger, now, limit=2)) == 2
    assert len(claim(ledger, now)) == 3


def test_disabled_sink_keeps_its_deliveries(
    ledger: Ledger, arrive: Callable[..., NewUpload], make_ledger: Callable[..., Ledger], now: datetime
) -> None:
    """A disabled sink gets nothing, also after a restart, and everything once it is enabled."""
    arrive()
    ledger.outbox.disable_sink("hooks", reason="answered 410", now=now)
    ledger.outbox.disable_sink("hooks", reason="again", now=now + timedelta(days=1))
    other = make_ledger()
    blocked = claim(other, now)
    (state,) = other.outbox.list_sinks()
    ledger.outbox.enable_sink("hooks")
    ledger.outbox.enable_sink("never heard of")

    assert blocked == []
    assert (state.name, state.pending, state.dead, state.disabled_at, state.reason) == (
        "hooks",
        1,
        0,
        now,
        "answered 410",
    )
    assert len(claim(other, now)) == 1


def test_paused_sink_waits_as_a_whole(
    ledger: Ledger, arrive: Callable[..., NewUpload], now: datetime
) -> None:
    """A sink that asked for patience gets nothing from any deliverer until then."""
    arrive()
    (first,) = claim(ledger, now)
    arrive()
    pause_until = now + timedelta(seconds=30)
    ledger.outbox.retry_delivery(first, next_at=now, error="429", pause_until=pause_until)

    assert claim(ledger, pause_until - timedelta(seconds=1), by="two") == []
    assert len(claim(ledger, pause_until, by="two")) == 2
    assert [state.resume_at for state in ledger.outbox.list_sinks()] == [pause_until]


def test_dead_are_listed_and_replayed(
    ledger: Ledger, arrive: Callable[..., NewUpload], now: datetime
) -> None:
    """Dead deliveries are listed newest first and replayed by id or by sink, under their old ids and counted from one."""
    for _ in range(4):
        arrive()
    ids = sorted(each.delivery_id for each in claim(ledger, now))
    for each in claim(ledger, now + LEASE):
        ledger.outbox.bury_delivery(each, error="no", now=now)
    listed = [each.delivery_id for each in ledger.outbox.list_dead(name="hooks", limit=2)]
    rest = [each.delivery_id for each in ledger.outbox.list_dead(before=listed[-1])]
    by_id = ledger.outbox.replay_deliveries([ids[3], ids[3], "dl_unknown"], now=now)
    by_sink = ledger.outbox.replay_dead("hooks", limit=2, now=now)

    assert listed + rest == ids[::-1]
    assert (by_id, by_sink) == (1, 2)
    again = claim(ledger, now)
    assert {(each.delivery_id, each.attempts) for each in again} == {(ids[n], 1) for n in (0, 1, 3)}


def test_trim_leaves_what_is_not_delivered(
    ledger: Ledger, arrive: Callable[..., NewUpload], now: datetime
) -> None:
    """Only what was delivered long ago is deleted, in batches."""
    old = [arrive() for _ in range(3)]
    first, second, _ = claim(ledger, now)
    ledger.outbox.finish_delivery(first, now=now)
    ledger.outbox.finish_delivery(second, now=now)
    later = now + timedelta(days=31)

    assert ledger.outbox.trim_delivered(before=now, limit=10) == 0
    assert [ledger.outbox.trim_delivered(before=later, limit=1) for _ in range(3)] == [1, 1, 0]
    assert sum(len(ledger.outbox.list_deliveries(new.upload_id)) for new in old) == 1


def test_list_pending_shows_what_is_due_first(
    ledger: Ledger, arrive: Callable[..., NewUpload], now: datetime
) -> None:
    """What waits for a sink is listed by its time."""
    arrive()
    (first,) = claim(ledger, now)
    arrive()
    ledger.outbox.retry_delivery(first, next_at=now + timedelta(hours=1), error="no")

    assert [each.attempts for each in ledger.outbox.list_pending("hooks")] == [0, 1]
    assert ledger.outbox.list_pending("another") == []


def test_watcher_is_woken(
    ledger: Ledger, arrive: Callable[..., NewUpload], make_upload: Callable[..., NewUpload], now: datetime
) -> None:
    """The deliverer of a process is woken by what is new in the outbox, and by nothing else."""
    wake = threading.Event()
    ledger.outbox.watch(wake.set)
    ledger.record_issued([make_upload()], quota=None, now=now, timeout=30)
    before = wake.is_set()
    arrive()
    ledger.ping(timeout=30)

    assert (before, wake.is_set()) == (False, True)


# A transaction of SQLite's locks all of the file.
@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_claim_passes_by_what_another_has_locked(
    ledger: Ledger,
    arrive: Callable[..., NewUpload],
    now: datetime,
    hold_delivery: Callable[[str], AbstractContextManager[None]],
) -> None:
    """A deliverer in the middle of its claim keeps no other waiting."""
    for _ in range(3):
        arrive()
    held = ledger.outbox.list_pending("hooks")[0]
    with hold_delivery(held.delivery_id):
        claimed = [each.delivery_id for each in claim(ledger, now)]
    later = [each.delivery_id for each in claim(ledger, now)]

    assert (len(claimed), held.delivery_id in claimed) == (2, False)
    assert later == [held.delivery_id]


def test_many_deliverers_share_the_work(
    make_ledger: Callable[..., Ledger], arrive: Callable[..., NewUpload], ledger: Ledger, now: datetime
) -> None:
    """Four deliverers that claim at once get every delivery exactly once."""
    for _ in range(120):
        new = arrive()
        ledger.record_state(new.upload_id, "deleted", now=now, timeout=30)
    got: list[tuple[str, str]] = []

    def deliver(name: str) -> None:
        mine = make_ledger()
        while True:
            claimed = claim(mine, now, limit=7, by=name)
            if not claimed and not ledger.outbox.list_pending("hooks"):
                return
            for each in claimed:
                got.append((each.upload_id, each.type))
                mine.outbox.finish_delivery(each, now=now)

    threads = [threading.Thread(target=deliver, args=(f"d{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == len(set(got)) == 240
    places = {each: place for place, each in enumerate(got)}
    assert all(
        places[upload_id, "upload.uploaded"] < places[upload_id, "upload.deleted"] for upload_id, _ in got
    )
