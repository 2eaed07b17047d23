"""Structured logs: one JSON line an event, with time, request id and upload id, and no secrets.

Only facts that a caller names are written. Bodies, headers, policies, tickets and keys are never among them.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

import orjson
from flask import has_request_context

from ossgate.wire import request_id

_STANDARD_OUTPUT = 1


def log_event(event: str, /, **facts: object) -> None:
    """Write one event to standard output; facts that are nothing are left out."""
    shown: dict[str, object] = {"event": event, "at": datetime.now(UTC)}
    shown |= {name: value for name, value in facts.items() if value is not None}
    if has_request_context():
        shown["request_id"] = request_id()
    _write_line(orjson.dumps(shown, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))


def _write_line(line: bytes) -> None:
    """Hand a line to the system whole.

    There is no buffer, and no lock: threads that queue for one, whose holder waits for the interpreter, cost a request more
    than its signature. The system itself keeps lines apart, in files and, up to 4 KB, in pipes.
    """
    while line:
        line = line[os.write(_STANDARD_OUTPUT, line) :]
