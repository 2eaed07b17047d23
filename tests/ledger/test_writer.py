"""The writer: bad rows fail alone, full queues and lost time are said, outages are survived."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from ossgate.ledger import (
    Arrival,
    ArrivalOutcome,
    CallbackFilter,
    KeptRequest,
    Ledger,
    LedgerBusy,
    LedgerError,
    LedgerUnavailable,
    NewUpload,
    QuotaLimit,
    RowRejected,
    SchemaOutdated,
    writer,
)
from ossgate.ledger.database import Database
from ossgate.ledger.session import Session
from ossgate.ledger.statements import Statements

MakeLedger = Callable[..., Ledger]
MakeUpload = Callable[..., NewUpload]
MakeArrival = Callable[..., Arrival]
Hold = Callable[[], AbstractContextManager[Callable[[], None]]]


class Call(threading.Thread):
    """Call something in a thread and keep what it returned or raised."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self._work = work
        self.result: object = None
        self.error: LedgerError | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._work()
        except LedgerError as exc:
            self.error = exc


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another thread to get somewhere, for a few seconds at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize(
    "spoiled",
    [{"size": 2**70}, {"etag": "\ud800"}, {"reply": object()}, {"size": None}],
    ids=["number too large", "lone surrogate", "no bytes", "missing"],
)
def test_batch_when_a_row_is_bad(
    make_ledger: MakeLedger,
    make_upload: MakeUpload,
    make_arrival: MakeArrival,
    now: datetime,
    hold_database: Hold,
    spoiled: dict[str, object],
) -> None:
    """A row that the database will not take fails alone; the rest of its batch is recorded."""
    ledger = make_ledger(busy_timeout=30)
    news = [make_upload() for _ in range(8)]
    ledger.record_issued(news, quota=None, now=now)
    arrivals = [make_arrival(new, **(spoiled if n == 3 else {})) for n, new in enumerate(news)]
    with hold_database() as wait_for_writer:
        first = Call(lambda: ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=30))
        wait_for_writer()
        # Held up together behind the first, they end in one batch.
        calls = [
            Call(lambda arrival=arrival: ledger.record_arrival(arrival, now=now, timeout=30))
            for arrival in arrivals
        ]
        wait_until(lambda: ledger.waiting == 8)
    first.join()
    for call in calls:
        call.join()

    assert [type(call.error) for call in calls] == [RowRejected if n == 3 else type(None) for n in range(8)]
    states = [found.state for new in news if (found := ledger.fetch_upload(new.upload_id))]
    assert states == ["issued" if n == 3 else "uploaded" for n in range(8)]


def test_batch_when_a_lost_upload_arrives_and_is_noted(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, hold_database: Hold
) -> None:
    """In one batch an upload can be rebuilt, arrive twice, and get a note."""
    new = make_upload()
    with hold_database() as wait_for_writer:
        first = Call(lambda: ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=30))
        wait_for_writer()
        calls = [
            Call(lambda: ledger.record_arrival(make_arrival(new), now=now, timeout=30)) for _ in range(2)
        ]
        wait_until(lambda: ledger.waiting >= 2)
        ledger.record_handler_result(new.upload_id, "handler:late", now=now)
    for call in [first, *calls]:
        call.join()
    ledger.ping(timeout=5)

    outcomes = [call.result for call in calls if isinstance(call.result, ArrivalOutcome)]
    assert sorted(outcome.first for outcome in outcomes) == [False, True]
    claims = [change.claim for change in ledger.fetch_history(new.upload_id)]
    assert claims == ["issued", "uploaded", "handler:late"]


def test_row_rejected_says_little(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """The error of a rejected row is short and does not repeat the row."""
    with pytest.raises(RowRejected) as caught:
        ledger.record_arrival(make_arrival(make_upload(), etag="secret\ud800" * 1000), now=now, timeout=5)

    assert len(str(caught.value)) < 300
    assert caught.value.code == "row_rejected"


def test_queue_when_full(
    make_ledger: MakeLedger,
    make_upload: MakeUpload,
    make_arrival: MakeArrival,
    now: datetime,
    hold_database: Hold,
) -> None:
    """One more than the queue holds is refused at once; those in it are recorded."""
    ledger = make_ledger(queue_size=3)
    ledger.ping(timeout=5)
    with hold_database() as wait_for_writer:
        first = Call(lambda: ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=30))
        wait_for_writer()
        # On SQLite it has at least been taken out of the queue.
        wait_until(lambda: ledger._writer._turn.locked())
        calls = [
            Call(lambda arrival=arrival: ledger.record_arrival(arrival, now=now, timeout=30))
            for arrival in [make_arrival(make_upload()) for _ in range(3)]
        ]
        wait_until(lambda: ledger.waiting == 3)

        with pytest.raises(LedgerBusy, match="3 jobs are waiting") as caught:
            ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=30)

    assert caught.value.begun is False
    for call in [first, *calls]:
        call.join()
        assert call.error is None


