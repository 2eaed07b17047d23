"""Every query of the product, explained on a large ledger: none reads a whole table."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Select, create_engine, event, text
from sqlalchemy.engine import URL

from ossgate.ledger import CallbackFilter, Ledger, UploadFilter
from ossgate.ledger.compiler import Statement
from ossgate.ledger.database import Database
from ossgate.ledger.inbox import build_inbox_search
from ossgate.ledger.reads import build_list
from ossgate.ledger.retention import build_prunable
from ossgate.ledger.rows import encode_time
from ossgate.ledger.statements import UPLOAD_COLUMNS, Statements
from ossgate.ledger.sweeps import build_list_by_key, build_list_outlived, build_list_waiting
from ossgate.ledger.tables import delivery, inbox, upload

UPLOADS = 1_000_000
# One in 100 waits, one in 20 has expired, one in 2,000 stays for a while alone; five profiles, of which one is rare and
# has a quota; 5,000 subjects.
# Of the first 200,000 there is a callback, more than are kept by default; most are believed and of few addresses.
# Each that waits or has expired has a history and an account; one in five has been told to an application, one in 1,000 is yet to be.
FILL = (
    """
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :uploads)
    INSERT INTO upload (upload_id, profile, subject, issuer, via, bucket, object_key, file_name, content_type, size_min,
                        size_max, variables, quota_key, quota_period, created_at, expires_at, state, size, etag, changed_at, keep_until)
    SELECT '01U' || CAST(100000000 + n AS TEXT),
           CASE WHEN n % 1000 = 0 THEN 'rare' ELSE 'photo' || CAST(n % 4 AS TEXT) END,
           'user' || CAST(n % 5000 AS TEXT), 'jwt', 'post', 'demo-bucket', 'photos/' || CAST(100000000 + n AS TEXT),
           'a.jpg', 'image/jpeg', 1, 100, '{}', CASE WHEN n % 1000 = 0 THEN 'jwt:user' || CAST(n % 5000 AS TEXT) ELSE '' END,
           CASE WHEN n % 1000 = 0 THEN 'ever' ELSE '' END, :start + n * 1000, :start + n * 1000 + 300000,
           CASE WHEN n % 100 = 0 THEN 'issued' WHEN n % 20 = 0 THEN 'expired' ELSE 'uploaded' END,
           3, 'AB12', :start + n * 1000, CASE WHEN n % 2000 = 1 THEN :start + n * 2000 END
    FROM numbers
    """,
    """
    INSERT INTO history (upload_id, claim, at, facts)
    SELECT upload_id, 'issued', created_at, '{}' FROM upload WHERE state <> 'uploaded'
    """,
    """
    INSERT INTO quota (quota_key, profile, period, pending_uploads, bytes)
    SELECT 'jwt:' || upload_id, profile, CASE WHEN created_at % 100000 = 0 THEN '2025-12-01' ELSE 'ever' END, 1, 100
    FROM upload WHERE state <> 'uploaded'
    """,
    """
    INSERT INTO delivery (delivery_id, upload_id, sink, type, step, body, state, attempts, next_at, created_at, delivered_at)
    SELECT upload_id, upload_id, 'application', 'upload.uploaded', 2, '{}',
           CASE WHEN created_at % 1000000 = 0 THEN 'pending' WHEN created_at % 1000000 = 5000 THEN 'dead' ELSE 'delivered' END,
           1, created_at, created_at, created_at
    FROM upload WHERE created_at % 5000 = 0
    """,
    """
    INSERT INTO inbox (callback_id, at, verdict, layer, code, detail, upload_id, remote_addr, took_ms, body_size, cut, raw_target, headers, body)
    SELECT upload_id, created_at,
           CASE WHEN created_at % 1000000 = 0 THEN 'unavailable' WHEN created_at % 20000 = 0 THEN 'refused' ELSE 'believed' END,
           CASE WHEN created_at % 1000000 = 0 THEN 'ledger' WHEN created_at % 1000000 = 20000 THEN 'ticket'
                WHEN created_at % 20000 = 0 THEN 'signature' ELSE '' END,
           CASE WHEN created_at % 1000000 = 0 THEN 'ledger_busy' WHEN created_at % 1000000 = 20000 THEN 'ticket_refused'
                WHEN created_at % 20000 = 0 THEN 'callback_signature_invalid' ELSE '' END,
           '', CASE WHEN created_at % 20000 = 0 THEN NULL ELSE upload_id END,
           CASE WHEN created_at % 20000 = 0 THEN '198.51.100.' || CAST(created_at / 1000 % 256 AS TEXT)
                ELSE '192.0.2.' || CAST(created_at / 1000 % 8 AS TEXT) END,
           1, 0, '', :body, '{}', :body
    FROM upload WHERE upload_id <= '01U100200000'
    """,
)
# However many uploads there are, these hold a few rows, which are read whole.
SMALL = ("sink", "lease", "reconcile_run", "reconcile_finding")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def large_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, now: datetime) -> str:
    """Fill a database and let it learn what is in it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('large') / 'ledger.sqlite3'}"
    else:
        server: URL = request.getfixturevalue("postgresql_database")
        url = server.render_as_string(hide_password=False)
    ledger = Ledger(url)
    ledger.upgrade()
    ledger.close()
    engine = create_engine(url)
    # To the second, by which the rows of the outbox are chosen.
    values = {
        "start": encode_time(now - timedelta(days=100)) // 1_000_000 * 1_000_000,
        "uploads": UPLOADS,
        "body": b"",
    }
    # Made when all is there, they cost half as much.
    indexes = [index for table in (upload, delivery, inbox) for index in table.indexes]
    for index in indexes:
        # The tables say for SQLite alone which rows are in it.
        index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
    with engine.begin() as connection:
        for index in indexes:
            index.drop(connection)
        for statement in FILL:
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
        for index in indexes:
            index.create(connection)
        connection.execute(text("ANALYZE"))
    engine.dispose()
    return url


