"""A scenario: a file of faults that are played from the start, in TOML or JSON.

seed = 7                      # of all dice, so that a run can be repeated

[[faults]]
on = "request"
action = "status"
code = "SlowDown"
match = { operation = "PutObject", key = "photos/*", probability = 0.2, times = 100 }
"""

import json
import tomllib
from pathlib import Path
from typing import Any

from ossgate.emulator.fault_rules import FaultRefused, FaultRule, parse_rule

_MAX_BYTES = 1024 * 1024


class ScenarioInvalid(ValueError):
    """The file cannot be played; the text is one sentence with file, fault and reason."""


def read_scenario(path: Path) -> list[FaultRule]:
    """Read a scenario's faults.

    Raises:
        ScenarioInvalid: The file cannot be read, or a fault in it is not understood.
    """
    document = _load(path)
    if isinstance(document, list):
        document = {"faults": document}
    if not isinstance(document, dict) or not isinstance(document.get("faults"), list):
        raise ScenarioInvalid(f"{path} has no list of faults: write [[faults]] in TOML, a list in JSON.")
    unknown = set(document) - {"faults", "seed"}
    if unknown:
        raise ScenarioInvalid(f"{path} says {sorted(unknown)[0]!r}; only faults and seed are known.")
    seed = document.get("seed")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool) or seed < 0):
        raise ScenarioInvalid(f"{path}: seed must be a whole number from 0.")
    rules = []
    for number, fault in enumerate(document["faults"], start=1):
        try:
            rules.append(parse_rule(_give_seed(fault, seed, number)))
        except FaultRefused as refused:
            raise ScenarioInvalid(f"{path}, fault {number}: {refused}.") from refused
    return rules


def _load(path: Path) -> Any:
    try:
        raw = path.read_bytes()
        if len(raw) > _MAX_BYTES:
            raise ScenarioInvalid(f"{path} is longer than a megabyte.")
        text = raw.decode("utf-8-sig")
        return json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ScenarioInvalid(f"Cannot read {path} ({error.strerror}).") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise ScenarioInvalid(f"{path} is no text in UTF-8.") from error
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
        raise ScenarioInvalid(f"{path} is no {kind}: {error}.") from error


def _give_seed(fault: object, seed: int | None, number: int) -> object:
    if seed is None or not isinstance(fault, dict):
        return fault
    own = fault.get("match", {})
    if "seed" in fault or (isinstance(own, dict) and "seed" in own):
        return fault
    # Each fault throws dice of its own.
    return {**fault, "seed": seed + number}
