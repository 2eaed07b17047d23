"""A lane: the threads of one sink, so that a slow one never holds up the others."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from ossgate.delivery.attempts import Attempt, Tally
from ossgate.delivery.sinks import Sink
from ossgate.ledger import Delivery

# Beside the attempts themselves a lease leaves room for writing down what came of them.
_LEASE_MARGIN = timedelta(seconds=30)


class Lane:
    """Runs attempts on at most as many threads as the sink's concurrency, started when there is something to do."""

    def __init__(
        self,
        sink: Sink,
        attempt: Attempt,
        tally: Tally,
        *,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        give_back: Callable[[list[Delivery]], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        self.sink = sink
        self._attempt = attempt
        self._tally = tally
        self._now = now
        self._wake = wake
        self._give_back = give_back
        self._is_stopping = is_stopping
        self._queue: SimpleQueue[Delivery | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._held: dict[str, Delivery] = {}
        self._threads: list[threading.Thread] = []

    @property
    def lease(self) -> timedelta:
        """How long a claim is held: one attempt before its turn has come, and its own."""
        return timedelta(seconds=2 * self.sink.timeout) + _LEASE_MARGIN

    @property
    def room(self) -> int:
        """How many more deliveries may be claimed."""
        with self._lock:
            return self.sink.prefetch - len(self._held)

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is held."""
        with self._lock:
            return not self._held

    def put(self, delivery: Delivery) -> None:
        """Take a claimed delivery."""
        with self._lock:
            self._held[delivery.delivery_id] = delivery
            if len(self._threads) < min(self.sink.concurrency, len(self._held)):
                thread = threading.Thread(
                    target=self._work, name=f"ossgate-deliver-{self.sink.name}", daemon=True
                )
                self._threads.append(thread)
                thread.start()
        self._queue.put(delivery)

    def stop(self, *, deadline: Callable[[], float]) -> list[Delivery]:
        """End the threads, and return what was not done: what had not begun, and what has not ended in time."""
        while True:
            try:
                self._queue.get_nowait()
            except Empty:
                break
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline()))
        with self._lock:
            left = list(self._held.values())
            self._held, self._threads, self._queue = {}, [], SimpleQueue()
        self.sink.close()
        return left

    def _work(self) -> None:
        while (delivery := self._queue.get()) is not None and not self._is_stopping():
            try:
                until = delivery.locked_until
                if until is not None and until - self._now() < timedelta(seconds=self.sink.timeout):
                    # Another deliverer might take it over in the middle of the attempt.
                    self._give_back([delivery])
                    self._tally.add("released")
                else:
                    self._tally.add(self._attempt.run(delivery))
            finally:
                with self._lock:
                    self._held.pop(delivery.delivery_id, None)
                self._wake()
