"""Structured logs: one JSON line an event, with request id and upload id, and no secrets.

Only facts that a caller names are written. Bodies, headers, policies, tickets and keys are never among them.
"""

from __future__ import annotations

import os
from typing import Any

import orjson
import structlog
from flask import g, has_request_context

_STANDARD_OUTPUT = 1
_logger = structlog.get_logger()


class LineWriter:
    """Hands each line to the system whole, with no lock and no buffer.

    Threads that queue for a lock, whose holder waits for the interpreter, cost a request more than its signature. The system
    itself keeps lines apart, in files and, up to 4 KB, in pipes.
    """

    def info(self, line: bytes) -> None:
        """Write one line."""
        left = line + b"\n"
        while left:
            left = left[os.write(_STANDARD_OUTPUT, left) :]


def configure_logs() -> None:
    """Write events to standard output as JSON lines; a second call changes nothing."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event)),
        ],
        logger_factory=lambda *_: LineWriter(),
        cache_logger_on_first_use=True,
    )


def log_event(event: str, /, **facts: object) -> None:
    """Write one event; facts that are nothing are left out."""
    shown: dict[str, Any] = {name: value for name, value in facts.items() if value is not None}
    if has_request_context() and "request_id" in g:
        shown["request_id"] = g.request_id
    _logger.info(event, **shown)
