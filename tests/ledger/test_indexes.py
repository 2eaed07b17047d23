"""Every query of the product, explained on a large ledger: none reads a whole table."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Select, create_engine, func, select, text
from sqlalchemy.engine import URL

from ossgate.ledger import Ledger
from ossgate.ledger.reads import build_list
from ossgate.ledger.retention import build_prunable
from ossgate.ledger.rows import encode_time
from ossgate.ledger.sweeps import build_list_by_key, build_list_outlived, build_list_waiting
from ossgate.ledger.tables import history, reconcile_finding, refusal, upload

UPLOADS = 200_000
# One in 100 waits, one in 20 has expired, one in 2,000 stays for a while alone; five profiles, of which one is rare; 5,000 subjects.
FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :uploads)
INSERT INTO upload (upload_id, profile, subject, issuer, via, bucket, object_key, file_name, content_type, size_min,
                    size_max, variables, quota_key, quota_period, created_at, expires_at, state, size, etag, changed_at, keep_until)
SELECT '01U' || CAST(100000000 + n AS TEXT), CASE WHEN n % 1000 = 0 THEN 'rare' ELSE 'photo' || CAST(n % 4 AS TEXT) END,
       'user' || CAST(n % 5000 AS TEXT), 'jwt', 'post', 'demo-bucket', 'photos/' || CAST(100000000 + n AS TEXT),
       'a.jpg', 'image/jpeg', 1, 100, '{}', '', '', :start + n * 1000, :start + n * 1000 + 300000,
       CASE WHEN n % 100 = 0 THEN 'issued' WHEN n % 20 = 0 THEN 'expired' ELSE 'uploaded' END,
       3, 'AB12', :start + n * 1000, CASE WHEN n % 2000 = 1 THEN :start + n * 2000 END
FROM numbers
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def large(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, now
) -> Iterator[Connection]:
    """Fill a database and let it learn what is in it."""
    if request.param == "sqlite":
        folder: Path = tmp_path_factory.mktemp("large")
        url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    else:
        server: URL = request.getfixturevalue("postgresql_database")
        url = server.render_as_string(hide_password=False)
    ledger = Ledger(url)
    ledger.upgrade()
    ledger.close()
    engine = create_engine(url)
    with engine.connect() as connection:
        start = encode_time(now - timedelta(days=100))
        connection.execute(text(FILL), {"uploads": UPLOADS, "start": start})
        connection.commit()
        connection.execute(text("ANALYZE"))
        connection.commit()
        yield connection
    engine.dispose()


@pytest.fixture(scope="module")
def now():  # type: ignore[no-untyped-def]
    """Stand still at one moment, for the whole module."""
    from datetime import UTC, datetime

    return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def explain(connection: Connection, query: Select) -> list[str]:  # type: ignore[type-arg]
    """Give the plan of a query with its parameters, line by line."""
    compiled = query.compile(connection)
    is_sqlite = connection.dialect.name == "sqlite"
    prefix = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    positions = getattr(compiled, "positiontup", None)
    parameters = tuple(compiled.params[name] for name in positions) if positions else compiled.params
    rows = connection.exec_driver_sql(prefix + compiled.string, parameters).all()
    return [row[-1] if is_sqlite else row[0] for row in rows]


def has_scan(line: str) -> bool:
    """Tell whether a line of a plan reads a whole table, or sorts what it has read.

    PostgreSQL may fetch the few rows of a subject and sort them, which is as good.
    """
    return "Seq Scan" in line or ("SCAN" in line and "INDEX" not in line) or "TEMP B-TREE" in line


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
def test_what_has_outlived_its_days_is_found_by_its_index(large: Connection, now, goes_on: bool) -> None:  # type: ignore[no-untyped-def]
    """Few rows among all, from wherever the walk stands."""
    after = (now - timedelta(days=99), "01U100000001") if goes_on else None
    plan = explain(large, build_list_outlived(after=after, before=now).limit(1000))

    assert [] == [line for line in plan if has_scan(line)], plan
    assert any("ix_upload_kept" in line for line in plan), plan


@pytest.mark.parametrize("state", ["issued", "unconfirmed"])
def test_what_waits_is_found_by_state(large: Connection, now, state: str) -> None:  # type: ignore[no-untyped-def]
    """Overdue uploads of all accounts are read in pages."""
    plan = explain(large, build_list_waiting(state, after="01U100050000", before=now).limit(1000))

    assert any("ix_upload_state" in line for line in plan), plan


@pytest.mark.parametrize("state", ["expired", "deleted", "aborted"])
def test_retention_finds_its_rows_by_state(large: Connection, now, state: str) -> None:  # type: ignore[no-untyped-def]
    """What is old enough to go is read in pages."""
    query = build_prunable(state, before=now, below="01U100100000", after="01U100050000").limit(200)
    plan = explain(large, query)

    assert [] == [line for line in plan if has_scan(line)], plan


def test_single_things_are_found_by_their_key(large: Connection) -> None:
    """One upload, its history, refusals of a page, findings of a run, the names of buckets."""
    queries = [
        select(upload).where(upload.c.upload_id == "01U100000007"),
        select(history).where(history.c.upload_id == "01U100000007"),
        select(refusal).order_by(refusal.c.refusal_id.desc()).limit(100),
        select(reconcile_finding)
        .where(reconcile_finding.c.run_id == "r")
        .order_by(reconcile_finding.c.number),
        select(func.min(upload.c.bucket)).where(upload.c.bucket > "a"),
    ]
    if large.dialect.name == "postgresql":
        # Empty tables are always read whole, unless that is made dear.
        large.exec_driver_sql("SET enable_seqscan TO off")
    for query in queries:
        plan = explain(large, query)

        assert [] == [line for line in plan if has_scan(line)], plan
