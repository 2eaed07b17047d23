"""One driver connection of the writer, with the compiled statements beside it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ossgate.ledger.compiler import Statement
from ossgate.ledger.database import Database
from ossgate.ledger.errors import LedgerUnavailable, SchemaOutdated
from ossgate.ledger.statements import Statements
from ossgate.ledger.tables import HEAD_REVISION


class Session:
    """Run statements in a transaction that the writer begins and ends."""

    def __init__(self, database: Database, statements: Statements) -> None:
        self._database = database
        self.statements = statements
        self._file = database.file_identity()
        self.connection = database.connect_writer()
        self._cursor = self.connection.cursor()
        self._last_commit: Any = None
        self._lasts = True
        self._can_pipeline = database.can_pipeline()

    def prepare(self) -> None:
        """Make a new connection ready for transactions.

        Raises:
            SchemaOutdated: A migration is missing.
        """
        self.verify_schema()
        self._database.begin_polling(self.connection)

    def is_stale(self) -> bool:
        """Tell whether the file was removed or replaced under the connection."""
        return self._file != self._database.file_identity()

    def begin(self, *, lasts: bool = True) -> None:
        """Begin a write transaction.

        Args:
            lasts: Whether its commit will wait for the disk; SQLite must know beforehand.
        """
        if self._database.is_sqlite and lasts != self._lasts:
            self.connection.execute(f"PRAGMA synchronous={'FULL' if lasts else 'NORMAL'}")
            self._lasts = lasts
        self._database.begin(self.connection)

    def commit(self, *, lasts: bool = True) -> None:
        """Make everything since ``begin`` visible, and durable if it is to last; in a pipeline, once that has ended.

        What does not wait for the disk comes there with whatever is next to wait, or a moment later: the log is written in its order.
        """
        if not (lasts or self._database.is_sqlite):
            self.connection.execute("SET LOCAL synchronous_commit TO off")
        self._last_commit = self.connection.execute("COMMIT")

    def verify_committed(self) -> None:
        """Pass when the last commit was one.

        Raises:
            LedgerUnavailable: The server rolled back instead, which it does without an error when an earlier statement failed.
        """
        if not self._database.is_sqlite and self._last_commit.statusmessage != "COMMIT":
            raise LedgerUnavailable("the server did not commit")

    def pipeline(self) -> AbstractContextManager[object]:
        """Send what follows without waiting for each answer; errors come out at the latest when the context ends."""
        return self.connection.pipeline() if self._can_pipeline else nullcontext()

    def rollback(self) -> None:
        """Undo everything since ``begin``."""
        self.connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        try:
            # SQLite keeps a connection, and with it the lock, for as long as one of its statements is held by somebody.
            self._cursor.close()
            self.connection.close()
        except self._database.dialect.loaded_dbapi.Error:
            # It is being given up because it failed; that it cannot even be closed changes nothing.
            return

    def fetch(self, statement: Statement, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a query with its parameters in order."""
        self._cursor.execute(statement.sql, parameters)
        rows: list[tuple[Any, ...]] = self._cursor.fetchall()
        return rows

    def execute(self, statement: Statement, row: Mapping[str, Any]) -> int:
        """Run a statement for one row and count what it changed."""
        self._cursor.execute(statement.sql, statement.pick(row))
        count: int = self._cursor.rowcount
        return count

    def execute_many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run a statement for each row."""
        self._cursor.executemany(statement.sql, list(map(statement.pick, rows)))

    def verify_schema(self) -> None:
        """Pass when the migrations have been run and the database takes writes.

        Raises:
            SchemaOutdated: A migration is missing. A revision newer than ours passes, so that the first node of a
                cluster can be upgraded while the others still serve.
        """
        try:
            rows = self.fetch(self.statements.select_revision, ())
        except Exception as exc:
            if not self._is_missing_table(exc):
                raise
            raise SchemaOutdated(None, HEAD_REVISION) from None
        found = rows[0][0] if rows else None
        if found is None or found < HEAD_REVISION:
            raise SchemaOutdated(found, HEAD_REVISION)

    def verify_writable(self) -> None:
        """Pass when this transaction may write.

        Raises:
            LedgerUnavailable: The server is a standby or was set read-only.
        """
        # SQLite has proved it by BEGIN IMMEDIATE; PostgreSQL only says so when asked.
        if not self._database.is_sqlite:
            self._cursor.execute("SELECT current_setting('transaction_read_only')")
            if self._cursor.fetchone() != ("off",):
                raise LedgerUnavailable("the database is read-only")

    def _is_missing_table(self, exc: Exception) -> bool:
        return getattr(exc, "sqlstate", None) == "42P01" or "no such table" in str(exc)