@pytest.fixture(scope="module")
def large(large_url: str) -> Iterator[Connection]:
    """Connect to it."""
    engine = create_engine(large_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(scope="module")
def large_ledger(large_url: str) -> Iterator[Ledger]:
    """Open it as the product does."""
    ledger = Ledger(large_url)
    yield ledger
    ledger.close()


@pytest.fixture(scope="module")
def now() -> datetime:
    """Stand still at one moment, for the whole module."""
    return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def explain(connection: Connection, query: Select[Any]) -> list[str]:
    """Give the plan of a query with its parameters, line by line."""
    compiled = query.compile(connection)
    positions = getattr(compiled, "positiontup", None)
    parameters = tuple(compiled.params[name] for name in positions) if positions else compiled.params
    return explain_text(connection, compiled.string, parameters)


def explain_text(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """Give the plan of a statement as it reaches the driver."""
    is_sqlite = connection.dialect.name == "sqlite"
    prefix = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    rows = connection.exec_driver_sql(prefix + statement, parameters).all()
    return [row[-1] if is_sqlite else row[0] for row in rows]


def reads_whole(line: str) -> bool:
    """Tell whether a line of a plan reads a whole table that is large."""
    if any(f"Seq Scan on {name}" in line or line == f"SCAN {name}" for name in SMALL):
        return False
    return "Seq Scan" in line or ("SCAN" in line and "INDEX" not in line)


def has_scan(line: str) -> bool:
    """Tell the same, or that what has been read is sorted.

    PostgreSQL may fetch the few rows of a subject and sort them, which is as good.
    """
    return reads_whole(line) or "TEMP B-TREE" in line


OUTBOX_ROW: dict[str, object] = {
    **dict.fromkeys(
        ("sink", "upload_id", "delivery_id", "locked_by", "state", "last_error", "name", "before"), "a"
    ),
    **dict.fromkeys(("now", "limit", "attempts", "next_at", "locked_until", "delivered_at"), 1),
    **dict.fromkeys(("disabled_at", "resume_at"), 1),
    "reason": "a",
}
SWEEP_ROW: dict[str, object] = {
    **dict.fromkeys(
        ("name", "owner", "scope", "run_id", "upload_id",
         "below", "before", "cursor", "counts"), "a",
    ),
    **dict.fromkeys(("now", "until", "changed_at", "finished_at", "limit", "kept"), 1),
}  # fmt: skip
CALLBACK_ROW: dict[str, object] = {
    **dict.fromkeys((*inbox.c.keys(), "through"), "a"),
    **dict.fromkeys(("at", "took_ms", "body_size", "limit", "before"), 1),
    **dict.fromkeys(("raw_target", "body"), b"a"),
}
QUERIES: dict[str, Callable[[Statements], tuple[Statement, tuple[object, ...]]]] = {
    "uploads": lambda made: (made.select_uploads(2), ("a", "b")),
    "accounts": lambda made: (made.select_quotas(2), ("a", "b", "c", "d", "e", "f")),
    "overdue": lambda made: (made.select_overdue, ("a", "b", "ever", 1, 500)),
    "update of an upload": lambda made: (
        made.update_upload,
        made.update_upload.pick({**dict.fromkeys(UPLOAD_COLUMNS, None), "upload_id": "a"}),
    ),
    "update of an account": lambda made: (
        made.update_quota,
        made.update_quota.pick(
            {"pending_uploads": 1, "bytes": 1, "quota_key": "a", "profile": "b", "period": "c"}
        ),
    ),
    "callback": lambda made: (made.keep_callback, made.keep_callback.pick(CALLBACK_ROW)),
    "surplus of the inbox": lambda made: (made.select_surplus, ("refused", 10_000)),
    "trim of the inbox": lambda made: (made.trim_inbox, made.trim_inbox.pick(CALLBACK_ROW)),
    **{
        name.replace("_", " "): lambda made, name=name: (  # type: ignore[misc]
            getattr(made.outbox, name),
            getattr(made.outbox, name).pick(OUTBOX_ROW),
        )
        for name in (
            "select_due",
            "lock_delivery",
            "finish_delivery",
            "settle_delivery",
            "move_followers",
            "replay_delivery",
            "replay_dead",
            "trim_delivered",
            "disable_sink",
            "enable_sink",
            "pause_sink",
        )
    },
    **{
        name.replace("_", " "): lambda made, name=name: (  # type: ignore[misc]
            getattr(made.sweeps, name),
            getattr(made.sweeps, name).pick(SWEEP_ROW),
        )
        for name in (
            "take_lease",
            "keep_lease",
            "select_lease",
            "select_unfinished",
            "select_outdated",
            "update_run",
            "delete_history",
            "delete_upload",
            "prune_inbox",
            "prune_accounts",
            "prune_findings",
            "prune_runs",
        )
    },
}


READS: dict[str, Callable[[Ledger, datetime], object]] = {
    "upload": lambda made, now: made.fetch_upload("01U100000007"),
    "history": lambda made, now: made.fetch_history("01U100000100"),
    "callback": lambda made, now: made.inbox.fetch_callback("01U100000007"),
    "search": lambda made, now: made.find_uploads(
        UploadFilter(subject="user77", words="a.jpg", from_id="01U100000007", below_id="01U100900000")
    ),
    "counts of a day": lambda made, now: made.count_states(from_id="01U100990000"),
    "refusals of a day": lambda made, now: made.inbox.count_callbacks(
        CallbackFilter(verdict="refused", from_id="01U100190000")
    ),
    "walk": lambda made, now: made.sweeps.list_by_key("demo-bucket", after="photos/100100000"),
    "waiting": lambda made, now: made.sweeps.list_waiting("issued", before=now),
    "outlived": lambda made, now: made.sweeps.list_outlived(before=now),
    "buckets": lambda made, now: made.sweeps.list_buckets(),
    "pending deliveries": lambda made, now: made.outbox.list_pending("application"),
    "dead deliveries": lambda made, now: made.outbox.list_dead(before="01U100500000"),
    "dead deliveries of a sink": lambda made, now: made.outbox.list_dead(name="application"),
    "deliveries of an upload": lambda made, now: made.outbox.list_deliveries("01U100000005"),
    "sinks": lambda made, now: made.outbox.list_sinks(),
    "runs": lambda made, now: made.runs.list_runs(before="r"),
    "run": lambda made, now: made.runs.fetch_run("r"),
    "findings": lambda made, now: made.runs.list_findings("r", after=7),
    "prunable": lambda made, now: made.retention.count_prunable(
        ["expired", "aborted", "deleted"], before=now, below="01U100100000"
    ),
}


@pytest.mark.parametrize("name", READS)
def test_read_uses_an_index(large: Connection, large_ledger: Ledger, now: datetime, name: str) -> None:
    """Whatever is read of the ledger, each statement that reaches the driver goes by an index."""
    seen: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, statement: str, parameters: Any, *_: object) -> None:
        seen.append((statement, parameters))

    engine = large_ledger._database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        READS[name](large_ledger, now)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    plans = [line for statement, parameters in seen for line in explain_text(large, statement, parameters)]

    assert seen
    assert [] == [line for line in plans if reads_whole(line)], plans


@pytest.mark.parametrize("name", QUERIES)
def test_statement_uses_an_index(large_url: str, name: str) -> None:
    """No statement of the writer reads a whole table."""
    database = Database(large_url, busy_timeout=5.0)
    statement, parameters = QUERIES[name](Statements(database.dialect))
    with closing(database.connect_writer()) as connection:
        prefix = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
        rows = connection.execute(prefix + statement.sql, parameters).fetchall()
    plan = [row[-1] for row in rows]
    database.dispose()

    assert [] == [line for line in plan if reads_whole(line)], plan


LISTS = {
    "newest": {},
    "issued": {"state": "issued"},
    "expired": {"state": "expired"},
    "uploaded": {"state": "uploaded"},
    "none aborted": {"state": "aborted"},
    "rare profile": {"profile": "rare"},
    "common profile": {"profile": "photo1"},
    "subject": {"subject": "user77"},
    "subject and state": {"subject": "user77", "state": "expired"},
    "profile and subject": {"profile": "rare", "subject": "user77"},
    "all": {"state": "issued", "profile": "rare", "subject": "user77"},
}


@pytest.mark.parametrize("before", [None, "01U100100000"])
@pytest.mark.parametrize("name", LISTS)
def test_list_uses_an_index(large: Connection, name: str, before: str | None) -> None:
    """Operators filter by state, profile and subject, from anywhere."""
    wanted = {"state": None, "profile": None, "subject": None, **LISTS[name]}
    plan = explain(large, build_list(before=before, **wanted).limit(50))

    assert [] == [line for line in plan if has_scan(line)], plan


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("issued", "ix_upload_state"),
        ("none aborted", "ix_upload_state"),
        ("rare profile", "ix_upload_profile"),
        ("subject", "ix_upload_subject"),
    ],
)
def test_rare_rows_are_found_by_their_own_index(large: Connection, name: str, index: str) -> None:
    """What few rows have is not looked for along all of them."""
    wanted = {"state": None, "profile": None, "subject": None, **LISTS[name]}
    plan = explain(large, build_list(before=None, **wanted).limit(50))

    assert any(index in line for line in plan), plan


