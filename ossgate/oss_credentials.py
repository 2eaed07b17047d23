"""The server's own credentials, of a kind that changes while it runs: files that are rewritten, and Alibaba's provider chain."""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from signer.credentials import Credentials, CredentialsUnavailable

LOOK_SECONDS = 1.0
SETTLE_SECONDS = 2.0
CHAIN_SECONDS = 30.0
"""The chain keeps and renews by itself what it found; this only spares its locks. It renews 15 minutes before the end."""
KEPT_SECONDS = 600.0
"""How long the last credentials are used when the chain fails; they had 15 minutes when they were last given."""


class Log(Protocol):
    """Writes one structured line."""

    def __call__(self, event: str, /, **facts: object) -> None: ...  # noqa: D102


class FileCredentials:
    """An AccessKey in files, read again when they change.

    Files are looked at once a second. Id and secret are two files that are not written at the same moment, so what changed is read once
    it has rested; until then, and when it cannot be read, the old pair is used, which a rotation leaves valid.
    """

    def __init__(
        self,
        read: Callable[[], Credentials],
        paths: Sequence[Path],
        *,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._paths = tuple(paths)
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._used = self._seen = self._stat()
        self._seen_at = self._looked_at = clock()
        self._credentials = read()

    def __call__(self) -> Credentials:
        """Return the credentials of now."""
        now = self._clock()
        # One thread looks; the others go on with what there is.
        if now - self._looked_at >= LOOK_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._looked_at = now
                self._look(now)
            finally:
                self._lock.release()
        return self._credentials

    def _look(self, now: float) -> None:
        found = self._stat()
        if found != self._seen:
            self._seen, self._seen_at = found, now
        elif found != self._used and now - self._seen_at >= SETTLE_SECONDS:
            self._used = found
            try:
                self._credentials = self._read()
            except (ValueError, OSError) as error:
                self._log("credentials_unreadable", reason=str(error))
            else:
                self._log("credentials_changed", access_key_id=self._credentials.access_key_id)

    def _stat(self) -> tuple[tuple[int, int, int] | None, ...]:
        found: list[tuple[int, int, int] | None] = []
        for path in self._paths:
            try:
                state = path.stat()
            except OSError:
                found.append(None)
            else:
                found.append((state.st_mtime_ns, state.st_size, state.st_ino))
        return tuple(found)


class ChainCredentials:
    """What Alibaba's own provider chain finds: environment, OIDC, profiles, the RAM role of the machine, a URI.

    The library is loaded, and the chain asked, on first use.
    """

    def __init__(
        self,
        *,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
        load_client: Callable[[], Any] | None = None,
    ) -> None:
        self._log = log
        self._clock = clock
        self._load_client = load_client or _load_client
        self._lock = threading.Lock()
        self._client: Any = None
        self._credentials: Credentials | None = None
        self._asked_at = 0.0

    def __call__(self) -> Credentials:
        """Return the credentials of now.

        Raises:
            CredentialsUnavailable: The chain has none; answered with 503.
        """
        known = self._credentials
        if known is not None and self._clock() - self._asked_at < CHAIN_SECONDS:
            return known
        with self._lock:
            now = self._clock()
            if self._credentials is None or now - self._asked_at >= CHAIN_SECONDS:
                self._ask(now)
            assert self._credentials is not None
            return self._credentials

    def _ask(self, now: float) -> None:
        try:
            self._client = self._client or self._load_client()
            found = self._client.get_credential()
            if not (found.access_key_id and found.access_key_secret):
                raise ValueError("credentials without a key")
        # Each provider of the chain raises what it likes.
        except Exception as error:
            self._log("credentials_unavailable", reason=type(error).__name__)
            if self._credentials is None or now - self._asked_at >= KEPT_SECONDS:
                raise CredentialsUnavailable(
                    "the provider chain has no credentials", hint="the log tells the operator why"
                ) from error
            return
        self._asked_at = now
        self._credentials = Credentials(
            found.access_key_id, found.access_key_secret, found.security_token or None
        )


def _load_client() -> Any:
    client = importlib.import_module("alibabacloud_credentials.client").Client()
    # It writes lines of its own to the standard error; ours tell what matters.
    logging.getLogger("credentials").handlers.clear()
    return client
