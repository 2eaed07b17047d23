"""One attempt: send, and write down what came of it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from ossgate.delivery.errors import DeliveryFailed
from ossgate.delivery.schedule import MAX_CLAIMS, NextStep, plan_next
from ossgate.delivery.sinks import Sink
from ossgate.ledger import Delivery, LedgerError, Outbox

Result = Literal["delivered", "retried", "dead", "disabled", "released", "unrecorded"]
_RECORD_TRIES = 3
_RECORD_PAUSE = 0.2


class Log(Protocol):
    """Writes one structured line."""

    def __call__(self, event: str, /, **facts: object) -> None: ...  # noqa: D102


@dataclass(slots=True)
class Tally:
    """Counts how attempts ended."""

    counts: dict[Result, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, result: Result) -> None:
        """Count one."""
        with self._lock:
            self.counts[result] = self.counts.get(result, 0) + 1


class Attempt:
    """Attempts deliveries to one sink. Any number of threads may do so at once."""

    def __init__(
        self,
        sink: Sink,
        outbox: Outbox,
        *,
        now: Callable[[], datetime],
        random: Callable[[], float],
        log: Log,
    ) -> None:
        self._sink = sink
        self._outbox = outbox
        self._now = now
        self._random = random
        self._log = log
        self._slow_answers = 0

    def run(self, delivery: Delivery) -> Result:
        """Send a claimed delivery once and settle it.

        Were this process to end at any point here, the lease would run out and the same delivery come again under its id.
        """
        if delivery.attempts > MAX_CLAIMS:
            # Its deliverer never came to an end with it; most likely it is what ended it.
            return self._bury(delivery, "its deliverer ended in the middle of each attempt")
        begun = time.monotonic()
        try:
            self._sink.send(delivery, now=self._now())
        except DeliveryFailed as failure:
            return self._settle(delivery, failure)
        except Exception as error:
            # A body that a sink cannot even encode must not end the thread, nor come back at once for ever.
            return self._settle(delivery, DeliveryFailed(f"{type(error).__name__}: {str(error)[:150]}"))
        self._slow_answers = 0
        if not self._record(lambda: self._outbox.finish_delivery(delivery, now=self._now())):
            self._tell("delivery_unrecorded", delivery)
            return "unrecorded"
        self._tell("delivered", delivery, duration_ms=round((time.monotonic() - begun) * 1000))
        return "delivered"

    def _settle(self, delivery: Delivery, failure: DeliveryFailed) -> Result:
        step = plan_next(
            failure, attempts=delivery.attempts, slow_answers=self._slow_answers, random=self._random
        )
        self._slow_answers = self._slow_answers + 1 if failure.is_slow else 0
        if step.is_disabled:
            return self._disable(delivery, failure)
        if step.delay is None:
            return self._bury(delivery, failure.reason)
        return self._retry(delivery, failure, step)

    def _retry(self, delivery: Delivery, failure: DeliveryFailed, step: NextStep) -> Result:
        assert step.delay is not None
        now = self._now()
        next_at = now + step.delay
        pause_until = None if step.pause is None else now + step.pause
        recorded = self._record(
            lambda: self._outbox.retry_delivery(
                delivery, next_at=next_at, error=failure.reason, pause_until=pause_until
            )
        )
        self._tell(
            "delivery_failed", delivery, reason=failure.reason, next_in_s=round(step.delay.total_seconds())
        )
        if step.pause is not None:
            self._log("sink_paused", sink=self._sink.name, seconds=round(step.pause.total_seconds()))
        return "retried" if recorded else "unrecorded"

    def _bury(self, delivery: Delivery, reason: str) -> Result:
        recorded = self._record(lambda: self._outbox.bury_delivery(delivery, error=reason, now=self._now()))
        self._tell("delivery_dead", delivery, reason=reason)
        return "dead" if recorded else "unrecorded"

    def _disable(self, delivery: Delivery, failure: DeliveryFailed) -> Result:
        now = self._now()
        # The sink first: were the delivery free before it, it would be sent once more.
        recorded = self._record(
            lambda: self._outbox.disable_sink(self._sink.name, reason=failure.reason, now=now)
        ) and self._record(lambda: self._outbox.release_deliveries([delivery], now=now, error=failure.reason))
        self._log("sink_disabled", sink=self._sink.name, reason=failure.reason)
        return "disabled" if recorded else "unrecorded"

    def _record(self, write: Callable[[], None]) -> bool:
        for tries_left in reversed(range(_RECORD_TRIES)):
            try:
                write()
            except LedgerError as error:
                if not tries_left:
                    self._log("delivery_not_recorded", sink=self._sink.name, reason=str(error))
                    return False
                time.sleep(_RECORD_PAUSE)
            else:
                return True
        return False

    def _tell(self, event: str, delivery: Delivery, **facts: object) -> None:
        self._log(
            event,
            sink=delivery.sink,
            delivery_id=delivery.delivery_id,
            upload_id=delivery.upload_id,
            type=delivery.type,
            attempts=delivery.attempts,
            **facts,
        )
