"""The transcript: what was asked, refused and called back. Never a secret, signature, policy, token or body."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

MAX_EVENTS = 1000


class Transcript:
    """Keeps the newest events and passes each on.

    Args:
        on_event: Called with every event; may be called from several threads at once.
    """

    def __init__(self, on_event: Callable[[dict[str, Any]], None] | None = None) -> None:
        self._events: deque[dict[str, Any]] = deque(maxlen=MAX_EVENTS)
        self._lock = threading.Lock()
        self._on_event = on_event

    def record(self, event: str, **facts: Any) -> None:
        """Take one event; facts that are None are left out."""
        entry = {"event": event, **{name: value for name, value in facts.items() if value is not None}}
        with self._lock:
            self._events.append(entry)
        if self._on_event is not None:
            self._on_event(entry)

    def list_events(self) -> list[dict[str, Any]]:
        """Copy the newest events, oldest first."""
        with self._lock:
            return list(self._events)
