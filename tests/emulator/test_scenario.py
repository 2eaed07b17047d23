"""Scenario files."""

import json
from pathlib import Path

import pytest

from ossgate.emulator.scenario import ScenarioInvalid, read_scenario

TOML = """
seed = 7

[[faults]]
on = "request"
action = "status"
code = "SlowDown"
match = { operation = "PutObject", key = "photos/*", probability = 0.2, times = 100 }

[[faults]]
on = "callback"
action = "delay"
seconds = 2
nth = 3
seed = 99
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_toml(tmp_path: Path) -> None:
    """Faults are read in order; each throws dice of its own under the file's seed."""
    first, second = read_scenario(write(tmp_path, "bad-day.toml", TOML))

    assert ("status", "photos/*", 0.2, 100, 8) == (
        first.action,
        first.key,
        first.probability,
        first.times,
        first.seed,
    )
    assert (2.0, 3, 99) == (second.parameters["seconds"], second.nth, second.seed)


@pytest.mark.parametrize("document", [["callback.drop"], {"faults": ["callback.drop"]}])
def test_json(tmp_path: Path, document: object) -> None:
    """JSON may be a list alone; short forms are allowed."""
    rules = read_scenario(write(tmp_path, "bad.json", json.dumps(document)))

    assert ["drop"] == [rule.action for rule in rules]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.toml", "", "has no list of faults"),
        ("a.toml", "faults = 3", "has no list of faults"),
        ("a.toml", "[[faults", "is no TOML"),
        ("a.json", "[", "is no JSON"),
        ("a.json", "3", "has no list of faults"),
        ("a.toml", 'colour = 1\nfaults = ["callback.drop"]', "says 'colour'"),
        ("a.toml", 'seed = -1\nfaults = ["callback.drop"]', "seed must be a whole number"),
        (
            "a.toml",
            'faults = ["callback.drop", "callback.explode"]',
            "fault 2: 'callback.explode' is no fault",
        ),
    ],
)
def test_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    """What cannot be played is told in one sentence with file and place."""
    with pytest.raises(ScenarioInvalid) as caught:
        read_scenario(write(tmp_path, name, text))

    assert words in str(caught.value)
    assert name in str(caught.value)


def test_unreadable(tmp_path: Path) -> None:
    """No file, no text."""
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    for name, words in (("a.toml", "Cannot read"), ("b.toml", "no text in UTF-8")):
        with pytest.raises(ScenarioInvalid, match=words):
            read_scenario(tmp_path / name)
