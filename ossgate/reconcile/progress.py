"""Where a run stands: its counts, its cursor and its findings, kept in the ledger together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ossgate.ledger import Finding, Ledger, ReconcileRun
from ossgate.reconcile.findings import Verdict

LEASE = timedelta(minutes=2)
FINDINGS_KEPT = 10_000
"""Of one run; beyond these findings are only counted."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: what it walks now, and how much of everything it has seen."""

    bucket: str
    uploads: int
    objects: int
    findings: int


class RunBook:
    """Keeps one run in the ledger; what it has kept survives the process."""

    def __init__(self, run: ReconcileRun, *, ledger: Ledger, owner: str, now: Callable[[], datetime]) -> None:
        self.run = run
        self.counts: Counter[str] = Counter(run.counts)
        # Set when a bucket failed: a later run goes on there, whatever else this one gets done.
        self.frozen = False
        self._ledger = ledger
        self._owner = owner
        self._now = now

    @property
    def cursor(self) -> dict[str, Any]:
        """Where the run goes on."""
        return self.run.cursor

    def save(self, cursor: dict[str, Any], bucket: str, verdicts: Iterable[Verdict] = ()) -> None:
        """Keep where the run stands and what was found since, in one commit.

        Raises:
            LeaseLost: Another process has taken the run over.
        """
        self._write(self.cursor if self.frozen else cursor, self._count(bucket, verdicts), None)

    def finish(self) -> ReconcileRun:
        """Mark the run as finished and give the lease back."""
        self._write({}, [], self._now())
        return self.run

    def release(self) -> None:
        """Give the lease back, so that the run can be gone on with at once."""
        self._ledger.runs.release_run(owner=self._owner, now=self._now())

    def tell(self, bucket: str) -> Progress:
        """Return how far the run is."""
        return Progress(bucket, self.counts["uploads"], self.counts["objects"], self.counts["findings"])

    def _count(self, bucket: str, verdicts: Iterable[Verdict]) -> list[tuple[int, Finding]]:
        at = self._now()
        kept = []
        for verdict in verdicts:
            self.counts["findings"] += 1
            self.counts[f"{verdict.kind}:{verdict.outcome}"] += 1
            number = self.counts["findings"]
            if number <= FINDINGS_KEPT:
                found = Finding(
                    at,
                    verdict.kind.value,
                    verdict.outcome.value,
                    bucket,
                    verdict.object_key,
                    verdict.upload_id,
                    verdict.detail,
                )
                kept.append((number, found))
        return kept

    def _write(
        self, cursor: dict[str, Any], findings: list[tuple[int, Finding]], finished_at: datetime | None
    ) -> None:
        run = replace(self.run, cursor=cursor, counts=dict(self.counts), finished_at=finished_at)
        self._ledger.runs.save_run(run, findings, owner=self._owner, lease=LEASE, now=self._now())
        self.run = run
