"""Databases for the ledger's tests: each test runs on SQLite and on PostgreSQL alike."""

import itertools
import os
import secrets
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL, make_url

from ossgate.ledger import Arrival, Judgement, KeptRequest, Ledger, NewUpload

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
POSTGRESQL_VARIABLE = "OSSGATE_TEST_POSTGRESQL"
LOCAL_POSTGRESQL = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


@pytest.fixture(scope="session")
def postgresql_server() -> URL:
    """Find a PostgreSQL server, or skip; where CI is set a missing one is a failure."""
    import psycopg

    url = make_url(os.environ.get(POSTGRESQL_VARIABLE, LOCAL_POSTGRESQL))
    try:
        psycopg.connect(
            url.set(drivername="postgresql").render_as_string(hide_password=False), connect_timeout=3
        ).close()
    except psycopg.OperationalError:
        reason = f"no PostgreSQL server at {url.host}:{url.port}; name one in {POSTGRESQL_VARIABLE}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return url


@pytest.fixture(scope="module")
def postgresql_database(postgresql_server: URL) -> Iterator[URL]:
    """Create a database for one test module and drop it afterwards."""
    import psycopg

    server = postgresql_server.set(drivername="postgresql").render_as_string(hide_password=False)
    name = f"ossgate_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgresql_server.set(drivername="postgresql+psycopg", database=name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Name a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    import psycopg

    url: URL = request.getfixturevalue("postgresql_database")
    with psycopg.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url.render_as_string(hide_password=False)


@pytest.fixture
def url(empty_url: str) -> str:
    """Name a database whose tables are made and empty."""
    ledger = Ledger(empty_url)
    ledger.upgrade()
    ledger.close()
    return empty_url


@pytest.fixture
def make_ledger(url: str) -> Iterator[Callable[..., Ledger]]:
    """Open ledgers on the test's database and close them at its end."""
    ledgers: list[Ledger] = []

    def make(**options: Any) -> Ledger:
        ledgers.append(Ledger(url, **options))
        return ledgers[-1]

    yield make
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def ledger(make_ledger: Callable[..., Ledger]) -> Ledger:
    """Open a ledger."""
    return make_ledger()


@pytest.fixture
def now() -> datetime:
    """Stand still at one moment."""
    return NOW


@pytest.fixture
def make_upload() -> Callable[..., NewUpload]:
    """Build a valid new upload, of which each test bends a part."""
    numbers = itertools.count(1)

    def make(**facts: Any) -> NewUpload:
        upload_id = f"01u{next(numbers):05d}"
        given: dict[str, Any] = {
            "upload_id": upload_id,
            "profile": "photo",
            "subject": "alice",
            "issuer": "api_key:shop",
            "bucket": "demo-bucket",
            "object_key": f"photos/{facts.get('upload_id', upload_id)}.jpg",
            "file_name": "猫 🐈.jpg",
            "content_type": "image/jpeg",
            "size_min": 0,
            "size_max": 1000,
            "variables": {"album": "七月", "count": 3, "public": True},
            "quota_key": "alice",
            "created_at": NOW,
            "expires_at": NOW + timedelta(minutes=5),
        }
        return NewUpload(**{**given, **facts})

    return make


@pytest.fixture
def make_arrival() -> Callable[..., Arrival]:
    """Build a valid arrival of an upload."""

    def make(new: NewUpload, **facts: Any) -> Arrival:
        given: dict[str, Any] = {
            "upload": new,
            "target": "uploaded",
            "size": 400,
            "etag": "9E107D9D372BB6826BD81D3542A419D6",
            "content_type": "image/jpeg",
            "via": "callback",
            "reply": b'{"Status":"OK"}',
            "facts": {"request_id": "5F1E"},
        }
        return Arrival(**{**given, **facts})

    return make


@pytest.fixture
def make_request() -> Callable[..., KeptRequest]:
    """Build a valid callback as it is kept."""
    numbers = itertools.count(1)

    def make(**facts: Any) -> KeptRequest:
        given: dict[str, Any] = {
            "callback_id": f"01c{next(numbers):06d}",
            "at": NOW,
            "raw_target": b"/callback?a=%2F",
            "headers": {"authorization": "c2ln", "content-type": "application/json"},
            "body": b"\x00\xff not text",
            "body_size": 11,
            "remote_addr": "192.0.2.7",
        }
        return KeptRequest(**{**given, **facts})

    return make


@pytest.fixture
def keep(ledger: Ledger, make_request: Callable[..., KeptRequest]) -> Callable[..., KeptRequest]:
    """Keep a callback, by default a refused one, and wait until it is written."""

    def record(
        verdict: str = "refused", *, into: Ledger = ledger, wait: bool = True, **facts: Any
    ) -> KeptRequest:
        judged = {name: facts.pop(name) for name in ("layer", "code", "detail", "upload_id") if name in facts}
        if verdict == "refused":
            judged = {"layer": "signature", "code": "callback_signature_invalid", **judged}
        request = make_request(**facts)
        into.inbox.keep(request, Judgement(verdict, **judged))
        if wait:
            into.ping(timeout=5)
        return request

    return record


@pytest.fixture
def read_accounts(url: str) -> Callable[[], dict[tuple[str, str, str], tuple[int, int]]]:
    """Read what each account holds: (quota_key, profile, period) to (pending_uploads, bytes)."""
    from sqlalchemy import select

    from ossgate.ledger.database import Database
    from ossgate.ledger.tables import quota

    def read() -> dict[tuple[str, str, str], tuple[int, int]]:
        database = Database(url, busy_timeout=5.0)
        with database.engine.connect() as connection:
            rows = connection.execute(select(quota)).all()
        database.dispose()
        return {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}

    return read


@pytest.fixture
def hold_database(url: str) -> Callable[[], AbstractContextManager[Callable[[], None]]]:
    """Keep every writer waiting for as long as the context lasts, as another process could.

    The context gives a function that returns once a writer waits with a batch under way. On SQLite that cannot be: there
    the lock is had before a batch is put together.
    """

    @contextmanager
    def hold_sqlite() -> Iterator[Callable[[], None]]:
        blocker = sqlite3.connect(make_url(url).database or "", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        try:
            yield lambda: None
        finally:
            blocker.rollback()
            blocker.close()

    @contextmanager
    def hold_postgresql() -> Iterator[Callable[[], None]]:
        import psycopg

        server = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

        def wait_for_writer() -> None:
            deadline = time.monotonic() + 10
            query = (
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            with psycopg.connect(server, autocommit=True) as observer:
                while observer.execute(query).fetchone() == (0,):
                    assert time.monotonic() < deadline

        with psycopg.connect(server) as blocker:
            blocker.execute("LOCK TABLE upload, history IN ACCESS EXCLUSIVE MODE")
            try:
                yield wait_for_writer
            finally:
                blocker.rollback()

    return hold_sqlite if url.startswith("sqlite") else hold_postgresql


@pytest.fixture
def start_program() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Python programs that talk by lines, and end them with the test."""
    programs: list[subprocess.Popen[str]] = []

    def start(source: str, *arguments: str) -> subprocess.Popen[str]:
        programs.append(
            subprocess.Popen(
                [sys.executable, "-W", "error", "-c", textwrap.dedent(source), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[2],
            )
        )
        return programs[-1]

    yield start
    for program in programs:
        program.kill()
        program.communicate()
