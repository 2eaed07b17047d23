"""The deliverer: claims what is due, hands it to the sinks' lanes, and ends cleanly.

Any number of them may share one PostgreSQL; each claims what no other holds. Killed at any moment, it loses nothing: what it held comes again
when its lease is over, under the same id.
"""

import atexit
import os
import random as random_module
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from ossgate.delivery.attempts import Attempt, Log, Tally
from ossgate.delivery.lanes import Lane
from ossgate.delivery.sinks import Sink
from ossgate.ledger import Delivery, LedgerError, Outbox

IDLE_SECONDS = 1.0
_LONGEST_TROUBLE_SECONDS = 30.0
# Within the time that a gunicorn worker is given to end.
STOP_SECONDS = 6.0
_TRIM_EVERY = timedelta(hours=1)
_TRIM_AT_ONCE = 500


class Deliverer:
    """Delivers to a set of sinks. To make one touches nothing; it may be made before a fork.

    Args:
        kept: How long what was delivered stays in the outbox.
        random: Returns a number from 0 to 1, for jitter.
    """

    def __init__(
        self,
        outbox: Outbox,
        sinks: Iterable[Sink],
        *,
        now: Callable[[], datetime],
        log: Log,
        kept: timedelta = timedelta(days=30),
        random: Callable[[], float] = random_module.random,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._outbox = outbox
        self._sinks = tuple(sinks)
        self._now = now
        self._log = log
        self._kept = kept
        self._random = random
        self._idle_seconds = idle_seconds
        self._started_by: int | None = None
        self._start_lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.tally = Tally()
        self._prepare()

    def _prepare(self) -> None:
        self._stopping = threading.Event()
        self._wake = threading.Event()
        # Unique, since two deliverers of one name would settle each other's deliveries.
        self._name = f"{socket.gethostname()[:64]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._trouble_seconds = 0.0
        self._trimmed_at: datetime | None = None
        self._lanes = [
            Lane(
                sink,
                Attempt(sink, self._outbox, now=self._now, random=self._random, log=self._log),
                self.tally,
                now=self._now,
                wake=self._wake.set,
                give_back=self._give_back,
                is_stopping=self._stopping.is_set,
            )
            for sink in self._sinks
        ]

    def ensure_started(self) -> None:
        """Start delivering on a thread of this process, once; costs next to nothing when it has been."""
        if self._started_by == os.getpid() or not self._sinks:
            return
        with self._start_lock:
            if self._started_by == os.getpid():
                return
            self._prepare()
            self._thread = threading.Thread(target=self.run, name="ossgate-deliverer", daemon=True)
            self._started_by = os.getpid()
            atexit.register(self.stop)
            self._thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End the thread that `ensure_started` began, and give back what is not done by then."""
        self.interrupt()
        thread, self._thread = self._thread, None
        if thread is not None and self._started_by == os.getpid():
            thread.join(seconds + 2 * self._idle_seconds)
        atexit.unregister(self.stop)

    def interrupt(self) -> None:
        """Ask a running deliverer to end; may be called by a signal handler."""
        self._stopping.set()
        self._wake.set()

    def run(self, *, until_empty: bool = False, on_progress: Callable[[Tally], None] | None = None) -> Tally:
        """Deliver until interrupted, or until nothing is due and nothing under way.

        Args:
            on_progress: Called now and then, on the calling thread.

        Raises:
            LedgerError: The outbox cannot be used; only with ``until_empty``, else it is tried again.
        """
        self._outbox.watch(self._wake.set)
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                # Asked before: what ends while we claim may leave something due behind it.
                was_idle = all(lane.is_idle for lane in self._lanes)
                claimed = self._claim(patiently=not until_empty)
                if on_progress is not None:
                    on_progress(self.tally)
                if until_empty and was_idle and not claimed:
                    break
                self._trim()
                if not claimed or not any(lane.room > 0 for lane in self._lanes):
                    self._wake.wait(self._trouble_seconds or self._idle_seconds)
        finally:
            self._outbox.watch(None)
            self._end()
        return self.tally

    def _claim(self, *, patiently: bool) -> int:
        wanted: dict[timedelta, dict[str, int]] = {}
        lanes = {}
        for lane in self._lanes:
            if lane.room > 0:
                wanted.setdefault(lane.lease, {})[lane.sink.name] = lane.room
                lanes[lane.sink.name] = lane
        count = 0
        for lease, rooms in wanted.items():
            try:
                claimed = self._outbox.claim_deliveries(
                    rooms, locked_by=self._name, lease=lease, now=self._now()
                )
            except LedgerError as error:
                if not patiently:
                    raise
                self._note_trouble(error)
                return count
            for delivery in claimed:
                lanes[delivery.sink].put(delivery)
            count += len(claimed)
        self._trouble_seconds = 0.0
        return count

    def _note_trouble(self, error: LedgerError) -> None:
        if not self._trouble_seconds:
            self._log("deliverer_waits", reason=str(error))
        self._trouble_seconds = min(
            max(self._idle_seconds, 2 * self._trouble_seconds), _LONGEST_TROUBLE_SECONDS
        )

    def _trim(self) -> None:
        now = self._now()
        if self._trimmed_at is not None and now - self._trimmed_at < _TRIM_EVERY:
            return
        try:
            count = self._outbox.trim_delivered(before=now - self._kept, limit=_TRIM_AT_ONCE)
        except LedgerError as error:
            self._note_trouble(error)
            count = 0
        # A full batch means that there is more; it is gone on with the next time round.
        if count < _TRIM_AT_ONCE:
            self._trimmed_at = now

    def _end(self) -> None:
        if self._stopping.is_set():
            self._log("deliverer_stopping", seconds=STOP_SECONDS)
        end = time.monotonic() + STOP_SECONDS
        left = [
            delivery
            for lane in self._lanes
            for delivery in lane.stop(deadline=lambda: end - time.monotonic())
        ]
        self._give_back(left)
        if left:
            self._log("deliveries_released", count=len(left))

    def _give_back(self, deliveries: list[Delivery]) -> None:
        try:
            self._outbox.release_deliveries(deliveries, now=self._now())
        except LedgerError as error:
            # They come back by themselves when their lease is over.
            self._log("deliveries_not_released", count=len(deliveries), reason=str(error))
