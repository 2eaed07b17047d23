"""The two databases as tests break them: rows, locks, copies, and what makes each refuse to be written."""

import contextlib
import shutil
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import create_engine, select, text
from sqlalchemy.pool import NullPool

from ossgate.ledger import Ledger
from ossgate.ledger.tables import metadata

TABLES = metadata.sorted_tables
WAITING_HERE = (
    "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database"
    " WHERE NOT granted AND datname = current_database()"
)


class _Database:
    """What both have: rows, as tables of dictionaries."""

    kind: str
    url: str

    def rows(self, table):
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(metadata.tables[table])).mappings()]

    def run(self, statement, **values):
        with self.engine.begin() as connection:
            return connection.execute(text(statement), values).rowcount

    def copy_rows(self):
        """Copy every table, as a backup does."""
        with self.engine.connect() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in TABLES
            }

    def restore_rows(self, copy):
        """Put a backup in the place of what is there, in one transaction."""
        with self.engine.begin() as connection:
            for table in reversed(TABLES):
                connection.execute(table.delete())
            for table in TABLES:
                if copy[table.name]:
                    connection.execute(table.insert(), copy[table.name])


class SqliteDatabase(_Database):
    kind = "sqlite"
    proxied = False

    def __init__(self, folder: Path, template: Path):
        self.folder = folder / "database"
        self.folder.mkdir()
        self.path = self.folder / "ledger.sqlite3"
        shutil.copy(template, self.path)
        self.url = f"sqlite:///{self.path}"
        self.engine = create_engine(self.url, poolclass=NullPool)

    def url_by(self, proxy):
        return self.url

    @contextmanager
    def locked(self):
        """Hold the write lock, as a process does that has stopped in the middle of a transaction."""
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None, timeout=30)) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            yield
            blocker.execute("ROLLBACK")

    def wait_for_waiter(self, pid):
        """Wait until a process has opened the file, and some more: that it waits for the lock cannot be seen."""
        _wait_until(lambda: str(self.path) in _list_open_files(pid))
        time.sleep(0.3)

    @contextmanager
    def gone(self, proxy):
        """The disk that it lies on is not there."""
        away = self.folder.with_name("database.away")
        self.folder.rename(away)
        yield
        away.rename(self.folder)

    @contextmanager
    def refusing(self, monkeypatch, pragma):
        """Have SQLite itself refuse on every connection that is opened from now on."""
        connect = sqlite3.connect

        def connect_refusing(*arguments, **options):
            connection = connect(*arguments, **options)
            connection.execute(pragma)
            return connection

        with monkeypatch.context() as patch:
            patch.setattr(sqlite3, "connect", connect_refusing)
            yield

    def read_only(self, monkeypatch):
        return self.refusing(monkeypatch, "PRAGMA query_only=ON")

    def full(self, monkeypatch):
        """No page can be added, and none is free."""
        return self.refusing(monkeypatch, "PRAGMA max_page_count=1")

    def backup(self):
        copy = self.folder / "backup.sqlite3"
        copy.unlink(missing_ok=True)
        with (
            contextlib.closing(sqlite3.connect(self.path)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        return copy

    def restore(self, copy):
        """Another file in its place, as an operator does it: the server is stopped."""
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        copy.replace(self.path)

    def find_damage(self):
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchall()
            found += connection.execute("PRAGMA foreign_key_check").fetchall()
        return [row for row in found if row != ("ok",)]

    def close(self):
        self.engine.dispose()


class PostgresqlDatabase(_Database):
    kind = "postgresql"
    proxied = True

    def __init__(self, url):
        self._url = url
        self.port = url.port or 5432
        self.host = url.host
        self.name = url.database
        self.url = url.render_as_string(hide_password=False)
        self.plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self.engine = create_engine(self.url, poolclass=NullPool)
        with psycopg.connect(self.plain, autocommit=True) as connection:
            names = ", ".join(table.name for table in TABLES)
            connection.execute(f"TRUNCATE {names}")

    def url_by(self, proxy):
        return self._url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)

    @contextmanager
    def locked(self):
        """Hold the tables, as a migration does that has stopped half-way."""
        with psycopg.connect(self.plain) as blocker:
            blocker.execute("LOCK TABLE upload, delivery, quota IN SHARE MODE")
            yield
            blocker.rollback()

    def wait_for_waiter(self, pid):
        """Wait until somebody waits for what is locked."""
        with psycopg.connect(self.plain, autocommit=True) as connection:
            _wait_until(lambda: connection.execute(WAITING_HERE).fetchone())

    @contextmanager
    def gone(self, proxy):
        """Nobody listens."""
        proxy.shut()
        yield
        proxy.open()

    @contextmanager
    def read_only(self, monkeypatch):
        """A standby, as far as anybody can tell."""
        self._set("default_transaction_read_only", "on")
        yield
        self._set("default_transaction_read_only", None)

    @contextmanager
    def full(self, monkeypatch):
        """The server answers a write as it does when the disk is full (53100)."""
        with psycopg.connect(self.plain, autocommit=True) as connection:
            connection.execute(
                "CREATE OR REPLACE FUNCTION be_full() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
            )
            for table in ("upload", "history"):
                connection.execute(
                    f"CREATE TRIGGER full_{table} BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION be_full()"
                )
        yield
        with psycopg.connect(self.plain, autocommit=True) as connection:
            connection.execute("DROP FUNCTION be_full() CASCADE")

    def _set(self, name, value):
        # The way back must not be read-only itself.
        options = "-c default_transaction_read_only=off"
        with psycopg.connect(self.plain, autocommit=True, options=options) as connection:
            word = f"SET {name} = {value}" if value else f"RESET {name}"
            connection.execute(f"ALTER DATABASE {self.name} {word}")
        self.terminate()

    def terminate(self):
        """End every session, as a failover does."""
        with psycopg.connect(self.plain, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        time.sleep(0.05)

    def backup(self):
        return self.copy_rows()

    def restore(self, copy):
        self.restore_rows(copy)

    def find_damage(self):
        return []

    def close(self):
        self.engine.dispose()


def _wait_until(holds, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def _list_open_files(pid):
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(entry.readlink()))
    return found


def make_template(folder: Path) -> Path:
    """Make an SQLite file with empty tables, to be copied."""
    path = folder / "template.sqlite3"
    upgrade(f"sqlite:///{path}")
    return path


def upgrade(url):
    ledger = Ledger(url)
    ledger.upgrade()
    ledger.close()
