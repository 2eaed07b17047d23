"""The keys of an identity provider: fetched on first use, kept, refreshed when they rotate, kept on while its host is down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from joserfc.jwk import Key

from ossgate.access.denied import KeysUnavailable
from ossgate.access.jwks_fetch import FETCH_SECONDS, FetchFailed, fetch_keys
from ossgate.access.jwt_keys import select_keys

REFRESH_SECONDS = 60.0
"""Shortest time between two fetches, however many tokens name keys that nobody knows."""
RETRY_SECONDS = 5.0
"""The same while no key was ever fetched."""


class Log(Protocol):
    """Writes one structured line."""

    def __call__(self, event: str, /, **facts: object) -> None: ...  # noqa: D102


class JwksCache:
    """The keys of one URL. One thread fetches at a time; whoever needs its result waits for it.

    Args:
        cache_seconds: Age at which keys are fetched anew, beside the requests, which go on with the old ones.
        fetch: Returns the keys of a URL, or raises FetchFailed.
    """

    def __init__(
        self,
        url: str,
        *,
        cache_seconds: float,
        log: Log,
        fetch: Callable[[str], tuple[Key, ...]] = fetch_keys,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._cache_seconds = cache_seconds
        self._log = log
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: tuple[Key, ...] = ()
        self._fetched_at = self._tried_at = float("-inf")
        self._under_way: threading.Event | None = None

    def find_keys(self, kid: str | None, algorithm: str) -> Sequence[Key]:
        """Return the keys that a token of this header may be signed with.

        Raises:
            KeysUnavailable: None was ever fetched.
        """
        if not self._keys:
            self._refresh()
        elif self._clock() - self._fetched_at > self._cache_seconds:
            self._refresh_beside()
        found = select_keys(self._keys, kid, algorithm)
        if not found:
            # Whatever comes of it: another thread may just have ended with what is looked for.
            self._refresh()
            found = select_keys(self._keys, kid, algorithm)
        if not self._keys:
            raise KeysUnavailable("the keys that tokens are verified with cannot be fetched")
        return found

    def _refresh(self) -> None:
        """Fetch the keys, or wait for who does, unless it is too early for that."""
        done, mine = self._begin()
        if done is None:
            return
        if mine:
            self._run(done)
        else:
            done.wait(FETCH_SECONDS + 1)

    def _refresh_beside(self) -> None:
        done, mine = self._begin()
        if done is not None and mine:
            threading.Thread(target=self._run, args=(done,), name="ossgate-jwks", daemon=True).start()

    def _begin(self) -> tuple[threading.Event | None, bool]:
        """Return the fetch to wait for and whether it is the caller's to do, or none when it is too early for one."""
        with self._lock:
            if self._under_way is not None:
                return self._under_way, False
            now = self._clock()
            if now - self._tried_at < (REFRESH_SECONDS if self._keys else RETRY_SECONDS):
                return None, False
            self._tried_at = now
            self._under_way = threading.Event()
            return self._under_way, True

    def _run(self, done: threading.Event) -> None:
        try:
            keys = self._fetch(self._url)
        except FetchFailed as error:
            # The old keys stay: an outage of the provider is no reason to lock out all that it has let in.
            self._log("jwks_unavailable", url=self._url, reason=str(error), keys_kept=len(self._keys))
        else:
            with self._lock:
                self._keys, self._fetched_at = keys, self._clock()
        finally:
            with self._lock:
                self._under_way = None
            done.set()


class JwksCaches:
    """The keys of several URLs of one provider."""

    def __init__(self, caches: Sequence[JwksCache]) -> None:
        self._caches = tuple(caches)

    def find_keys(self, kid: str | None, algorithm: str) -> Sequence[Key]:
        """Return the keys of the first URL that has any for a token of this header.

        Raises:
            KeysUnavailable: None has, and one was never fetched.
        """
        unavailable: KeysUnavailable | None = None
        for cache in self._caches:
            try:
                found = cache.find_keys(kid, algorithm)
            except KeysUnavailable as error:
                unavailable = error
                continue
            if found:
                return found
        if unavailable is not None:
            raise unavailable
        return ()
