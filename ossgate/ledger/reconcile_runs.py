"""Where a walk over buckets and ledger stands: kept with its findings, under a lease that one process holds."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from ossgate.ledger.batch import Batch
from ossgate.ledger.database import Database
from ossgate.ledger.errors import LeaseHeld, LeaseLost
from ossgate.ledger.jobs import Job
from ossgate.ledger.models import Finding, ReconcileRun
from ossgate.ledger.reads import fetch_rows
from ossgate.ledger.rows import Row, encode_time, parse_time
from ossgate.ledger.sweep_statements import RUN_COLUMNS
from ossgate.ledger.tables import reconcile_finding, reconcile_run
from ossgate.ledger.writer import Writer

LEASE = "reconcile"
RESUMABLE = timedelta(days=1)
"""A cursor older than this is forgotten: the walk begins anew."""
RUNS_KEPT = 200
"""Older runs go when a new one begins."""
_DETAIL_LENGTH = 500
_TIMEOUT = 10.0


class ReconcileRuns:
    """Begin runs, keep where they stand, list what they found.

    Every method that writes raises ``LedgerBusy`` or ``LedgerUnavailable`` when it could not, every one that reads
    ``LedgerUnavailable``.
    """

    def __init__(self, writer: Writer, readable: Callable[[], Database]) -> None:
        self._writer = writer
        self._readable = readable

    def begin_run(
        self,
        run_id: str,
        scope: Mapping[str, Any],
        *,
        owner: str,
        lease: timedelta,
        now: datetime,
        resume: bool = True,
        timeout: float = _TIMEOUT,
    ) -> ReconcileRun:
        """Take the lease, and begin a run or go on with an unfinished one of the same scope.

        Args:
            run_id: Of a new run; sorts by time.
            owner: Names the process; two that run at once must not share a name.

        Raises:
            LeaseHeld: Another process has the lease, and it has not ended.
        """
        job = _BeginJob(run_id, scope, owner=owner, lease=lease, now=now, resume=resume)
        self._writer.run(job, timeout=timeout)
        return _parse_run(job.row)

    def save_run(
        self,
        run: ReconcileRun,
        findings: Sequence[tuple[int, Finding]] = (),
        *,
        owner: str,
        lease: timedelta,
        now: datetime,
        timeout: float = _TIMEOUT,
    ) -> None:
        """Keep where a run stands with what it has found since, in one commit, and prolong the lease.

        A run that is finished gives its lease back.

        Args:
            findings: Each with its number in the run.

        Raises:
            LeaseLost: Another process has taken over; nothing was kept.
        """
        self._writer.run(_SaveJob(run, findings, owner=owner, lease=lease, now=now), timeout=timeout)

    def release_run(self, *, owner: str, now: datetime, timeout: float = _TIMEOUT) -> None:
        """Give the lease back, so that an interrupted run can be gone on with at once."""
        self._writer.run(_ReleaseJob(owner, now), timeout=timeout)

    def fetch_run(self, run_id: str) -> ReconcileRun | None:
        """Fetch one run."""
        rows = fetch_rows(self._readable(), select(reconcile_run).where(reconcile_run.c.run_id == run_id))
        return _parse_run(rows[0]) if rows else None

    def list_runs(self, *, before: str | None = None, limit: int = 20) -> list[ReconcileRun]:
        """List runs, newest first; ``before`` is the last id of the page before."""
        query = select(reconcile_run).order_by(reconcile_run.c.run_id.desc()).limit(limit)
        if before is not None:
            query = query.where(reconcile_run.c.run_id < before)
        return [_parse_run(row) for row in fetch_rows(self._readable(), query)]

    def list_findings(self, run_id: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Finding]]:
        """List a run's findings in the order of their numbers, from above one on."""
        query = (
            select(reconcile_finding)
            .where(reconcile_finding.c.run_id == run_id, reconcile_finding.c.number > after)
            .order_by(reconcile_finding.c.number)
            .limit(limit)
        )
        return [
            (
                row["number"],
                Finding(
                    parse_time(row["at"]),
                    row["kind"],
                    row["outcome"],
                    row["bucket"],
                    row["object_key"],
                    row["upload_id"],
                    row["detail"],
                ),
            )
            for row in fetch_rows(self._readable(), query)
        ]


