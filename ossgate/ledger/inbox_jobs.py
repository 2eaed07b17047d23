"""The writer's work on the inbox: callbacks that came to nothing are kept, and each verdict has a bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from ossgate.ledger.batch import Batch
from ossgate.ledger.jobs import Job
from ossgate.ledger.models import Judgement, KeptRequest
from ossgate.ledger.rows import Row, encode_callback
from ossgate.ledger.states import Verdict

TRIMMED_AT_ONCE = 200
# Whoever gets few callbacks has the old ones taken out all the same.
_TRIM_AFTER = timedelta(hours=1) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class InboxBounds:
    """Bound what is kept: so many believed callbacks, so many of each other verdict, none older than so many days.

    Each verdict has its own bound, so that nobody who sends rubbish pushes out what is worth keeping. Nought keeps none.
    """

    believed: int = 100_000
    others: int = 10_000
    days: int = 30

    def limit_of(self, verdict: str) -> int:
        """Return how many callbacks of a verdict are kept, about."""
        return self.believed if verdict == Verdict.BELIEVED else self.others


class CallbackJob(Job):
    """Keep a callback that records nothing else; nobody waits for it."""

    is_aside = True

    def __init__(self, request: KeptRequest, judgement: Judgement) -> None:
        super().__init__()
        self._row = encode_callback(request, judgement)

    def apply(self, batch: Batch) -> None:
        """Add the row."""
        batch.keep(self._row)


class TrimInboxJob(Job):
    """Delete a few of the oldest callbacks of a verdict; nobody waits for it."""

    is_aside: ClassVar[bool] = True

    def __init__(self, verdict: str, *, kept: int, before: int, through: str | None = None) -> None:
        super().__init__()
        self._verdict = verdict
        self._kept = kept
        self._before = before
        self._through = through
        self._is_full = False

    def apply(self, batch: Batch) -> None:
        """Look for the bound once, then delete at once, to know whether there is more."""
        statements = batch.session.statements
        row: Row = {"verdict": self._verdict, "kept": self._kept}
        if self._through is None:
            found = batch.session.fetch(statements.select_surplus, statements.select_surplus.pick(row))
            self._through = found[0][0] if found else ""
        row |= {"through": self._through, "before": self._before, "limit": TRIMMED_AT_ONCE}
        self._is_full = batch.session.execute(statements.trim_inbox, row) >= TRIMMED_AT_ONCE

    def follow(self) -> TrimInboxJob | None:
        """Return the next job when this one has not deleted all."""
        if not self._is_full:
            return None
        return TrimInboxJob(self._verdict, kept=self._kept, before=self._before, through=self._through)


class InboxTrimmer:
    """Tell when the inbox is due to be trimmed, by what the writer of this process has added."""

    def __init__(self, bounds: InboxBounds) -> None:
        self._bounds = bounds
        self._added: dict[str, int] = {}
        self._trimmed_at = 0

    def note(self, rows: Iterable[Row]) -> list[TrimInboxJob]:
        """Count rows that were added, and return what is to be done now; the first of a process are followed by a trim."""
        newest = 0
        for row in rows:
            verdict = row["verdict"]
            self._added[verdict] = self._added.get(verdict, 0) + 1
            newest = max(newest, row["at"])
        if newest - self._trimmed_at >= _TRIM_AFTER:
            self._trimmed_at = newest
            due = [verdict.value for verdict in Verdict]
        else:
            # A twentieth more than is meant: to find the bound costs a walk over what is within it.
            due = [
                verdict
                for verdict, added in self._added.items()
                if added > self._bounds.limit_of(verdict) // 20
            ]
        for verdict in due:
            self._added[verdict] = 0
        before = newest - self._bounds.days * 86_400_000
        return [TrimInboxJob(verdict, kept=self._bounds.limit_of(verdict), before=before) for verdict in due]
