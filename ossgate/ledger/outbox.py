"""The outbox's face: what deliverers claim and settle, and what operators look at."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from ossgate.ledger.database import Database
from ossgate.ledger.models import Delivery, SinkState
from ossgate.ledger.outbox_jobs import ClaimJob, FinishJob, ReplayJob, SettleJob, SinkJob, TrimJob
from ossgate.ledger.outbox_statements import DELIVERY_COLUMNS
from ossgate.ledger.reads import fetch_rows
from ossgate.ledger.rows import parse_delivery, parse_time
from ossgate.ledger.tables import IS_DEAD, IS_PENDING, delivery, sink
from ossgate.ledger.writer import Writer

_TIMEOUT = 5.0
_SHOWN = [delivery.c[name] for name in DELIVERY_COLUMNS]


class Outbox:
    """Hand out deliveries and take back what came of them. Any thread may call it; nothing is lost with a process.

    Every method that writes raises ``LedgerBusy`` or ``LedgerUnavailable`` when it could not, every one that
    reads ``LedgerUnavailable``.
    """

    def __init__(self, writer: Writer, readable: Callable[[], Database]) -> None:
        self._writer = writer
        self._readable = readable

    def watch(self, wake: Callable[[], None] | None) -> None:
        """Have this process's writer call a function, which must not wait, when something new is in the outbox."""
        self._writer.on_announced = wake

    def claim_deliveries(
        self,
        wanted: Mapping[str, int],
        *,
        locked_by: str,
        lease: timedelta,
        now: datetime,
        timeout: float = _TIMEOUT,
    ) -> list[Delivery]:
        """Take what is due of each sink, at most so many of each, for the length of a lease.

        Each counts as an attempt from now on, so that one which kills its deliverer every time comes to an end, too.
        Of an upload and a sink only the earliest pending one is given out.

        Args:
            locked_by: Names the deliverer; two that run at once must not share a name.
        """
        job = ClaimJob(wanted, locked_by=locked_by, lease=lease, now=now)
        self._writer.run(job, timeout=timeout)
        return job.claimed()

    def finish_delivery(self, claimed: Delivery, *, now: datetime, timeout: float = _TIMEOUT) -> None:
        """Mark a delivery as delivered."""
        self._writer.run(FinishJob(claimed, now), timeout=timeout)

    def retry_delivery(
        self,
        claimed: Delivery,
        *,
        next_at: datetime,
        error: str,
        pause_until: datetime | None = None,
        timeout: float = _TIMEOUT,
    ) -> None:
        """Give a failed delivery its next time, unless another deliverer has taken it over.

        Args:
            pause_until: Leaves the whole sink alone until then, whichever deliverer asks.
        """
        job = SettleJob([claimed], next_at=next_at, error=error, pause_until=pause_until)
        self._writer.run(job, timeout=timeout)

    def bury_delivery(
        self, claimed: Delivery, *, error: str, now: datetime, timeout: float = _TIMEOUT
    ) -> None:
        """Put a delivery among the dead, where it is kept until somebody replays it."""
        self._writer.run(SettleJob([claimed], state="dead", next_at=now, error=error), timeout=timeout)

    def release_deliveries(
        self,
        claimed: Sequence[Delivery],
        *,
        now: datetime,
        error: str | None = None,
        timeout: float = _TIMEOUT,
    ) -> None:
        """Give back what was claimed; the attempt does not count."""
        if claimed:
            job = SettleJob(claimed, next_at=now, error=error, uncounted=True)
            self._writer.run(job, timeout=timeout)

    def replay_deliveries(
        self, delivery_ids: Sequence[str], *, now: datetime, timeout: float = _TIMEOUT
    ) -> int:
        """Make dead deliveries pending again under their old ids, and count those that were dead."""
        job = ReplayJob(delivery_ids, sink=None, limit=0, now=now)
        self._writer.run(job, timeout=timeout)
        return job.count

    def replay_dead(self, name: str, *, limit: int, now: datetime, timeout: float = _TIMEOUT) -> int:
        """Make the oldest so many dead deliveries of a sink pending again, and count them."""
        job = ReplayJob((), sink=name, limit=limit, now=now)
        self._writer.run(job, timeout=timeout)
        return job.count

    def trim_delivered(self, *, before: datetime, limit: int, timeout: float = _TIMEOUT) -> int:
        """Delete at most so many deliveries that were delivered and are older, and count them."""
        job = TrimJob(before, limit)
        self._writer.run(job, timeout=timeout)
        return job.count

    def disable_sink(self, name: str, *, reason: str, now: datetime, timeout: float = _TIMEOUT) -> None:
        """Keep a sink's deliveries waiting until it is enabled."""
        self._writer.run(SinkJob(name, disabled_at=now, reason=reason), timeout=timeout)

    def enable_sink(self, name: str, *, timeout: float = _TIMEOUT) -> None:
        """Let a sink have its deliveries again."""
        self._writer.run(SinkJob(name, disabled_at=None, reason=None), timeout=timeout)

    def list_sinks(self) -> list[SinkState]:
        """List every sink that has something waiting or dead, or is disabled or paused, by name."""
        database = self._readable()
        counted: list[dict[str, int]] = []
        for condition in (IS_PENDING, IS_DEAD):
            query = select(delivery.c.sink, func.count().label("number")).where(condition)
            rows = fetch_rows(database, query.group_by(delivery.c.sink))
            counted.append({row["sink"]: row["number"] for row in rows})
        pending, dead = counted
        known = {row["name"]: row for row in fetch_rows(database, select(sink))}
        states = []
        for name in sorted({*pending, *dead, *known}):
            row = known.get(name, {})
            disabled_at, resume_at = row.get("disabled_at"), row.get("resume_at")
            states.append(
                SinkState(
                    name,
                    pending.get(name, 0),
                    dead.get(name, 0),
                    None if disabled_at is None else parse_time(disabled_at),
                    row.get("reason"),
                    None if resume_at is None else parse_time(resume_at),
                )
            )
        return states

    def list_pending(self, name: str, *, limit: int = 50) -> list[Delivery]:
        """List what waits for a sink, what is due first coming first."""
        query = select(*_SHOWN).where(IS_PENDING, delivery.c.sink == name).order_by(delivery.c.next_at)
        return [parse_delivery(row) for row in fetch_rows(self._readable(), query.limit(limit))]

    def list_dead(
        self, *, name: str | None = None, before: str | None = None, limit: int = 50
    ) -> list[Delivery]:
        """List dead deliveries, newest first; ``before`` is the last id of the page before."""
        query = select(*_SHOWN).where(IS_DEAD).order_by(delivery.c.delivery_id.desc()).limit(limit)
        if name is not None:
            query = query.where(delivery.c.sink == name)
        if before is not None:
            query = query.where(delivery.c.delivery_id < before)
        return [parse_delivery(row) for row in fetch_rows(self._readable(), query)]

    def list_deliveries(self, upload_id: str) -> list[Delivery]:
        """List all that sinks were or will be told of an upload, in the order in which they hear it."""
        query = select(*_SHOWN).where(delivery.c.upload_id == upload_id)
        query = query.order_by(delivery.c.step, delivery.c.delivery_id)
        return [parse_delivery(row) for row in fetch_rows(self._readable(), query)]
