"""The databases under the ledger: an SQLite file, and a PostgreSQL server where one answers."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.cores import Cores, pin
from ossgate.ledger import Ledger

POSTGRESQL_VARIABLE = "OSSGATE_BENCH_POSTGRESQL"
LOCAL_POSTGRESQL = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


def create_sqlite(folder: Path) -> str:
    """Return the URL of a fresh SQLite ledger in a folder, which is made."""
    folder.mkdir(exist_ok=True)
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    _create_tables(url)
    return url


class PostgresqlServer:
    """A server in which we make databases for ourselves and drop them again."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._name = f"ossgate_bench_{secrets.token_hex(6)}"
        self._made = 0

    @contextmanager
    def create_database(self) -> Iterator[str]:
        """Give the URL of a fresh ledger, which is dropped at the end."""
        self._made += 1
        name = f"{self._name}_{self._made}"
        self._execute(f"CREATE DATABASE {name}")
        try:
            before, _, _ = self._url.rpartition("/")
            url = before.replace("postgresql://", "postgresql+psycopg://", 1) + f"/{name}"
            _create_tables(url)
            yield url
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def describe(self) -> str:
        """Return the server's version."""
        return f"PostgreSQL {self._execute('SHOW server_version')}"

    def pin_sessions(self, cores: Cores) -> list[int]:
        """Keep the sessions of our databases on the server's core, where we may, and return their processes.

        Their work belongs to the callback as much as SQLite's does, which is done inside the server.
        """
        import psycopg

        with psycopg.connect(self._url, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE starts_with(datname, %s)", [self._name]
            ).fetchall()
        pinned = []
        for (process,) in rows:
            try:
                # The server may be on another machine, where this number is somebody else's.
                if self._name.encode() in Path(f"/proc/{process}/cmdline").read_bytes():
                    pin(cores.server, process)
                    pinned.append(process)
            except OSError:
                continue
        return pinned

    def _execute(self, statement: str) -> object:
        import psycopg

        with psycopg.connect(self._url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None


def find_postgresql() -> PostgresqlServer | None:
    """Return the server that the environment names, or the local one when it answers.

    Raises:
        RuntimeError: The environment names a server that does not answer.
    """
    named = os.environ.get(POSTGRESQL_VARIABLE, "")
    try:
        import psycopg
    except ImportError:
        return None
    server = PostgresqlServer(named or LOCAL_POSTGRESQL)
    try:
        server.describe()
    except psycopg.OperationalError as error:
        if named:
            raise RuntimeError(f"the server of {POSTGRESQL_VARIABLE} does not answer: {error}") from error
        return None
    return server


def _create_tables(url: str) -> None:
    ledger = Ledger(url)
    try:
        ledger.upgrade()
    finally:
        ledger.close()
