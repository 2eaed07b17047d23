"""Not everybody waits for a bucket that does not answer.

Who answers OSS gives the bucket a second. In a rush of callbacks each would wait it out in vain, one after the other on a server's few
threads, and those behind them would have no answer in time. So once some have waited in vain and nobody has heard anything since, one at a
time goes on asking.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ossgate.bucket.exchange import BucketUnavailable

SILENT_AFTER = 3
"""So many waited in vain, one after the other or at once."""
SHORT_SECONDS = 1.0
"""Who would wait longer than this always asks."""


class Patience:
    """Keeps which buckets are silent. Any number of threads may use it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._unanswered: dict[str, int] = {}
        # Until then somebody is asking a bucket that is silent.
        self._asked_until: dict[str, float] = {}

    def require(self, bucket: str, *, seconds: float) -> None:
        """Pass when the bucket is worth so many seconds.

        Raises:
            BucketUnavailable: It is silent, and somebody is asking it just now.
        """
        # Nearly always nothing is wrong, and then this costs nothing.
        if not self._unanswered or seconds > SHORT_SECONDS:
            return
        with self._lock:
            if self._unanswered.get(bucket, 0) < SILENT_AFTER:
                return
            now = self._clock()
            if now < self._asked_until.get(bucket, now):
                raise BucketUnavailable("the bucket has not been answering")
            self._asked_until[bucket] = now + seconds

    def note_silence(self, bucket: str) -> None:
        """Remember that somebody waited in vain."""
        with self._lock:
            self._unanswered[bucket] = self._unanswered.get(bucket, 0) + 1

    def note_answer(self, bucket: str) -> None:
        """Remember that it said something, if only that it refuses connections."""
        if self._unanswered:
            with self._lock:
                self._unanswered.pop(bucket, None)
                self._asked_until.pop(bucket, None)