def test_callbacks_when_the_queue_is_full(
    make_ledger: MakeLedger,
    keep: Callable[..., KeptRequest],
    make_upload: MakeUpload,
    make_arrival: MakeArrival,
    now: datetime,
    hold_database: Hold,
) -> None:
    """Refused ones past the bound are dropped and counted, and keep nobody else out."""
    ledger = make_ledger(queue_size=5)
    ledger.ping(timeout=5)
    with hold_database() as wait_for_writer:
        first = Call(lambda: ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=30))
        wait_for_writer()
        for _ in range(100):
            keep(into=ledger, wait=False)
        second = Call(lambda: ledger.ping(timeout=30))
    first.join()
    second.join()
    ledger.ping(timeout=5)

    assert second.error is None
    assert ledger.dropped + len(ledger.inbox.find_callbacks(CallbackFilter(), limit=200)) == 100
    assert ledger.dropped > 0


def test_timeout_when_not_begun(
    make_ledger: MakeLedger,
    make_upload: MakeUpload,
    make_arrival: MakeArrival,
    now: datetime,
    hold_database: Hold,
) -> None:
    """A waiter that gives up before its row has begun takes it away."""
    ledger = make_ledger()
    ledger.ping(timeout=5)
    cancelled = make_upload()
    with hold_database() as wait_for_writer:
        first = Call(lambda: ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=30))
        wait_for_writer()
        with pytest.raises(LedgerBusy, match="did not get to it") as caught:
            ledger.record_arrival(make_arrival(cancelled), now=now, timeout=0.01)
    first.join()
    ledger.ping(timeout=5)

    assert caught.value.begun is False
    assert ledger.fetch_upload(cancelled.upload_id) is None


def test_batch_that_hangs_is_waited_for_by_the_first_alone(
    make_ledger: MakeLedger,
    make_upload: MakeUpload,
    make_arrival: MakeArrival,
    now: datetime,
    hold_database: Hold,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once a batch has taken longer than its waiters waited, whoever comes later is refused at once, and does not queue."""
    monkeypatch.setattr(writer, "_PATIENCE_SECONDS", 0.2)
    ledger = make_ledger(busy_timeout=30)
    ledger.ping(timeout=5)
    arrivals = [make_arrival(make_upload()) for _ in range(4)]
    with hold_database():
        first = Call(lambda: ledger.record_arrival(arrivals[0], now=now, timeout=0.2))
        first.join(10)
        for arrival in arrivals[1:]:
            with pytest.raises(LedgerUnavailable, match="does not answer"):
                ledger.record_arrival(arrival, now=now, timeout=0.2)
        # Who has more patience goes on waiting.
        patient = Call(lambda: ledger.record_arrival(arrivals[1], now=now, timeout=30))
    patient.join()

    assert isinstance(first.error, LedgerBusy)
    assert isinstance(patient.result, ArrivalOutcome)
    assert patient.result.first
    assert ledger.record_arrival(arrivals[2], now=now, timeout=5).first


def test_lock_when_held_for_long(
    make_ledger: MakeLedger,
    make_upload: MakeUpload,
    make_arrival: MakeArrival,
    now: datetime,
    hold_database: Hold,
) -> None:
    """A lock held past the busy timeout releases every waiter, and the next call finds the ledger well."""
    ledger = make_ledger(busy_timeout=0.1)
    ledger.ping(timeout=5)
    arrivals = [make_arrival(make_upload()) for _ in range(4)]
    with hold_database():
        calls = [
            Call(lambda arrival=arrival: ledger.record_arrival(arrival, now=now, timeout=30))
            for arrival in arrivals
        ]
        for call in calls:
            call.join(10)

        assert [type(call.error) for call in calls] == [LedgerUnavailable] * 4

    assert ledger.record_arrival(arrivals[0], now=now, timeout=5).first


def test_timeout_when_the_database_is_known_to_fail(
    make_ledger: MakeLedger,
    make_upload: MakeUpload,
    make_arrival: MakeArrival,
    now: datetime,
    hold_database: Hold,
) -> None:
    """While the database fails, a waiter whose time is up is told that, not that the ledger is busy."""
    ledger = make_ledger(busy_timeout=0.1)
    with hold_database():
        for timeout in (30, 0.001):
            with pytest.raises(LedgerUnavailable):
                ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=timeout)


def test_outage_is_logged_once(
    make_ledger: MakeLedger,
    make_upload: MakeUpload,
    make_arrival: MakeArrival,
    now: datetime,
    hold_database: Hold,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log tells when the database fails and when it is back, once each."""
    ledger = make_ledger(busy_timeout=0.05)
    with hold_database():
        for _ in range(3):
            with pytest.raises(LedgerUnavailable):
                ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=30)
    ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=5)

    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert [text.partition(":")[0] for text in warnings] == ["ledger unavailable", "ledger available again"]


