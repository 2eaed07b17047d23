"""Things that are dear to make and good for a while: made once however many ask, and made anew before they end."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")
MAX_ENTRIES = 10_000


class _Entry(Generic[Value]):
    __slots__ = ("lock", "value")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value: Value | None = None


class FreshCache(Generic[Value]):
    """Keeps one value a key while it is fresh. Whoever asks first makes it; others of the same key wait for that one."""

    def __init__(self, is_fresh: Callable[[Value], bool], *, max_entries: int = MAX_ENTRIES) -> None:
        self._is_fresh = is_fresh
        self._max_entries = max_entries
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def obtain(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made now unless a fresh one is there. What ``make`` raises is raised, and nothing kept."""
        entry = self._find(key)
        with entry.lock:
            if entry.value is None or not self._is_fresh(entry.value):
                entry.value = None
                entry.value = make()
            return entry.value

    def _find(self, key: Hashable) -> _Entry[Value]:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry()
                while len(self._entries) > self._max_entries:
                    # Whoever still waits for one that goes keeps it until it is made.
                    self._entries.popitem(last=False)
            self._entries.move_to_end(key)
            return entry
