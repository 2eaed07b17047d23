"""The transcript: what was asked, refused and called back. Never a secret, signature, policy, token or body."""

import secrets
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

MAX_EVENTS = 1000
# Each holds a thread, and threads are needed for HEAD while uploads wait.
MAX_FOLLOWERS = 16


def read_wall_clock() -> datetime:
    """Tell the true time: a transcript is not dated by a clock that faults move."""
    return datetime.now(UTC)


class Transcript:
    """Keeps the newest events, numbers and dates them, and passes each on.

    Args:
        on_event: Called with every event; may be called from several threads at once.
    """

    def __init__(
        self,
        on_event: Callable[[dict[str, Any]], None] | None = None,
        *,
        now: Callable[[], datetime] = read_wall_clock,
    ) -> None:
        self.run_id = secrets.token_hex(8)
        self._events: deque[dict[str, Any]] = deque(maxlen=MAX_EVENTS)
        self._changed = threading.Condition()
        self._on_event = on_event
        self._now = now
        self._last = 0
        self._followers = 0
        self._closed = False

    @property
    def last(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._last

    def record(self, event: str, **facts: Any) -> None:
        """Take one event; facts that are None are left out."""
        entry = {"event": event, **{name: value for name, value in facts.items() if value is not None}}
        with self._changed:
            self._last += 1
            at = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
            entry |= {"seq": self._last, "at": at}
            self._events.append(entry)
            self._changed.notify_all()
        if self._on_event is not None:
            self._on_event(entry)

    def list_events(self, since: int = 0) -> list[dict[str, Any]]:
        """Copy the newest events, oldest first.

        Args:
            since: The number of the last event that is known already.
        """
        with self._changed:
            return self._copy(since)

    def wait_for_events(self, since: int, timeout: float) -> list[dict[str, Any]]:
        """Copy the events after one, waiting for the first; too many that wait are answered at once."""
        with self._changed:
            if self._followers < MAX_FOLLOWERS:
                self._followers += 1
                try:
                    # After a clearing the numbers go on, so nothing that comes is missed.
                    self._changed.wait_for(lambda: self._closed or self._last > since, timeout)
                finally:
                    self._followers -= 1
            return self._copy(since)

    def clear(self) -> None:
        """Forget all events; the numbers go on."""
        with self._changed:
            self._events.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """Let all that wait go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _copy(self, since: int) -> list[dict[str, Any]]:
        if since >= self._last:
            return []
        return [event for event in self._events if event["seq"] > since]
