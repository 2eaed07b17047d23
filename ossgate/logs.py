"""Structured logs: one JSON line an event, with time, request id and upload id, and no secrets.

Only facts that a caller names are written. Bodies, headers, policies, tickets and keys are never among them.
"""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from ossgate.answering import find_request_id
from ossgate.log_lines import LogLines

_STANDARD_OUTPUT = 1
_lines = LogLines(_STANDARD_OUTPUT)


def log_event(event: str, /, **facts: object) -> None:
    """Write one event to standard output; facts that are nothing are left out."""
    shown: dict[str, object] = {"event": event, "at": datetime.now(UTC)}
    shown |= {name: value for name, value in facts.items() if value is not None}
    request_id = find_request_id()
    if request_id is not None:
        shown["request_id"] = request_id
    _lines.add(orjson.dumps(shown, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))
    if request_id is None:
        # Nobody waits for it, and commands print between their events.
        _lines.write_all()


def write_waiting_lines() -> None:
    """Write what was logged and waits for more, now."""
    _lines.write_all()
