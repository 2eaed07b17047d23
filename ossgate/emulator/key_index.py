"""The keys of one bucket in order, kept in memory so that a page of a listing costs no walk over the disk.

OSS lists keys by their UTF-8 bytes, which is the order that Python gives strings too. 100,000 keys take about ten
megabytes; the objects' metadata stays on disk and is read for the keys of one page only.
"""

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable


class KeyIndex:
    """A sorted set of keys; safe for several threads."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._keys = sorted(set(keys))
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: str) -> None:
        """Take a key; one that is there already changes nothing."""
        with self._lock:
            at = bisect_left(self._keys, key)
            if at == len(self._keys) or self._keys[at] != key:
                self._keys.insert(at, key)

    def discard(self, key: str) -> None:
        """Forget a key, if it is there."""
        with self._lock:
            at = bisect_left(self._keys, key)
            if at < len(self._keys) and self._keys[at] == key:
                del self._keys[at]

    def find_after(self, key: str) -> str | None:
        """Tell the first key behind another; None at the end."""
        with self._lock:
            at = bisect_right(self._keys, key)
            return self._keys[at] if at < len(self._keys) else None

    def find_from(self, key: str) -> str | None:
        """Tell the first key that is not before another; None at the end."""
        with self._lock:
            at = bisect_left(self._keys, key)
            return self._keys[at] if at < len(self._keys) else None
