"""Handlers: plain Python functions of the application, called once for each upload that arrived.

A handler gets the upload as a dictionary, and may return a dictionary, which becomes the reply. It runs within what is left of the callback's
deadline: one that overruns or raises leaves the template's reply, and its late result is dropped and recorded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Literal

from signer.errors import ConfigurationError, quote

Handler = Callable[[dict[str, Any]], Mapping[str, Any] | None]
Outcome = Literal["done", "late", "failed", "busy"]
MAX_RUNNING = 64


def load_handler(written: str) -> Handler:
    """Return the function that a profile names as ``package.module:function``.

    Raises:
        ConfigurationError: It cannot be imported or called.
    """
    module_name, colon, function_name = written.partition(":")
    if not colon or not module_name or not function_name:
        raise ConfigurationError(f"{quote(written)} names no handler", hint='write "package.module:function"')
    try:
        handler = getattr(import_module(module_name), function_name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"the handler {quote(written)} cannot be imported: {error}",
            hint="is its package installed beside ossgate?",
        ) from error
    if not callable(handler):
        raise ConfigurationError(f"the handler {quote(written)} is no function")
    found: Handler = handler
    return found


class HandlerRunner:
    """Runs handlers on threads of their own, so that a slow one never holds the answer to OSS."""

    def __init__(self) -> None:
        self._running = threading.BoundedSemaphore(MAX_RUNNING)

    def run(
        self,
        handler: Handler,
        upload: dict[str, Any],
        *,
        seconds: float,
        on_late: Callable[[], None],
    ) -> tuple[Outcome, Mapping[str, Any] | None, BaseException | None]:
        """Return how a handler ended within so many seconds, with its reply or its exception.

        Args:
            on_late: Called from the handler's thread when it ends after its time.
        """
        if seconds <= 0 or not self._running.acquire(blocking=False):
            return "busy", None, None
        call = _Call(handler, upload, on_late, self._running.release)
        thread = threading.Thread(target=call.run, name="ossgate-handler", daemon=True)
        thread.start()
        return call.wait(seconds)


class _Call:
    """One call of a handler; a lock decides whether it ended in time."""

    def __init__(
        self,
        handler: Handler,
        upload: dict[str, Any],
        on_late: Callable[[], None],
        release: Callable[[], None],
    ) -> None:
        self._handler, self._upload = handler, upload
        self._on_late, self._release = on_late, release
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._given_up = False
        self._reply: Mapping[str, Any] | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Call the handler and keep what came of it."""
        try:
            reply = self._handler(self._upload)
            if reply is not None and not isinstance(reply, Mapping):
                raise TypeError("a handler returns a dictionary or nothing")
            self._reply = reply
        except Exception as error:
            # The application's own code may raise anything; it is reported by the caller.
            self._error = error
        finally:
            self._release()
        with self._lock:
            self._ended.set()
            late = self._given_up
        if late:
            self._on_late()

    def wait(self, seconds: float) -> tuple[Outcome, Mapping[str, Any] | None, BaseException | None]:
        """Wait for the end, or give the call up."""
        self._ended.wait(seconds)
        with self._lock:
            if not self._ended.is_set():
                self._given_up = True
                return "late", None, None
        if self._error is not None:
            return "failed", None, self._error
        return "done", self._reply, None