def test_walk_by_key_uses_its_index(large: Connection) -> None:
    """Reconciliation reads the bucket's order, wherever it stands."""
    for bounds in (
        {"after": None, "through": None, "prefix": ""},
        {"after": "photos/100100000", "through": "photos/100101000", "prefix": ""},
        {"after": "photos/100100000", "through": None, "prefix": "photos/"},
    ):
        plan = explain(large, build_list_by_key("demo-bucket", **bounds).limit(1000))

        assert [] == [line for line in plan if has_scan(line)], plan
        assert any("ix_upload_object" in line for line in plan), plan


@pytest.mark.parametrize("goes_on", [False, True])
def test_what_has_outlived_its_days_is_found_by_its_index(
    large: Connection, now: datetime, goes_on: bool
) -> None:
    """Few rows among all, from wherever the walk stands."""
    after = (now - timedelta(days=99), "01U100000001") if goes_on else None
    plan = explain(large, build_list_outlived(after=after, before=now).limit(1000))

    assert [] == [line for line in plan if has_scan(line)], plan
    assert any("ix_upload_kept" in line for line in plan), plan


@pytest.mark.parametrize("state", ["issued", "unconfirmed"])
def test_what_waits_is_found_by_state(large: Connection, now: datetime, state: str) -> None:
    """Overdue uploads of all accounts are read in pages."""
    plan = explain(large, build_list_waiting(state, after="01U100050000", before=now).limit(1000))

    assert any("ix_upload_state" in line for line in plan), plan


