"""The inbox: every callback as it came, with its verdict; bounded, searched, and never in the way of an arrival."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from ossgate.ledger import (
    Arrival,
    CallbackFilter,
    InboxBounds,
    Judgement,
    KeptRequest,
    Ledger,
    LedgerUnavailable,
    NewUpload,
    TransitionForbidden,
    inbox_jobs,
    writer,
)

Keep = Callable[..., KeptRequest]
EVERYTHING = CallbackFilter()


def list_verdicts(ledger: Ledger, **wanted: Any) -> list[tuple[str, str]]:
    """List the ids that are kept, oldest first, with their verdicts."""
    found = ledger.inbox.find_callbacks(CallbackFilter(**wanted), limit=500, oldest_first=True)
    return [(one.request.callback_id, one.judgement.verdict) for one in found]


def run_sql(url: str, statement: str) -> None:
    """Run a statement beside the ledger."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for the writer, for a few seconds at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_callback_reads_back_as_it_came(ledger: Ledger, make_request: Callable[..., KeptRequest]) -> None:
    """Whatever bytes a stranger sends, and whatever text, on either database."""
    request = make_request(
        raw_target=bytes(range(256)),
        body=bytes(range(256)),
        headers={"authorization": "\0\ud800猫", "x-oss-tag": "CALLBACK"},
        body_size=70_000,
        cut="body",
    )
    judgement = Judgement("refused", "request", "callback_too_large", "too large", "01u1", 12)
    ledger.inbox.keep(request, judgement)
    ledger.ping(timeout=5)
    kept = ledger.inbox.fetch_callback(request.callback_id)

    assert kept is not None
    assert (kept.request, kept.judgement) == (request, judgement)
    assert ledger.inbox.fetch_callback("nothing") is None


def test_text_that_no_database_stores_is_escaped(
    ledger: Ledger, make_request: Callable[..., KeptRequest]
) -> None:
    """A NUL and half a surrogate pair in what is told; a number that no column holds."""
    request = make_request(remote_addr="a\0b", body_size=10**30)
    ledger.inbox.keep(request, Judgement("refused", detail="\ud800", upload_id="\0"))
    ledger.ping(timeout=5)
    (kept,) = ledger.inbox.find_callbacks(EVERYTHING)

    assert ("a\\x00b", 2**63 - 1) == (kept.request.remote_addr, kept.request.body_size)
    assert ("\\ud800", "\\x00") == (kept.judgement.detail, kept.judgement.upload_id)


@pytest.mark.parametrize(("target", "verdict"), [("uploaded", "believed"), ("unconfirmed", "unconfirmed")])
def test_arrival_is_kept_with_its_callback(
    ledger: Ledger, make_upload: Callable[..., NewUpload], make_arrival: Callable[..., Arrival],
    make_request: Callable[..., KeptRequest], now: datetime, target: str, verdict: str,
) -> None:  # fmt: skip
    """In one commit: the first is believed, a further one repeated."""
    arrival = make_arrival(make_upload(), target=target, took_ms=7)
    first, second = make_request(), make_request()
    for request in (first, second):
        ledger.record_arrival(replace(arrival, callback=request), now=now, timeout=5)

    assert [(first.callback_id, verdict), (second.callback_id, "repeated")] == list_verdicts(ledger)
    (found,) = ledger.inbox.find_callbacks(CallbackFilter(verdict=verdict))
    assert (arrival.upload.upload_id, 7, "", "") == (
        found.judgement.upload_id, found.judgement.took_ms, found.judgement.layer, found.judgement.code,
    )  # fmt: skip


def test_arrival_that_comes_to_nothing_is_left_to_whoever_refuses_it(
    ledger: Ledger, make_upload: Callable[..., NewUpload], make_arrival: Callable[..., Arrival],
    make_request: Callable[..., KeptRequest], now: datetime,
) -> None:  # fmt: skip
    """Other bytes, and an upload that was aborted: the ledger keeps no verdict that it does not know."""
    replaced, aborted = make_upload(), make_upload()
    ledger.record_arrival(make_arrival(replaced), now=now, timeout=5)
    ledger.record_issued([aborted], quota=None, now=now)
    ledger.record_state(aborted.upload_id, "aborted", now=now, timeout=5)
    other = make_arrival(replaced, etag="0" * 32, callback=make_request())

    assert ledger.record_arrival(other, now=now, timeout=5).conflict
    with pytest.raises(TransitionForbidden):
        ledger.record_arrival(make_arrival(aborted, callback=make_request()), now=now, timeout=5)
    assert [] == list_verdicts(ledger)


