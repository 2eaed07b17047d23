"""Reach the database: the URL, the two kinds of connection, and what an error of the driver means.

SQLite: https://www.sqlite.org/wal.html and https://www.sqlite.org/pragma.html#pragma_synchronous (FULL in WAL mode:
a commit survives a power cut). PostgreSQL: https://www.postgresql.org/docs/15/libpq-connect.html.
"""

import math
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool, QueuePool

from ossgate.ledger.errors import DatabaseUrlInvalid, LedgerUnavailable, SchemaOutdated
from ossgate.ledger.patience import load_connection_class
from ossgate.ledger.tables import HEAD_REVISION

_POSTGRESQL_DRIVER = "postgresql+psycopg"
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # Else a WAL that a long reader once made large stays that large.
    "PRAGMA journal_size_limit=67108864",
)
# SQLite's own waiting sleeps up to 100 ms at a time, and whoever sleeps longest is served last; asked
# about every millisecond instead, several busy processes take turns (half the p99, measured with four).
_SQLITE_POLL_SECONDS = (0.0002, 0.0015)
_SQLITE_BUSY_CODES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
# So many steps of its machine SQLite takes, some milliseconds, before a read is asked whether its time is up.
_SQLITE_STEPS = 100_000
# Deadlock and serialisation failure: the transaction is at fault, not the server; done alone, each row passes.
_POSTGRESQL_RETRY_CODES = ("40P01", "40001")
# What one row is waited for, also by a callback that has four seconds for everything. PostgreSQL's driver takes no shorter
# time than two seconds to connect.
READ_SECONDS = 1.0
# What looks through many rows may take its time.
LONG_READ_SECONDS = 60.0
_CONNECT_SECONDS = 2
# After it has not answered, reads fail at once for so long: else each of a server's threads would wait for it, and none be left.
_SILENCE_SECONDS = 2.0
# Beside the lock that a statement waits for.
_WRITE_MARGIN_SECONDS = 2.5


