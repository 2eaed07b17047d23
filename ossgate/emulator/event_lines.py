"""One tidy line an event, for the terminal."""

import json
from collections.abc import Mapping
from typing import Any

_RESET = "\x1b[0m"
_COLOURS = {2: "\x1b[32m", 3: "\x1b[36m", 4: "\x1b[33m", 5: "\x1b[31m"}
_DIM = "\x1b[2m"
_FAULT = "\x1b[35m"
_SHOWN = frozenset(
    """
    event seq at status operation bucket object_key code message request_id duration_ms reason ec query
    string_to_sign canonical_request receiver faults method
    """.split()  # noqa: SIM905
)


def render_line(event: Mapping[str, Any], *, colour: bool) -> str:
    """Write an event: time, status, what, where, how long, and what went wrong.

    Args:
        colour: Whether escape sequences may be used.
    """
    status = event.get("status")
    name = str(event["event"])
    what = str(event.get("operation") or name) if name == "refused" else name
    parts = [
        _paint(str(event.get("at", ""))[11:23] or " " * 12, _DIM, colour),
        _paint(f"{status or '':>3}", _pick_colour(name, status), colour),
        f"{what:<24}",
        *_tell_where(event),
    ]
    if event.get("code"):
        parts.append(f"{event['code']}:")
    if event.get("message"):
        parts.append(str(event["message"]))
    parts += [f"{key}={_quote(value)}" for key, value in event.items() if key not in _SHOWN]
    if event.get("faults"):
        parts.append(_paint(f"[faults: {', '.join(event['faults'])}]", _FAULT, colour))
    if event.get("duration_ms") is not None:
        parts.append(_paint(f"({event['duration_ms']} ms)", _DIM, colour))
    return " ".join(parts).rstrip()


def _tell_where(event: Mapping[str, Any]) -> list[str]:
    if event.get("receiver"):
        return [f"-> {_quote(event['receiver'])}"]
    bucket, key = event.get("bucket", ""), event.get("object_key", "")
    query = f"?{event['query']}" if event.get("query") else ""
    return [_quote(f"{bucket}/{key}{query}")] if bucket or key else []


def _pick_colour(name: str, status: Any) -> str:
    if name == "fault":
        return _FAULT
    # A stored object whose callback failed is a success to HTTP alone.
    return _COLOURS[4] if status == 203 else _COLOURS.get(int(status or 0) // 100, "")


def _paint(text: str, colour: str, wanted: bool) -> str:
    return f"{colour}{text}{_RESET}" if wanted and colour else text


def _quote(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text.isprintable() or not text else text