def test_answer_counts_where_two_verdicts_meet(
    ledger: Ledger, make_upload: Callable[..., NewUpload], make_arrival: Callable[..., Arrival],
    make_request: Callable[..., KeptRequest], now: datetime,
) -> None:  # fmt: skip
    """A commit that was given up and came through all the same: the callback is there once, with what OSS was answered."""
    request = make_request()
    ledger.record_arrival(make_arrival(make_upload(), callback=request), now=now, timeout=5)
    ledger.inbox.keep(request, Judgement("unavailable", "ledger", "ledger_busy"))
    ledger.ping(timeout=5)

    assert [(request.callback_id, "unavailable")] == list_verdicts(ledger)


def test_arrival_is_recorded_though_its_callback_cannot_be(
    ledger: Ledger, make_upload: Callable[..., NewUpload], make_arrival: Callable[..., Arrival],
    make_request: Callable[..., KeptRequest], now: datetime,
) -> None:  # fmt: skip
    """A row of the inbox that the database refuses costs neither its own arrival nor others of the batch."""
    bad = replace(make_request(), cut=object())  # type: ignore[arg-type]
    arrivals = [make_arrival(make_upload(), callback=one) for one in (make_request(), bad, make_request())]
    for arrival in arrivals:
        assert ledger.record_arrival(arrival, now=now, timeout=5).first

    assert 2 == len(list_verdicts(ledger, verdict="believed"))


FILTERS: list[tuple[dict[str, str], list[int]]] = [
    ({}, [0, 1, 2, 3, 4]),
    ({"verdict": "refused"}, [1, 2]),
    ({"verdict": "believed"}, [0, 4]),
    ({"layer": "ticket"}, [2]),
    ({"layer": ""}, []),
    ({"code": "ledger_busy"}, [3]),
    ({"code": "nosuch"}, []),
    ({"upload_id": "01u1"}, [0, 2]),
    ({"upload_id": "01u1", "verdict": "refused"}, [2]),
    ({"remote_addr": "192.0.2.7"}, [0, 1, 2, 3]),
    ({"remote_addr": "2001:db8::1"}, [4]),
    ({"from_id": "01c000003"}, [2, 3, 4]),
    ({"below_id": "01c000003"}, [0, 1]),
    ({"from_id": "01c000002", "below_id": "01c000005", "verdict": "refused"}, [1, 2]),
]


def test_search_finds_by_every_filter(ledger: Ledger, keep: Keep) -> None:
    """Alone and together, in both orders, by pages and counted."""
    kept = [
        keep("believed", upload_id="01u1"),
        keep(),
        keep(layer="ticket", code="ticket_expired", upload_id="01u1"),
        keep("unavailable", layer="ledger", code="ledger_busy", upload_id="01u2"),
        keep("believed", upload_id="01u3", remote_addr="2001:db8::1"),
    ]
    ids = [one.callback_id for one in kept]
    for wanted, numbers in FILTERS:
        found = [callback_id for callback_id, _ in list_verdicts(ledger, **wanted)]
        assert [ids[number] for number in numbers] == found, wanted
        assert len(numbers) == ledger.inbox.count_callbacks(CallbackFilter(**wanted)), wanted
    (newest,) = ledger.inbox.find_callbacks(EVERYTHING, limit=1)
    assert ids[-1] == newest.request.callback_id