class Database:
    """Open connections to one database. Does nothing until asked; a password never leaves it in a message."""

    def __init__(self, url: str, *, busy_timeout: float) -> None:
        self.url = _parse_url(url)
        self.busy_timeout = busy_timeout
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # Made absolute now: a server may change its folder later.
        self.path = Path(self.url.database or "").absolute() if self.is_sqlite else None
        self._engine: Engine | None = None
        self._inherited: list[Any] = []
        self._silent_until = 0.0
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """Give the pooled engine that reads use; each read is its own transaction."""
        with self._lock:
            if self._engine is None:
                self._engine = self._create_engine()
            return self._engine

    @property
    def dialect(self) -> Dialect:
        """Give the dialect that statements are compiled for."""
        return self.engine.dialect

    def connect_sqlite(self, *, create: bool = False) -> sqlite3.Connection:
        """Open an SQLite connection that leaves transactions to us.

        Raises:
            SchemaOutdated: There is no file yet, and ``create`` is false.
        """
        assert self.path is not None
        if not create and not self.path.exists():
            raise SchemaOutdated(None, HEAD_REVISION)
        # Without mode=rw a mistyped path would quietly become a new, empty database.
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode={'rwc' if create else 'rw'}",
            uri=True,
            timeout=self.busy_timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            for pragma in _SQLITE_PRAGMAS:
                connection.execute(pragma)
        except BaseException:
            connection.close()
            raise
        return connection

    def connect_writer(self) -> Any:
        """Open the driver's own connection for the writer, outside the pool."""
        if self.is_sqlite:
            return self.connect_sqlite()
        from psycopg.types.numeric import Int8Dumper

        connection = self._connect_postgresql(autocommit=True)
        connection.patience = self.busy_timeout + _WRITE_MARGIN_SECONDS
        # psycopg picks a type by the size of each number, and each mix of types would be prepared anew.
        connection.adapters.register_dumper(int, Int8Dumper)
        milliseconds = int(self.busy_timeout * 1000)
        connection.execute(f"SET lock_timeout TO {milliseconds}")
        # A process that is frozen in the middle of a batch must not keep its rows locked for ever.
        connection.execute("SET idle_in_transaction_session_timeout TO 30000")
        return connection

    @contextmanager
    def connect_reader(self, seconds: float) -> Iterator[Connection]:
        """Lend a connection of the pool, on which no answer is waited for longer.

        Raises:
            LedgerUnavailable: The server has just not answered somebody else.
            TimeoutError: It does not answer, or not in that time.
        """
        if time.monotonic() < self._silent_until:
            raise LedgerUnavailable("the database does not answer")
        try:
            with self.engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
                if self.is_sqlite:
                    end = time.monotonic() + seconds
                    driver.set_progress_handler(lambda: time.monotonic() > end, _SQLITE_STEPS)
                    yield connection
                    return
                driver.patience = seconds
                try:
                    yield connection
                finally:
                    driver.patience = READ_SECONDS
        except Exception as exc:
            original = getattr(exc, "orig", exc)
            if getattr(original, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise TimeoutError("the database took too long") from exc
            if self._is_silence(exc):
                self._silent_until = time.monotonic() + _SILENCE_SECONDS
            raise

    def create_migration_engine(self) -> Engine:
        """Build an engine without a pool that may create an SQLite file."""
        if self.is_sqlite:
            return create_engine(
                "sqlite://", creator=lambda: self.connect_sqlite(create=True), poolclass=NullPool
            )
        return create_engine(
            self.url, poolclass=NullPool, connect_args=self._postgresql_args(), hide_parameters=True
        )

    def begin_polling(self, connection: Any) -> None:
        """Leave it to ``begin`` to wait for SQLite's lock; inside a write transaction nothing else has to be waited for."""
        if self.is_sqlite:
            connection.execute("PRAGMA busy_timeout=0")

    def begin(self, connection: Any) -> None:
        """Begin a write transaction, waiting at most the busy timeout for SQLite's lock."""
        if not self.is_sqlite:
            connection.execute("BEGIN")
            return
        deadline = time.monotonic() + self.busy_timeout
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as exc:
                if not self.is_busy(exc) or time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(*_SQLITE_POLL_SECONDS))  # noqa: S311 (no secret)
            else:
                return

    def can_pipeline(self) -> bool:
        """Tell whether statements can be sent without waiting for each answer (libpq 14 and later)."""
        if self.is_sqlite:
            return False
        from psycopg import Pipeline

        return Pipeline.is_supported()

    def file_identity(self) -> tuple[int, int] | None:
        """Tell which file the path names now, so that a replaced or removed one is noticed."""
        if self.path is None:
            return None
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def is_outage(self, exc: BaseException) -> bool:
        """Tell whether the database failed, rather than one row of a batch."""
        dbapi = self.dialect.loaded_dbapi
        sqlstate = getattr(exc, "sqlstate", None)
        if sqlstate in _POSTGRESQL_RETRY_CODES:
            return False
        if isinstance(exc, dbapi.ProgrammingError):
            # With a code it is the server's word on a missing table or right; without, the driver's on a value.
            return sqlstate is not None
        if isinstance(exc, dbapi.DatabaseError):
            return not isinstance(exc, (dbapi.IntegrityError, dbapi.DataError, dbapi.NotSupportedError))
        return isinstance(exc, (OSError, MemoryError))

    def is_busy(self, exc: BaseException) -> bool:
        """Tell whether another process holds SQLite's lock."""
        return getattr(exc, "sqlite_errorcode", 0) & 0xFF in _SQLITE_BUSY_CODES

    def is_duplicate(self, exc: BaseException) -> bool:
        """Tell whether a row broke a primary key."""
        codes = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE)
        return getattr(exc, "sqlite_errorcode", None) in codes or getattr(exc, "sqlstate", None) == "23505"

    def describe(self, exc: BaseException) -> str:
        """Tell an error in one short line, without the password and without the values of rows."""
        diagnosis = getattr(exc, "diag", None)
        # PostgreSQL puts the offending values into the detail, which is left out here.
        text = getattr(diagnosis, "message_primary", None) or str(exc)
        for secret in self._secrets():
            text = text.replace(secret, "***")
        line = " ".join(text.split())[:200]
        return f"{type(exc).__name__}: {line}" if line else type(exc).__name__

    def dispose(self) -> None:
        """Close the connections that are not in use; the next read makes new ones."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def reset_after_fork(self, *connections: Any) -> None:
        """Forget in a child what belongs to its parent, without closing it.

        To close an inherited connection would end the parent's session on the server, and SQLite forbids carrying
        one across a fork (https://www.sqlite.org/howtocorrupt.html, section 2.6); so it is kept and never touched.
        """
        self._lock = threading.Lock()
        self._inherited.extend((self._engine, *connections))
        self._engine = None

    def _create_engine(self) -> Engine:
        if self.is_sqlite:
            return create_engine(
                "sqlite://",
                creator=self._connect_sqlite_reader,
                poolclass=QueuePool,
                pool_size=4,
                max_overflow=28,
                pool_timeout=self.busy_timeout,
                hide_parameters=True,
            )
        try:
            load_connection_class()
        except ImportError as exc:
            raise LedgerUnavailable("PostgreSQL needs psycopg: pip install 'ossgate[postgresql]'") from exc
        return create_engine(
            self.url,
            creator=self._connect_postgresql_reader,
            # Positional parameters on both databases, so that rows are plain tuples.
            paramstyle="format",
            isolation_level="AUTOCOMMIT",
            pool_size=4,
            max_overflow=12,
            pool_timeout=self.busy_timeout,
            pool_pre_ping=True,
            hide_parameters=True,
        )

    def _connect_postgresql(self, **options: Any) -> Any:
        positional, named = self.dialect.create_connect_args(self.url)
        return load_connection_class().connect(*positional, **{**self._postgresql_args(), **named, **options})

    def _connect_sqlite_reader(self) -> sqlite3.Connection:
        connection = self.connect_sqlite()
        # Readers seldom find a lock, and one that lasts is not waited for longer than PostgreSQL's.
        connection.execute(f"PRAGMA busy_timeout={int(READ_SECONDS * 900)}")
        return connection

    def _connect_postgresql_reader(self) -> Any:
        connection = self._connect_postgresql(connect_timeout=_CONNECT_SECONDS)
        connection.patience = READ_SECONDS
        # Sooner than we lose patience, so that the server does not wait on for somebody who has gone.
        connection.execute(f"SET lock_timeout TO {int(READ_SECONDS * 900)}")
        connection.execute(f"SET statement_timeout TO {int(LONG_READ_SECONDS * 900)}")
        connection.commit()
        return connection

    def _is_silence(self, exc: BaseException) -> bool:
        original = getattr(exc, "orig", exc)
        return isinstance(original, TimeoutError) or type(original).__name__ == "ConnectionTimeout"

    def _postgresql_args(self) -> dict[str, Any]:
        seconds = max(2, math.ceil(self.busy_timeout))
        return {
            "connect_timeout": seconds,
            "keepalives_idle": seconds,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": seconds * 2000,
        }

    def _secrets(self) -> list[str]:
        password = self.url.password
        return [str(password), quote(str(password), safe="")] if password else []


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseUrlInvalid("the database URL cannot be read") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed
    if backend == "sqlite":
        raise DatabaseUrlInvalid("an SQLite ledger needs a file: sqlite:///ossgate.sqlite3")
    if parsed.drivername in ("postgresql", "postgres", _POSTGRESQL_DRIVER):
        return parsed.set(drivername=_POSTGRESQL_DRIVER)
    raise DatabaseUrlInvalid(
        f"{parsed.drivername[:32]!r} is not a database of ours: sqlite:///FILE or postgresql+psycopg://…"
    )
