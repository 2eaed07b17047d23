"""One line an event."""

import pytest

from ossgate.emulator.event_lines import render_line

AT = "2026-01-02T03:04:05.678Z"


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            {
                "event": "put_object",
                "at": AT,
                "status": 200,
                "bucket": "b",
                "object_key": "a/猫.jpg",
                "duration_ms": 3,
            },
            "03:04:05.678 200 put_object               b/a/猫.jpg (3 ms)",
        ),
        (
            {
                "event": "refused",
                "operation": "get_object",
                "at": AT,
                "status": 404,
                "bucket": "b",
                "object_key": "x",
                "code": "NoSuchKey",
                "message": "The specified key does not exist.",
                "reason": "long",
                "faults": ["f1", "f2"],
            },
            "03:04:05.678 404 get_object               b/x NoSuchKey: The specified key does not exist. [faults: f1, f2]",
        ),
        (
            {
                "event": "callback",
                "at": AT,
                "status": 203,
                "bucket": "b",
                "receiver": "127.0.0.1:1/cb",
                "message": "No.",
            },
            "03:04:05.678 203 callback                 -> 127.0.0.1:1/cb No.",
        ),
        ({"event": "stopped"}, "                 stopped"),
        (
            {"event": "list_objects", "status": 200, "bucket": "b", "query": "prefix=a"},
            "200 list_objects             b/?prefix=a",
        ),
        (
            {"event": "head_object", "status": 200, "bucket": "b", "object_key": "a\nb"},
            '200 head_object              "b/a\\nb"',
        ),
        (
            {"event": "fault", "fault": "callback.drop", "fault_id": "f1"},
            "fault                    fault=callback.drop fault_id=f1",
        ),
    ],
)
def test_plain(event: dict[str, object], line: str) -> None:
    """Time, status, what, where and why, in columns; control characters are escaped."""
    assert line.strip() == render_line(event, colour=False).strip()


def test_colour() -> None:
    """On a terminal the status is coloured by its kind, and a failed callback like a refusal."""
    for status, code in ((200, 32), (203, 33), (304, 36), (404, 33), (500, 31)):
        assert f"\x1b[{code}m{status}\x1b[0m" in render_line({"event": "x", "status": status}, colour=True)
    assert "\x1b" not in render_line({"event": "x", "status": 200, "faults": ["f1"]}, colour=False)