@pytest.mark.parametrize("state", ["expired", "deleted", "aborted"])
def test_retention_finds_its_rows_by_state(large: Connection, now: datetime, state: str) -> None:
    """What is old enough to go is read in pages."""
    query = build_prunable(state, before=now, below="01U100100000", after="01U100050000").limit(200)
    plan = explain(large, query)

    assert [] == [line for line in plan if has_scan(line)], plan


CALLBACKS: dict[str, tuple[CallbackFilter, str]] = {
    "newest": (CallbackFilter(), ""),
    "believed": (CallbackFilter(verdict="believed"), ""),
    "unavailable": (CallbackFilter(verdict="unavailable"), "ix_inbox_verdict"),
    "none crashed": (CallbackFilter(verdict="crashed"), "ix_inbox_verdict"),
    "layer": (CallbackFilter(layer="ticket"), "ix_inbox_layer"),
    "code": (CallbackFilter(code="ledger_busy"), "ix_inbox_code"),
    "no such code": (CallbackFilter(code="nosuch"), "ix_inbox_code"),
    "upload": (CallbackFilter(upload_id="01U100000007"), "ix_inbox_upload"),
    "upload and verdict": (CallbackFilter(upload_id="01U100000007", verdict="refused"), "ix_inbox_upload"),
    "address": (CallbackFilter(remote_addr="198.51.100.7"), "ix_inbox_remote_addr"),
    "no such address": (CallbackFilter(remote_addr="203.0.113.9"), "ix_inbox_remote_addr"),
}
RANGE = {"from_id": "01U100100000", "below_id": "01U100101000"}


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("bounds", [{}, RANGE], ids=["all", "range"])
@pytest.mark.parametrize("name", CALLBACKS)
def test_search_of_the_inbox_uses_an_index(
    large: Connection, name: str, bounds: dict[str, str], oldest_first: bool
) -> None:
    """Whatever operators look for, from anywhere; what few callbacks have is found by its own index."""
    wanted, index = CALLBACKS[name]
    query = build_inbox_search(replace(wanted, **bounds), oldest_first=oldest_first).limit(50)  # type: ignore[arg-type]
    plan = explain(large, query)
    # The few callbacks of one upload may as well be sorted.
    scans = [line for line in plan if has_scan(line) and not ("B-TREE" in line and wanted.upload_id)]

    assert [] == scans, plan
    if not bounds:
        assert any(index in line for line in plan), plan