def test_connection_when_cut_while_idle(
    ledger: Ledger, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime, url: str
) -> None:
    """A connection that the server has closed meanwhile costs nobody anything."""
    ledger.ping(timeout=5)
    _cut_connections(ledger, url)

    assert ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=5).first


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_connection_when_cut_in_a_transaction(
    make_ledger: MakeLedger,
    make_upload: MakeUpload,
    make_arrival: MakeArrival,
    now: datetime,
    url: str,
    hold_database: Hold,
) -> None:
    """A server that goes away in the middle releases the waiters; the next call is recorded."""
    ledger = make_ledger()
    ledger.ping(timeout=5)
    arrival = make_arrival(make_upload())
    with hold_database() as wait_for_writer:
        call = Call(lambda: ledger.record_arrival(arrival, now=now, timeout=30))
        wait_for_writer()
        _cut_connections(ledger, url)
        call.join(10)

        assert type(call.error) is LedgerUnavailable

    assert ledger.record_arrival(arrival, now=now, timeout=5).first


def test_disk_when_full(
    tmp_path: Path, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """A full disk releases the waiters, loses nothing acknowledged, and is survived."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'full.sqlite3'}")
    ledger.upgrade()
    kept = make_upload()
    ledger.record_arrival(make_arrival(kept), now=now, timeout=5)
    session = ledger._writer._session
    assert session is not None
    session.connection.execute("PRAGMA max_page_count=1")

    with pytest.raises(LedgerUnavailable, match="full"):
        ledger.record_arrival(make_arrival(make_upload(), reply=b"x" * 10_000_000), now=now, timeout=5)

    # The new connection has no such bound: there is room again.
    assert ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=5).first
    assert ledger.fetch_upload(kept.upload_id) is not None
    ledger.close()


def test_file_when_removed_and_put_back(
    tmp_path: Path, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """Nothing is acknowledged that goes into a file which is no longer there."""
    path = tmp_path / "ledger.sqlite3"
    ledger = Ledger(f"sqlite:///{path}")
    ledger.upgrade()
    ledger.ping(timeout=5)
    path.rename(tmp_path / "away")

    with pytest.raises(SchemaOutdated):
        ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=5)
    assert not path.exists()

    (tmp_path / "away").rename(path)
    assert ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=5).first
    ledger.close()


def test_ping_when_well(ledger: Ledger) -> None:
    """A ping passes and leaves no trace."""
    ledger.ping(timeout=5)

    assert ledger.list_uploads() == []


def test_ping_when_there_are_no_tables(empty_url: str) -> None:
    """Before the first upgrade a ping says what to run, and makes no file."""
    ledger = Ledger(empty_url)

    with pytest.raises(SchemaOutdated, match="ossgate db upgrade") as caught:
        ledger.ping(timeout=5)

    assert (caught.value.found, caught.value.code) == (None, "schema_outdated")
    path = make_url(empty_url).database if empty_url.startswith("sqlite") else None
    assert path is None or not Path(path).exists()
    ledger.close()


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_database_when_read_only(
    url: str, make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime
) -> None:
    """A server that takes no writes is unavailable, and a ping says so."""
    ledger = Ledger(f"{url}?options=-cdefault_transaction_read_only%3Don")

    with pytest.raises(LedgerUnavailable, match="read-only"):
        ledger.ping(timeout=5)
    with pytest.raises(LedgerUnavailable, match="read-only"):
        ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=5)
    ledger.close()


def test_server_when_unreachable(make_upload: MakeUpload, make_arrival: MakeArrival, now: datetime) -> None:
    """A server that nobody can reach is told in one line without its password."""
    ledger = Ledger("postgresql+psycopg://user:pass%40word@127.0.0.1:1/none")

    with pytest.raises(LedgerUnavailable) as caught:
        ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=5)
    with pytest.raises(LedgerUnavailable) as read:
        ledger.fetch_upload("x")

    for exc in (caught.value, read.value):
        assert "pass" not in str(exc)
        assert len(str(exc)) < 300
    ledger.close()


def test_close_flushes(
    make_ledger: MakeLedger, keep: Callable[..., KeptRequest], hold_database: Hold
) -> None:
    """What was queued before the close is there after it."""
    ledger = make_ledger()
    ledger.ping(timeout=5)
    with hold_database():
        for _ in range(200):
            keep(into=ledger, wait=False)
        closing = Call(ledger.close)
    closing.join()

    assert len(make_ledger().inbox.find_callbacks(CallbackFilter(), limit=500)) == 200


def test_use_after_close(make_ledger: MakeLedger, keep: Callable[..., KeptRequest]) -> None:
    """A closed ledger says so, drops callbacks, and may be closed again."""
    ledger = make_ledger()
    ledger.ping(timeout=5)
    ledger.close()
    ledger.close()
    keep(into=ledger, wait=False)

    with pytest.raises(LedgerUnavailable, match="closed"):
        ledger.ping(timeout=5)
    with pytest.raises(LedgerUnavailable, match="closed"):
        ledger.fetch_upload("x")
    assert ledger.dropped == 1


def test_nothing_happens_before_the_first_use(empty_url: str) -> None:
    """To make a ledger starts no thread and opens nothing."""
    before = threading.active_count()
    ledger = Ledger(empty_url)

    assert threading.active_count() == before
    assert ledger._database._engine is None
    ledger.close()


def test_sqlite_is_durable(tmp_path: Path) -> None:
    """The writer's connection is set to survive a power cut, and the file is in WAL mode."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    ledger.upgrade()
    ledger.ping(timeout=5)
    session = ledger._writer._session
    assert session is not None
    connection: sqlite3.Connection = session.connection

    found = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    ledger.close()


def _cut_connections(ledger: Ledger, url: str) -> None:
    if url.startswith("sqlite"):
        session = ledger._writer._session
        assert session is not None
        session.connection.close()
        return
    import psycopg

    with psycopg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as connection:
        # Only those of the writer: the one that holds a lock in a test has no lock_timeout set.
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND query NOT LIKE 'LOCK TABLE%'"
        )


