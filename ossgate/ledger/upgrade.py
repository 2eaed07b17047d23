"""Bring a database to the newest revision; the only module that imports Alembic, so it is imported on use.

Many processes may do it at once: the first takes the lock and migrates, the others wait and find nothing to do.
"""

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError

from ossgate.ledger.database import Database
from ossgate.ledger.errors import LedgerUnavailable

MIGRATIONS = Path(__file__).with_name("migrations")
# Any number will do, as long as nothing else in the database takes the same: "ossgate" in ASCII.
_ADVISORY_LOCK = int.from_bytes(b"ossgate", "big")
# Longer than a migration may take, since whoever waits here waits for another's migration.
_LOCK_TIMEOUT = 120.0


def upgrade_database(database: Database) -> None:
    """Create or migrate the tables, all in one transaction.

    Raises:
        LedgerUnavailable: The database cannot be reached, or its folder cannot be made.
    """
    if database.path is not None:
        try:
            database.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise LedgerUnavailable(f"the database's folder cannot be made: {exc.strerror}") from exc
        _create_for_owner(database.path)
    engine = database.create_migration_engine()
    if database.is_sqlite:
        event.listen(engine, "begin", _begin_exclusively)
    try:
        with engine.begin() as connection:
            if not database.is_sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (DBAPIError, sqlite3.Error) as exc:
        cause = exc.orig if isinstance(exc, DBAPIError) and exc.orig is not None else exc
        raise LedgerUnavailable(database.describe(cause)) from exc
    finally:
        engine.dispose()


def _create_for_owner(path: Path) -> None:
    """Create an SQLite file that its owner alone can read: it holds names, links and tickets. SQLite's files beside it follow it.

    One that is there is not even opened, since to close it would drop SQLite's locks of this process.
    """
    # What else may be wrong SQLite says in its own words.
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _begin_exclusively(connection: Connection) -> None:
    """Take SQLite's write lock before anything is read, so that DDL too is inside the transaction."""
    deadline = time.monotonic() + _LOCK_TIMEOUT
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except DBAPIError as exc:
            if "locked" not in str(exc.orig) or time.monotonic() > deadline:
                raise
        else:
            return
