"""What buckets were a while ago: the newest changes, so that a listing can be answered as it was before them.

The service's listings are consistent; what stands between a client and them (a cache, a replica, a search index) is
not, and reconciling code must live with it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ossgate.emulator.object_metadata import ObjectMetadata

MAX_CHANGES = 20_000


class Keys(Protocol):
    """The keys of a bucket in order."""

    def find_after(self, key: str) -> str | None:
        """Tell the first key behind another; None at the end."""

    def find_from(self, key: str) -> str | None:
        """Tell the first key that is not before another; None at the end."""


@dataclass(frozen=True, slots=True)
class _Change:
    moment: float
    bucket: str
    object_key: str
    before: ObjectMetadata | None


class RecentChanges:
    """Remembers the newest changes of all buckets.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changes: deque[_Change] = deque(maxlen=MAX_CHANGES)
        self._lock = threading.Lock()

    def record(self, bucket: str, object_key: str, before: ObjectMetadata | None) -> None:
        """Take a change.

        Args:
            before: What the object was; None when there was none.
        """
        with self._lock:
            self._changes.append(_Change(self._clock(), bucket, object_key, before))

    def find_state(self, bucket: str, seconds: float) -> dict[str, ObjectMetadata | None]:
        """Tell what has changed since, by key, each with what it was then."""
        since = self._clock() - seconds
        found: dict[str, ObjectMetadata | None] = {}
        with self._lock:
            for change in reversed(self._changes):
                if change.moment <= since:
                    break
                if change.bucket == bucket:
                    # The oldest change since then tells what was there.
                    found[change.object_key] = change.before
        return found


class StaleKeys:
    """The keys of a bucket as they were."""

    def __init__(self, keys: Keys, state: Mapping[str, ObjectMetadata | None]) -> None:
        self._keys = keys
        self._state = state
        self._gone = sorted(key for key, metadata in state.items() if metadata is not None)

    def find_after(self, key: str) -> str | None:
        """Tell the first key behind another; None at the end."""
        return self._pick(self._keys.find_after(key), next((one for one in self._gone if one > key), None))

    def find_from(self, key: str) -> str | None:
        """Tell the first key that is not before another; None at the end."""
        return self._pick(self._keys.find_from(key), next((one for one in self._gone if one >= key), None))

    def _pick(self, present: str | None, gone: str | None) -> str | None:
        # What came since is passed over.
        while present is not None and present in self._state and self._state[present] is None:
            present = self._keys.find_after(present)
        return min((key for key in (present, gone) if key is not None), default=None)
