"""Where rates are counted: in this process's memory, or in a Redis that several processes share.

The library `limits` counts, by a sliding window of two counters; it is imported with the first request that is counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ossgate.access.rates import Rate

if TYPE_CHECKING:
    from limits.strategies import SlidingWindowCounterRateLimiter

MEMORY = "memory"
REDIS_SCHEMES = ("redis://", "rediss://")
ANSWER_SECONDS = 0.012
"""How long each of connecting, counting and reading may take: all three, and what Python adds, stay below 50 ms."""
PAUSE_SECONDS = 5.0
"""How long Redis is not asked after it failed, so that an outage costs a request now and then, and not each."""
KEY_PREFIX = "ossgate"


class Log(Protocol):
    """Writes one structured line."""

    def __call__(self, event: str, /, **facts: object) -> None: ...  # noqa: D102


class MemoryCounter:
    """Counts in this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limiter: SlidingWindowCounterRateLimiter | None = None

    def hit(self, rate: Rate, key: str, cost: int) -> tuple[bool, int, float]:
        """Count a request; return whether it passes, what is left and the seconds until more is."""
        if self._limiter is None:
            with self._lock:
                # Its storage starts a thread, so it is made by the first request and never before a fork.
                self._limiter = self._limiter or _build_memory()
        return _count(self._limiter, rate, key, cost)


class RedisCounter:
    """Counts in Redis; while that cannot be reached in time, everybody passes."""

    def __init__(self, url: str, *, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._limiter: SlidingWindowCounterRateLimiter | None = None
        self._paused_until = float("-inf")

    def hit(self, rate: Rate, key: str, cost: int) -> tuple[bool, int, float] | None:
        """Count a request as `MemoryCounter.hit` does; nothing while Redis is down."""
        if self._clock() < self._paused_until:
            return None
        if self._limiter is None:
            with self._lock:
                self._limiter = self._limiter or _build_redis(self._url)
        from limits.errors import StorageError

        try:
            return _count(self._limiter, rate, key, cost)
        except StorageError as error:
            # A limit that cannot be counted is no reason to stop every upload; quotas still hold.
            self._paused_until = self._clock() + PAUSE_SECONDS
            self._log(
                "rate_limits_unavailable", error=type(error.storage_error).__name__, paused=PAUSE_SECONDS
            )
            return None


def _count(
    limiter: SlidingWindowCounterRateLimiter, rate: Rate, key: str, cost: int
) -> tuple[bool, int, float]:
    from limits import RateLimitItemPerSecond

    item = RateLimitItemPerSecond(rate.amount, rate.seconds, namespace=KEY_PREFIX)
    passed = limiter.hit(item, key, cost=cost)
    reset_at, remaining = limiter.get_window_stats(item, key)
    return passed, max(0, int(remaining)), reset_at - time.time()


def _build_memory() -> SlidingWindowCounterRateLimiter:
    from limits.storage import MemoryStorage
    from limits.strategies import SlidingWindowCounterRateLimiter

    return SlidingWindowCounterRateLimiter(MemoryStorage())


def _build_redis(url: str) -> SlidingWindowCounterRateLimiter:
    from limits.storage import RedisStorage
    from limits.strategies import SlidingWindowCounterRateLimiter
    from redis import ConnectionPool
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    pool = ConnectionPool.from_url(
        url,
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        # The library would try three times more.
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    storage = RedisStorage(url, connection_pool=pool, key_prefix=KEY_PREFIX, wrap_exceptions=True)
    return SlidingWindowCounterRateLimiter(storage)
