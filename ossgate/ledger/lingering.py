"""How long a commit waits for those who follow closely.

Those whom a commit has answered ask again within moments, one after the other. Did the first of them go alone, all others would wait for
two commits; so where commits are slow, one is begun when nobody has come for a tenth of its time, or half of it has passed.
"""

import time
from collections.abc import Callable

_SLOW_COMMIT_SECONDS = 0.001
_GAP, _LONGEST_GAP_SECONDS = 0.1, 0.001
_LINGER, _LONGEST_LINGER_SECONDS = 0.5, 0.01


class Lingering:
    """Remember how long the last commit took, and wait accordingly before the next."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.commit_seconds = 0.0
        self._clock = clock
        self._sleep = sleep

    def linger(self, count_waiting: Callable[[], int]) -> None:
        """Wait while more and more are waiting; not at all where commits are quick."""
        if self.commit_seconds < _SLOW_COMMIT_SECONDS:
            return
        gap = min(self.commit_seconds * _GAP, _LONGEST_GAP_SECONDS)
        end = self._clock() + min(self.commit_seconds * _LINGER, _LONGEST_LINGER_SECONDS)
        waiting = -1
        while count_waiting() > waiting and self._clock() < end:
            waiting = count_waiting()
            self._sleep(gap)