class _LeaseJob(Job):
    def __init__(self, owner: str, lease: timedelta, now: datetime) -> None:
        super().__init__()
        self._at = encode_time(now)
        self._lease_row: Row = {
            "name": LEASE,
            "owner": owner,
            "now": self._at,
            # Given back, it has ended whatever anybody's clock says.
            "until": encode_time(now + lease) if lease else 0,
        }

    def keep(self, batch: Batch) -> bool:
        """Prolong the lease at once, and tell whether it is ours."""
        statements = batch.session.statements.sweeps
        if batch.session.execute(statements.keep_lease, self._lease_row):
            return True
        self.error = LeaseLost(LEASE)
        return False


class _BeginJob(_LeaseJob):
    def __init__(
        self,
        run_id: str,
        scope: Mapping[str, Any],
        *,
        owner: str,
        lease: timedelta,
        now: datetime,
        resume: bool,
    ) -> None:
        super().__init__(owner, lease, now)
        self._oldest = encode_time(now - RESUMABLE)
        self._resume = resume
        self._fresh: Row = {
            "run_id": run_id,
            "scope": json.dumps(dict(scope), sort_keys=True),
            "started_at": self._at,
            "changed_at": self._at,
            "finished_at": None,
            "cursor": "{}",
            "counts": "{}",
        }
        self.row: Row = {}

    def apply(self, batch: Batch) -> None:
        """Take the lease, then find where to go on."""
        session, statements = batch.session, batch.session.statements.sweeps
        session.execute(statements.insert_lease_unless, {**self._lease_row, "owner": "", "until": 0})
        if not session.execute(statements.take_lease, self._lease_row):
            owner, until = session.fetch(statements.select_lease, (LEASE,))[0]
            self.error = LeaseHeld(LEASE, owner, parse_time(until))
            return
        found = session.fetch(statements.select_unfinished, (self._fresh["scope"],)) if self._resume else []
        row = dict(zip(RUN_COLUMNS, found[0], strict=True)) if found else None
        if row is not None and row["changed_at"] >= self._oldest:
            self.row = row
        else:
            self.row = self._fresh
            batch.add(statements.insert_run, self._fresh)
            for (run_id,) in session.fetch(statements.select_outdated, (RUNS_KEPT,)):
                session.execute(statements.prune_findings, {"below": run_id})
                session.execute(statements.prune_runs, {"below": run_id})


class _SaveJob(_LeaseJob):
    def __init__(
        self,
        run: ReconcileRun,
        findings: Sequence[tuple[int, Finding]],
        *,
        owner: str,
        lease: timedelta,
        now: datetime,
    ) -> None:
        super().__init__(owner, timedelta() if run.finished_at else lease, now)
        self._run: Row = {
            "run_id": run.run_id,
            "changed_at": self._at,
            "finished_at": None if run.finished_at is None else encode_time(run.finished_at),
            "cursor": json.dumps(run.cursor),
            "counts": json.dumps(run.counts),
        }
        self._findings = [_encode_finding(run.run_id, number, found) for number, found in findings]

    def apply(self, batch: Batch) -> None:
        """Write all of it, unless the lease is lost."""
        if self.keep(batch):
            statements = batch.session.statements.sweeps
            batch.add(statements.update_run, self._run)
            for row in self._findings:
                batch.add(statements.insert_finding, row)


class _ReleaseJob(_LeaseJob):
    def __init__(self, owner: str, now: datetime) -> None:
        super().__init__(owner, timedelta(), now)

    def apply(self, batch: Batch) -> None:
        """End the lease; that it is lost already is no error."""
        batch.session.execute(batch.session.statements.sweeps.keep_lease, self._lease_row)


def _encode_finding(run_id: str, number: int, finding: Finding) -> Row:
    return {
        "run_id": run_id,
        "number": number,
        "at": encode_time(finding.at),
        "kind": finding.kind,
        "outcome": finding.outcome,
        "bucket": finding.bucket,
        "object_key": _storable(finding.object_key),
        "upload_id": finding.upload_id,
        "detail": _storable(finding.detail)[:_DETAIL_LENGTH],
    }


def _parse_run(row: Mapping[str, Any]) -> ReconcileRun:
    return ReconcileRun(
        row["run_id"],
        json.loads(row["scope"]),
        parse_time(row["started_at"]),
        parse_time(row["changed_at"]),
        None if row["finished_at"] is None else parse_time(row["finished_at"]),
        json.loads(row["cursor"]),
        json.loads(row["counts"]),
    )


def _storable(text: str) -> str:
    # Keys of strangers may hold anything; PostgreSQL stores no NUL.
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
