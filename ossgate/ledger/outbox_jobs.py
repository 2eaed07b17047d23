"""What deliverers hand to the writer: claims, what came of them, and how sinks stand."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ossgate.ledger.batch import Batch
from ossgate.ledger.jobs import Job
from ossgate.ledger.models import Delivery
from ossgate.ledger.outbox_statements import DELIVERY_COLUMNS
from ossgate.ledger.rows import Row, encode_time, parse_delivery

_ERROR_LENGTH = 500


class ClaimJob(Job):
    """Take what is due, for the length of a lease."""

    def __init__(self, wanted: Mapping[str, int], *, locked_by: str, lease: timedelta, now: datetime) -> None:
        super().__init__()
        self._wanted = wanted
        self._locked_by = locked_by
        self._now = encode_time(now)
        self._until = encode_time(now + lease)
        self._rows: list[Row] = []

    def apply(self, batch: Batch) -> None:
        """Read and lock, each sink by itself, so that one with many waiting takes nothing from the others."""
        outbox = batch.session.statements.outbox
        self._rows = []
        for name, limit in self._wanted.items():
            if limit < 1:
                continue
            asked = {"sink": name, "now": self._now, "limit": limit}
            for values in batch.session.fetch(outbox.select_due, outbox.select_due.pick(asked)):
                row = dict(zip(DELIVERY_COLUMNS, values, strict=True))
                row["attempts"] += 1
                row["next_at"] = row["locked_until"] = self._until
                row["locked_by"] = self._locked_by
                batch.add(outbox.lock_delivery, row)
                self._rows.append(row)

    def claimed(self) -> list[Delivery]:
        """Give what was taken, once it is durable."""
        return [parse_delivery(row) for row in self._rows]


class FinishJob(Job):
    """Mark as delivered."""

    def __init__(self, delivery: Delivery, now: datetime) -> None:
        super().__init__()
        self._delivery = delivery
        self._at = encode_time(now)

    def apply(self, batch: Batch) -> None:
        """Mark it, and let go on what waited while it was tried again."""
        outbox = batch.session.statements.outbox
        row = {"delivery_id": self._delivery.delivery_id, "delivered_at": self._at}
        batch.add(outbox.finish_delivery, row)
        if self._delivery.attempts > 1:
            _move_followers(batch, self._delivery, self._at)


class SettleJob(Job):
    """Set what comes next for what was not delivered: a further attempt, the dead, or simply its place back."""

    def __init__(
        self,
        deliveries: Sequence[Delivery],
        *,
        state: str = "pending",
        next_at: datetime,
        error: str | None = None,
        uncounted: bool = False,
        pause_until: datetime | None = None,
    ) -> None:
        super().__init__()
        self._deliveries = deliveries
        self._state = state
        self._next_at = encode_time(next_at)
        self._error = error
        self._uncounted = uncounted
        self._pause_until = None if pause_until is None else encode_time(pause_until)

    def apply(self, batch: Batch) -> None:
        """Write it for each that is still ours."""
        outbox = batch.session.statements.outbox
        for delivery in self._deliveries:
            error = delivery.last_error if self._error is None else _storable(self._error)
            batch.add(
                outbox.settle_delivery,
                {
                    "delivery_id": delivery.delivery_id,
                    "locked_by": delivery.locked_by,
                    "state": self._state,
                    "attempts": delivery.attempts - self._uncounted,
                    "next_at": self._next_at,
                    "last_error": error,
                },
            )
            if not self._uncounted:
                _move_followers(batch, delivery, self._next_at)
            if self._pause_until is not None:
                batch.add(outbox.insert_sink_unless, {"name": delivery.sink})
                batch.add(outbox.pause_sink, {"name": delivery.sink, "resume_at": self._pause_until})


class ReplayJob(Job):
    """Make dead deliveries pending again."""

    def __init__(self, delivery_ids: Sequence[str], *, sink: str | None, limit: int, now: datetime) -> None:
        super().__init__()
        self._delivery_ids = delivery_ids
        self._sink = sink
        self._limit = limit
        self._at = encode_time(now)
        self.count = 0

    def apply(self, batch: Batch) -> None:
        """Change them at once, to count them."""
        session, outbox = batch.session, batch.session.statements.outbox
        self.count = sum(
            session.execute(outbox.replay_delivery, {"delivery_id": delivery_id, "next_at": self._at})
            for delivery_id in sorted(set(self._delivery_ids))
        )
        if self._sink is not None:
            wanted = {"sink": self._sink, "limit": self._limit, "next_at": self._at}
            self.count += session.execute(outbox.replay_dead, wanted)
        batch.announced = batch.announced or self.count > 0


class TrimJob(Job):
    """Delete what was delivered long ago."""

    def __init__(self, before: datetime, limit: int) -> None:
        super().__init__()
        self._row = {"before": f"dl_{encode_time(before):012x}", "limit": limit}
        self.count = 0

    def apply(self, batch: Batch) -> None:
        """Delete at once, to count."""
        self.count = batch.session.execute(batch.session.statements.outbox.trim_delivered, self._row)


class SinkJob(Job):
    """Disable or enable a sink."""

    def __init__(self, name: str, *, disabled_at: datetime | None, reason: str | None) -> None:
        super().__init__()
        self._name = name
        self._disabled_at = None if disabled_at is None else encode_time(disabled_at)
        self._reason = None if reason is None else _storable(reason)

    def apply(self, batch: Batch) -> None:
        """Write it, and wake the deliverer when there is something to do again."""
        outbox = batch.session.statements.outbox
        row = {"name": self._name, "disabled_at": self._disabled_at, "reason": self._reason}
        batch.add(outbox.insert_sink_unless, row)
        if self._disabled_at is None:
            batch.add(outbox.enable_sink, row)
            batch.announced = True
        else:
            batch.add(outbox.disable_sink, row)


def _move_followers(batch: Batch, delivery: Delivery, next_at: int) -> None:
    row = {"upload_id": delivery.upload_id, "sink": delivery.sink, "next_at": next_at}
    batch.add(batch.session.statements.outbox.move_followers, row)


def _storable(text: str) -> str:
    # It may quote what a stranger's server answered.
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")[:_ERROR_LENGTH]
