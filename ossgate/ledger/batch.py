"""One transaction's work: what is read at the start, what is decided in memory, what is written at the end.

Rows are locked before they are judged (SQLite: the whole file; PostgreSQL: ``FOR UPDATE``), first uploads, then
accounts, each kind in the order of its keys, so that writers of several processes cannot wait for each other crosswise.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ossgate.ledger.compiler import Statement
from ossgate.ledger.events import EVENT_STEPS, encode_event, new_delivery_id
from ossgate.ledger.quotas import Account, AccountKey
from ossgate.ledger.rows import Row
from ossgate.ledger.session import Session
from ossgate.ledger.statements import UPLOAD_COLUMNS
from ossgate.ledger.states import State

# Statements are compiled for 1, 2, 4, … keys, not for every number of them.
_LARGEST_SELECT = 256
_OVERDUE_AT_ONCE = 500

# Names the sinks that hear of a profile's events of a type.
Routes = Callable[[str, str], Sequence[str]]
# Tells how many callbacks of a verdict are kept.
Keeps = Callable[[str], int]


class Batch:
    """Collect the rows that jobs read and change; nothing is kept once the transaction has ended."""

    def __init__(self, session: Session, routes: Routes, keeps: Keeps) -> None:
        self.session = session
        self._routes = routes
        self._keeps = keeps
        self.announced = False
        self.rows: dict[str, Row] = {}
        self.accounts: dict[AccountKey, Account] = {}
        self._new_uploads: list[Row] = []
        self._changed: dict[str, Row] = {}
        self._claims: list[Row] = []
        self._notes: list[Row] = []
        self.kept: list[Row] = []
        self._charges: dict[AccountKey, list[int]] = {}
        self._others: dict[str, tuple[Statement, list[Row]]] = {}

    def load_uploads(self, upload_ids: Iterable[str]) -> None:
        """Read and lock the uploads that jobs are about."""
        for row in self._select(self.session.statements.select_uploads, sorted(set(upload_ids))):
            self.rows[row[0]] = dict(zip(UPLOAD_COLUMNS, row, strict=True))

    def rebuild_upload(self, row: Row) -> None:
        """Add an upload whose ``issued`` row was lost, unless another process has just done so."""
        if self.session.execute(self.session.statements.insert_upload_unless, row):
            self.rows[row["upload_id"]] = row
            self.charge(row, pending_uploads=1, size=row["size_max"])
            self.note(row["upload_id"], State.ISSUED.value, row["created_at"], None, '{"rebuilt":true}')
        else:
            self.load_uploads((row["upload_id"],))

    def add_upload(self, row: Row) -> None:
        """Add a fresh upload with its first claim."""
        self._new_uploads.append(row)
        self.claim(row["upload_id"], State.ISSUED.value, row["created_at"], None, "{}")

    def change(self, row: Row) -> None:
        """Mark a loaded row as changed."""
        self._changed[row["upload_id"]] = row

    def claim(self, upload_id: str, state: str, at: int, via: str | None, facts: str) -> None:
        """Add a state to the history; that the insert succeeds is what makes it happen once."""
        self._claims.append({"upload_id": upload_id, "claim": state, "at": at, "via": via, "facts": facts})

    def note(self, upload_id: str, claim: str, at: int, via: str | None, facts: str) -> None:
        """Add to the history what is no state, unless it stands there."""
        self._notes.append({"upload_id": upload_id, "claim": claim, "at": at, "via": via, "facts": facts})

    def note_once(self, upload_id: str, claim: str, at: int, via: str | None, facts: str) -> bool:
        """Add a note at once and tell whether it is new."""
        row = {"upload_id": upload_id, "claim": claim, "at": at, "via": via, "facts": facts}
        return self.session.execute(self.session.statements.insert_note, row) > 0

    def announce(self, row: Row, event: str, at: int, **facts: Any) -> None:
        """Put an event of an upload into the outbox, once for each sink that hears of it."""
        sinks = self._routes(row["profile"], event)
        if not sinks:
            return
        self.announced = True
        body = encode_event(event, at, row, facts)
        for name in sinks:
            self.add(
                self.session.statements.outbox.insert_delivery,
                {
                    "delivery_id": new_delivery_id(at),
                    "upload_id": row["upload_id"],
                    "sink": name,
                    "type": event,
                    "step": EVENT_STEPS[event],
                    "body": body,
                    "next_at": at,
                    "created_at": at,
                },
            )

    def add(self, statement: Statement, row: Row) -> None:
        """Run a statement for a row at the end, beside the others of its kind."""
        self._others.setdefault(statement.sql, (statement, []))[1].append(row)

    def keep(self, row: Row) -> None:
        """Add a callback to the inbox, unless none of its verdict is kept."""
        if self._keeps(row["verdict"]):
            self.kept.append(row)

    def charge(self, row: Row, *, pending_uploads: int, size: int) -> None:
        """Add to the account of an upload, when it has one."""
        if row["quota_period"]:
            key = (row["quota_key"], row["profile"], row["quota_period"])
            account = self.accounts.get(key)
            if account is not None:
                account.add(pending_uploads, size)
            else:
                charge = self._charges.setdefault(key, [0, 0])
                charge[0] += pending_uploads
                charge[1] += size

    def load_accounts(self, keys: Iterable[AccountKey]) -> None:
        """Read and lock the accounts that are charged and those named; open what is missing."""
        wanted = sorted({*keys, *self._charges} - self.accounts.keys())
        if not wanted:
            return
        self._read_accounts(wanted)
        missing = [key for key in wanted if key not in self.accounts]
        if missing:
            fields = ("quota_key", "profile", "period", "pending_uploads", "bytes")
            self.session.execute_many(
                self.session.statements.insert_quota_unless,
                [dict(zip(fields, (*key, 0, 0), strict=True)) for key in missing],
            )
            self._read_accounts(missing)
        for key, (pending_uploads, size) in self._charges.items():
            self.accounts[key].add(pending_uploads, size)
        self._charges.clear()

    def expire_overdue(self, key: AccountKey, *, before: int, at: int) -> None:
        """Mark overdue uploads of an account as expired and release what they had reserved."""
        # What has been decided so far must be in the tables before they are searched.
        self._write_uploads()
        while True:
            overdue = self.session.fetch(
                self.session.statements.select_overdue, (*key, before, _OVERDUE_AT_ONCE)
            )
            for values in overdue:
                row = dict(zip(UPLOAD_COLUMNS, values, strict=True))
                row["state"] = State.EXPIRED.value
                row["changed_at"] = at
                self.charge(row, pending_uploads=-1, size=-row["size_max"])
                self.change(row)
                self.claim(row["upload_id"], State.EXPIRED.value, at, None, "{}")
                self.announce(row, "upload.expired", at)
            self._write_uploads()
            if len(overdue) < _OVERDUE_AT_ONCE:
                return

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing left to write."""
        waiting = (self._new_uploads, self._claims, self._notes, self._changed, self.kept, self._others)
        return not any(waiting) and not any(account.changed for account in self.accounts.values())

    def write(self) -> None:
        """Write everything collected."""
        self._write_uploads()
        session, statements = self.session, self.session.statements
        changed = [account for account in self.accounts.values() if account.changed]
        if changed:
            session.execute_many(statements.update_quota, [account.as_row() for account in changed])
        if self.kept:
            session.execute_many(statements.keep_callback, self.kept)
        for statement, rows in self._others.values():
            session.execute_many(statement, rows)

    def _write_uploads(self) -> None:
        session, statements = self.session, self.session.statements
        if self._new_uploads:
            session.execute_many(statements.insert_upload, self._new_uploads)
            self._new_uploads = []
        if self._claims:
            session.execute_many(statements.insert_claim, self._claims)
            self._claims = []
        if self._notes:
            session.execute_many(statements.insert_note, self._notes)
            self._notes = []
        if self._changed:
            session.execute_many(statements.update_upload, self._changed.values())
            self._changed = {}

    def _read_accounts(self, keys: list[AccountKey]) -> None:
        for start in range(0, len(keys), _LARGEST_SELECT):
            part = keys[start : start + _LARGEST_SELECT]
            size = 1 << (len(part) - 1).bit_length()
            padded = part + part[-1:] * (size - len(part))
            statement = self.session.statements.select_quotas(size)
            values = [value for key in padded for value in key]
            for quota_key, profile, period, pending_uploads, size_sum in self.session.fetch(
                statement, values
            ):
                account = Account((quota_key, profile, period), pending_uploads, size_sum)
                self.accounts[account.key] = account

    def _select(self, statement: Any, keys: list[str]) -> Iterable[tuple[Any, ...]]:
        for start in range(0, len(keys), _LARGEST_SELECT):
            part = keys[start : start + _LARGEST_SELECT]
            size = 1 << (len(part) - 1).bit_length()
            yield from self.session.fetch(statement(size), part + part[-1:] * (size - len(part)))
