"""Retention: what ended long ago is deleted, in batches so small that nobody waits for them.

The tables have no partitions, which would forbid the unique keys that make things happen once; so old rows are deleted one batch a
transaction, and other writers come between.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Select, func, select

from ossgate.ledger.batch import Batch
from ossgate.ledger.compiler import Statement
from ossgate.ledger.database import Database
from ossgate.ledger.jobs import Job
from ossgate.ledger.reads import fetch_tuples, is_in_state
from ossgate.ledger.rows import Row, encode_time
from ossgate.ledger.states import State
from ossgate.ledger.sweep_statements import SweepStatements
from ossgate.ledger.tables import IS_PERIODICAL, inbox, quota, reconcile_run, upload
from ossgate.ledger.writer import Writer

PRUNABLE = (State.EXPIRED.value, State.DELETED.value, State.ABORTED.value)
"""States after which nothing is in the bucket; of all others the ledger must go on knowing."""
BATCH_ROWS = 200
_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Pruned:
    """Count what was deleted, or would be."""

    table: str
    rows: int


class Retention:
    """Delete what ended long ago. Every method raises ``LedgerBusy`` or ``LedgerUnavailable`` when it cannot.

    Each takes ``below``: the id that a new one would have had at ``before``, since ids sort by time and the tables
    are searched by them.
    """

    def __init__(self, writer: Writer, readable: Callable[[], Database]) -> None:
        self._writer = writer
        self._readable = readable

    def count_prunable(self, states: Sequence[str], *, before: datetime, below: str) -> list[Pruned]:
        """Count what `prune` would delete."""
        counted = [
            Pruned(f"upload ({state})", self._count(build_prunable(state, before=before, below=below)))
            for state in _check_states(states)
        ]
        counted.append(
            Pruned("inbox", self._count(select(inbox.c.callback_id).where(inbox.c.callback_id < below)))
        )
        counted.append(Pruned("quota", self._count(_build_accounts(before))))
        runs = select(reconcile_run.c.run_id).where(reconcile_run.c.run_id < below)
        counted.append(Pruned("reconcile_run", self._count(runs)))
        return counted

    def prune(
        self, states: Sequence[str], *, before: datetime, below: str, timeout: float = _TIMEOUT
    ) -> Iterator[Pruned]:
        """Delete uploads of these states that have not changed since, with their history, and old callbacks, accounts and runs.

        Gives how much each batch deleted; what is not taken out of the iterator is not deleted.
        """
        for state in _check_states(states):
            after = ""
            while ids := self._list_prunable(state, before=before, below=below, after=after):
                job = _PruneUploadsJob(ids, state, before)
                self._writer.run(job, timeout=timeout)
                yield Pruned(f"upload ({state})", job.count)
                after = ids[-1]
        row: Row = {"below": below, "limit": BATCH_ROWS, "before": _day(before)}
        for table, choose in (
            ("inbox", lambda made: made.prune_inbox),
            ("quota", lambda made: made.prune_accounts),
        ):
            while (count := self._run(choose, row, timeout)) > 0:
                yield Pruned(table, count)
        self._run(lambda made: made.prune_findings, row, timeout)
        count = self._run(lambda made: made.prune_runs, row, timeout)
        if count:
            yield Pruned("reconcile_run", count)

    def _run(self, choose: Callable[[SweepStatements], Statement], row: Row, timeout: float) -> int:
        job = _PruneJob(choose, row)
        self._writer.run(job, timeout=timeout)
        return job.count

    def _list_prunable(self, state: str, *, before: datetime, below: str, after: str) -> list[str]:
        query = build_prunable(state, before=before, below=below, after=after).limit(BATCH_ROWS)
        return [row[0] for row in fetch_tuples(self._readable(), query)]

    def _count(self, query: Select[Any]) -> int:
        counted = select(func.count()).select_from(query.order_by(None).subquery())
        return int(fetch_tuples(self._readable(), counted)[0][0])


class _PruneUploadsJob(Job):
    """Delete these uploads, each unless it has changed since it was looked at."""

    # After every arrival of the same batch: one that has just come may not lose its row.
    is_issue: ClassVar[bool] = True

    def __init__(self, upload_ids: Sequence[str], state: str, before: datetime) -> None:
        super().__init__()
        self._upload_ids = upload_ids
        self._state = state
        self._before = encode_time(before)
        self.count = 0

    def upload_ids(self) -> Sequence[str]:
        """Name the uploads, so that they are locked."""
        return self._upload_ids

    def apply(self, batch: Batch) -> None:
        """Delete the changes, then the uploads."""
        statements = batch.session.statements.sweeps
        self.count = 0
        for upload_id in self._upload_ids:
            row = batch.rows.get(upload_id)
            if row is not None and row["state"] == self._state and row["changed_at"] < self._before:
                batch.add(statements.delete_history, {"upload_id": upload_id})
                batch.add(statements.delete_upload, {"upload_id": upload_id})
                self.count += 1


class _PruneJob(Job):
    """Delete one batch at once, to count it."""

    def __init__(self, choose: Callable[[SweepStatements], Statement], row: Row) -> None:
        super().__init__()
        self._choose = choose
        self._row = row
        self.count = 0

    def apply(self, batch: Batch) -> None:
        """Delete."""
        self.count = batch.session.execute(self._choose(batch.session.statements.sweeps), self._row)


def build_prunable(state: str, *, before: datetime, below: str, after: str = "") -> Select[Any]:
    """Build the query of the uploads of a state that have not changed since, by id."""
    return (
        select(upload.c.upload_id)
        .where(
            *is_in_state(state),
            upload.c.upload_id > after,
            upload.c.upload_id < below,
            upload.c.changed_at < encode_time(before),
        )
        .order_by(upload.c.upload_id)
    )


def _build_accounts(before: datetime) -> Select[Any]:
    return select(quota.c.period).where(
        IS_PERIODICAL, quota.c.period < _day(before), quota.c.pending_uploads <= 0
    )


def _check_states(states: Sequence[str]) -> Sequence[str]:
    for state in states:
        if state not in PRUNABLE:
            raise ValueError(f"uploads that are {state[:32]!r} are never pruned")
    return states


def _day(before: datetime) -> str:
    return before.date().isoformat()
