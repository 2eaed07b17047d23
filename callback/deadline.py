"""The one clock of a callback: OSS waits five seconds, and never asks again."""

from __future__ import annotations

import time
from collections.abc import Callable

CALLBACK_SECONDS = 4.0
BUCKET_SECONDS = 1.0
LEDGER_SECONDS = 1.0
HANDLER_SECONDS = 2.0


class Deadline:
    """Counts down from the arrival of a request."""

    def __init__(
        self, seconds: float = CALLBACK_SECONDS, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._begin = clock()
        self._end = self._begin + seconds

    def spent_ms(self) -> int:
        """Return the milliseconds since the arrival."""
        return int((self._clock() - self._begin) * 1000)

    def left(self, at_most: float) -> float:
        """Return the seconds that a step may take: at most so many, and no more than are left."""
        return max(0.0, min(at_most, self._end - self._clock()))