def test_what_waits_for_the_disk(
    make_ledger: MakeLedger,
    make_upload: MakeUpload,
    make_arrival: MakeArrival,
    now: datetime,
    hold_database: Hold,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All does but grants that their tickets and seals would bring back; and where one of a batch must, all of it does."""
    waited, commit = [], Session.commit

    def note(session: Session, *, lasts: bool = True) -> None:
        waited.append(lasts)
        commit(session, lasts=lasts)

    monkeypatch.setattr(Session, "commit", note)
    ledger = make_ledger()

    def issue(*vias: str) -> None:
        uploads = [make_upload(via=via) for via in vias]
        ledger.record_issued(uploads, quota=QuotaLimit(bytes=10**9), now=now, timeout=30)

    issue("post", "put")
    ledger.require_room("alice", "photo", quota=QuotaLimit(bytes=10**9), size=1, now=now)
    for via in ("multipart", "sts"):
        issue("post", via)
    arrived = make_upload()
    ledger.record_arrival(make_arrival(arrived), now=now, timeout=5)
    ledger.record_reply(arrived.upload_id, b"x", timeout=5)
    ledger.record_state(arrived.upload_id, "deleted", now=now, timeout=5)
    assert waited == [False, False, True, True, True, True, True]

    with hold_database() as wait_for_writer:
        calls = [Call(lambda: ledger.record_reply(arrived.upload_id, b"y", timeout=30))]
        wait_for_writer()
        wait_until(lambda: ledger.waiting == 0)
        calls += [
            Call(lambda: issue("post")),
            Call(lambda: ledger.record_arrival(make_arrival(make_upload()), now=now, timeout=30)),
        ]
        wait_until(lambda: ledger.waiting == 2)
    for call in calls:
        call.join()
    assert [call.error for call in calls] == [None] * 3
    assert set(waited[7:]) == {True}


@pytest.mark.parametrize("lasts", [True, False])
def test_how_a_commit_waits_for_the_disk(url: str, lasts: bool) -> None:
    """In the words of each database: SQLite hears it before (2 is FULL, 1 NORMAL), PostgreSQL with the commit, for this one alone."""
    database = Database(url, busy_timeout=5.0)
    session = Session(database, Statements(database.dialect))
    session.prepare()
    said: list[object] = []
    execute = session.connection.execute
    session.begin(lasts=lasts)
    if database.is_sqlite:
        said += execute("PRAGMA synchronous").fetchone()
    else:
        session.connection.execute = lambda sql: (said.append(sql), execute(sql))[1]
    session.commit(lasts=lasts)
    session.verify_committed()
    session.begin()
    after = execute("PRAGMA synchronous" if database.is_sqlite else "SHOW synchronous_commit").fetchone()
    session.rollback()
    session.close()
    database.dispose()

    if database.is_sqlite:
        assert (said, after) == ([2 if lasts else 1], (2,))
    else:
        relaxed = [] if lasts else ["SET LOCAL synchronous_commit TO off"]
        assert (said[: len(relaxed) + 1], after) == ([*relaxed, "COMMIT"], ("on",))