def test_each_verdict_has_its_own_bound(
    make_ledger: Callable[..., Ledger], keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much rubbish comes, what was believed stays; the newest stay of each, in small steps."""
    monkeypatch.setattr(inbox_jobs, "TRIMMED_AT_ONCE", 3)
    ledger = make_ledger(inbox=InboxBounds(believed=5, others=20))
    believed = [keep("believed", into=ledger, wait=False) for _ in range(4)]
    refused = [keep(into=ledger, wait=False) for _ in range(200)]
    unavailable = [keep("unavailable", into=ledger, wait=False) for _ in range(2)]
    ledger.close()
    left = make_ledger()
    found = [callback_id for callback_id, _ in list_verdicts(left, verdict="refused")]

    assert 20 <= len(found) <= 21
    assert [one.callback_id for one in refused[-20:]] == found[-20:]
    assert 4 == len(believed) == len(list_verdicts(left, verdict="believed"))
    assert 2 == len(unavailable) == len(list_verdicts(left, verdict="unavailable"))


def test_what_is_too_old_goes(make_ledger: Callable[..., Ledger], keep: Keep, now: datetime) -> None:
    """With the next callback of any kind, an hour after the last look or with the first of a process."""
    ledger = make_ledger(inbox=InboxBounds(days=2))
    old = [keep(verdict, into=ledger, at=now) for verdict in ("believed", "refused", "crashed")]
    keep("believed", into=ledger, at=now + timedelta(minutes=59, days=2))
    new = keep("believed", into=ledger, at=now + timedelta(days=3))
    ledger.close()

    assert old[0].callback_id != new.callback_id
    assert [new.callback_id] == [callback_id for callback_id, _ in list_verdicts(make_ledger())][-1:]
    assert 2 == len(list_verdicts(make_ledger()))


def test_nought_keeps_none(
    make_ledger: Callable[..., Ledger], keep: Keep, make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival], make_request: Callable[..., KeptRequest], now: datetime,
) -> None:  # fmt: skip
    """Who wants no inbox has none, and pays nothing for it."""
    ledger = make_ledger(inbox=InboxBounds(believed=0, others=0))
    keep(into=ledger)
    ledger.record_arrival(make_arrival(make_upload(), callback=make_request()), now=now, timeout=5)

    assert [] == list_verdicts(ledger)


def test_callbacks_wait_for_the_database(
    url: str, ledger: Ledger, keep: Keep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be written now is written when it can, though nobody asks for anything."""
    monkeypatch.setattr(writer, "_RETRY_SECONDS", 0.02)
    ledger.ping(timeout=5)
    run_sql(url, "ALTER TABLE inbox RENAME TO away")
    kept = [keep("unavailable", wait=False) for _ in range(3)]
    wait_until(lambda: ledger.waiting == 3 and ledger._writer._is_aside_suspect)
    run_sql(url, "ALTER TABLE away RENAME TO inbox")
    wait_until(lambda: ledger.waiting == 0)
    ledger.ping(timeout=5)

    assert [(one.callback_id, "unavailable") for one in kept] == list_verdicts(ledger)
    assert 0 == ledger.dropped


def test_inbox_that_cannot_be_written_fails_nobody_else(
    url: str, ledger: Ledger, keep: Keep, make_upload: Callable[..., NewUpload], now: datetime,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Uploads are recorded beside it; what is at fault itself is dropped, counted and logged once."""
    monkeypatch.setattr(writer, "_RETRY_SECONDS", 0.02)
    ledger.ping(timeout=5)
    run_sql(url, "ALTER TABLE inbox RENAME TO away")
    for _ in range(3):
        keep(wait=False)
    wait_until(lambda: ledger._writer._is_aside_suspect)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            ledger.record_issued([make_upload()], quota=None, now=now, timeout=5)
        wait_until(lambda: ledger.dropped == 3)

    assert 1 == sum("dropped" in line.message for line in caplog.records)
    run_sql(url, "ALTER TABLE away RENAME TO inbox")
    assert 5 == len(ledger.list_uploads())
    keep(wait=False)
    wait_until(lambda: len(list_verdicts(ledger)) == 1)


def test_ledger_that_is_closed_in_an_outage_ends(
    url: str, make_ledger: Callable[..., Ledger], keep: Keep
) -> None:
    """What waits then is lost, and counted."""
    ledger = make_ledger()
    ledger.ping(timeout=5)
    run_sql(url, "ALTER TABLE inbox RENAME TO away")
    keep(into=ledger, wait=False)
    ledger.close()

    assert 1 == ledger.dropped
    with pytest.raises(LedgerUnavailable, match="closed"):
        ledger.inbox.find_callbacks(EVERYTHING)
