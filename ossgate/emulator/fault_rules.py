"""What faults there are, and how one is written down.

A fault is `on` something (`callback`, `request`, `response`, `clock`, `list`, `key`, `sts`), has an action, perhaps
parameters, and tells when it is played: `{"on": "callback", "action": "delay", "seconds": 2, "key": "photos/*"}`.
The short form, for headers and command lines, is `callback.delay=2`.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_WAIT = 60.0
_MAX_TEXT = 1024
_MAX_COUNT = 1_000_000_000
_MAX_BYTES = 5 * 1024**3
# Ten years: further off, dates would leave what clients can write.
_MAX_SKEW = 315_360_000.0


class FaultRefused(ValueError):
    """What was asked for is no fault that the emulator can play; the text says why."""


Check = Callable[[str, Any], Any]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can go wrong.

    Args:
        group: Of one group only the first fault is played at a time; those of different groups go together.
        parameters: Their checks by name.
        defaults: Their values when they are not given.
        main: The parameter that a short form sets.
        standing: Whether it is played until it is removed, when it does not say how often.
        title: What happens, in words, for the page.
    """

    group: str
    title: str
    parameters: Mapping[str, Check] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    main: str = ""
    standing: bool = False


def _number(low: float, high: float) -> Check:
    def check(name: str, value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise FaultRefused(f'"{name}" must be a number from {low:g} to {high:.15g}')
        return float(value)

    return check


def _integer(low: int, high: int) -> Check:
    def check(name: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise FaultRefused(f'"{name}" must be a whole number from {low} to {high}')
        return value

    return check


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise FaultRefused(f'"{name}" must be true or false')
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise FaultRefused(f'"{name}" must be a text of at most {_MAX_TEXT} characters')
    return value


def _changes(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value or not all(isinstance(item, str) for item in value):
        raise FaultRefused(f'"{name}" must be an object of names in the body and their new values')
    return value


def _one_of(*choices: str) -> Check:
    def check(name: str, value: Any) -> str:
        if value not in choices:
            raise FaultRefused(f'"{name}" must be one of {", ".join(choices)}')
        return str(value)

    return check


_SECONDS = _number(0, MAX_WAIT)
_BYTES = _integer(0, _MAX_BYTES)

ACTIONS: Mapping[tuple[str, str], Action] = {
    ("callback", "drop"): Action("answer", "is never sent; the uploader gets 203, OSS could not connect"),
    ("callback", "status"): Action(
        "answer",
        "is not sent; the uploader gets 203, as if the receiver had answered with that status",
        {"status": _integer(100, 599)},
        {"status": 500},
        "status",
    ),
    ("callback", "lose_answer"): Action(
        "answer", "arrives, but the receiver's answer is lost: the uploader gets 203, a timeout"
    ),
    ("callback", "delay"): Action(
        "time",
        "is sent late; with give_up the uploader gets 203 at once and the callback comes afterwards",
        {"seconds": _SECONDS, "give_up": _boolean},
        {"seconds": 1.0, "give_up": False},
        "seconds",
    ),
    ("callback", "reorder"): Action(
        "time",
        "is held until the next callback has been delivered, at most that long",
        {"seconds": _SECONDS},
        {"seconds": 10.0},
        "seconds",
    ),
    ("callback", "double"): Action(
        "copies",
        "is sent several times, byte for byte the same",
        {"copies": _integer(2, 10)},
        {"copies": 2},
        "copies",
    ),
    ("callback", "bad_signature"): Action("key", "carries a signature that is not of its content"),
    ("callback", "rotated_key"): Action(
        "key",
        "is signed by another key, served at another URL or, as after a rotation, at the same",
        {"url": _one_of("other", "same")},
        {"url": "other"},
        "url",
    ),
    ("callback", "wrong_body"): Action(
        "body",
        "has another body: fields changed, cut after so many bytes, or a text instead",
        {"change": _changes, "truncate": _BYTES, "text": _text, "signed": _boolean},
        {"signed": True},
        "text",
    ),
    ("request", "status"): Action(
        "answer",
        "is refused with that status and code before anything is done",
        {"status": _integer(400, 599), "code": _text, "message": _text},
        {},
        "status",
    ),
    ("request", "reset"): Action(
        "cut",
        "loses its connection after so many bytes of its body",
        {"after": _BYTES},
        {"after": 0},
        "after",
    ),
    ("request", "stall"): Action(
        "time",
        "is not read on for some seconds, after so many bytes of its body",
        {"seconds": _SECONDS, "after": _BYTES},
        {"seconds": 1.0, "after": 0},
        "seconds",
    ),
    ("response", "reset"): Action(
        "cut",
        "loses its connection after so many bytes of its body; after 0 not even the status is sent",
        {"after": _BYTES},
        {"after": 0},
        "after",
    ),
    ("response", "stall"): Action(
        "time",
        "pauses for some seconds after so many bytes of its body",
        {"seconds": _SECONDS, "after": _BYTES},
        {"seconds": 1.0, "after": 0},
        "seconds",
    ),
    ("clock", "skew"): Action(
        "time",
        "goes ahead by so many seconds, or behind when negative",
        {"seconds": _number(-_MAX_SKEW, _MAX_SKEW)},
        {"seconds": 3600.0},
        "seconds",
        standing=True,
    ),
    ("list", "stale"): Action(
        "time",
        "answers as the bucket was so many seconds ago",
        {"seconds": _number(0, 3600)},
        {"seconds": 60.0},
        "seconds",
        standing=True,
    ),
    ("key", "status"): Action(
        "answer",
        "answers with that status instead of the callback key",
        {"status": _integer(400, 599)},
        {"status": 503},
        "status",
        standing=True,
    ),
    ("key", "close"): Action(
        "answer", "closes the connection when asked for the callback key", standing=True
    ),
    ("sts", "refuse"): Action("answer", "answers NoPermission"),
    ("sts", "throttle"): Action("answer", "answers Throttling"),
    ("sts", "fail"): Action("answer", "answers InternalError"),
}

_MATCH: Mapping[str, Check] = {
    "operation": _text,
    "bucket": _text,
    "key": _text,
    "prefix": _text,
    "nth": _integer(1, _MAX_COUNT),
    "probability": _number(0, 1),
    "seed": _integer(0, 2**63),
}
_TIMES = _integer(1, _MAX_COUNT)


@dataclass(frozen=True, slots=True)
class FaultRule:
    """A fault and when it is played.

    Args:
        operation: OSS's name of it, wildcards allowed; empty means any. Several are parted by commas.
        key: The object key, wildcards allowed; `prefix` takes its text literally.
        nth: The first of the fitting occasions that it is played at.
        times: How often it is played; None means until it is removed.
        probability: Of being played at a fitting occasion.
        seed: Of the dice.
    """

    on: str
    action: str
    parameters: Mapping[str, Any]
    operation: str = ""
    bucket: str = ""
    key: str = ""
    prefix: str = ""
    nth: int = 1
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0

    @property
    def group(self) -> str:
        """Of which only one is played at a time."""
        return ACTIONS[self.on, self.action].group

    def describe(self) -> dict[str, Any]:
        """Tell the rule as it would be given."""
        told: dict[str, Any] = {"on": self.on, "action": self.action, **self.parameters}
        told |= {
            name: getattr(self, name)
            for name in ("operation", "bucket", "key", "prefix")
            if getattr(self, name)
        }
        told |= {"nth": self.nth, "times": self.times}
        if self.probability < 1:
            told |= {"probability": self.probability, "seed": self.seed}
        return told


def parse_rule(document: object) -> FaultRule:
    """Read a fault as the API, a scenario file or a header gives it: an object, or a short form.

    Raises:
        FaultRefused: It is not understood.
    """
    if isinstance(document, str):
        return parse_rule(parse_short(document))
    if not isinstance(document, dict):
        raise FaultRefused("a fault is an object, or a short form like callback.delay=2")
    given = dict(document)
    match = given.pop("match", {})
    if not isinstance(match, dict):
        raise FaultRefused('"match" must be an object')
    given |= match
    on, name = given.pop("on", None), given.pop("action", None)
    places = list(dict.fromkeys(place for place, _ in ACTIONS))
    if on not in places:
        raise FaultRefused(f'"on" must be one of {", ".join(places)}')
    action = ACTIONS.get((on, name)) if isinstance(name, str) else None
    if action is None:
        choices = ", ".join(known for place, known in ACTIONS if place == on)
        raise FaultRefused(f'"action" on {on} must be one of {choices}')
    unknown = set(given) - set(action.parameters) - set(_MATCH) - {"times"}
    if unknown:
        raise FaultRefused(f"{on}.{name} has no {sorted(map(str, unknown))[0]!r}")
    times = given.pop("times", None if action.standing else 1)
    if times is not None:
        times = _TIMES("times", times)
    checked = {key: ({**action.parameters, **_MATCH})[key](key, value) for key, value in given.items()}
    parameters = {**action.defaults, **{key: checked.pop(key) for key in action.parameters if key in checked}}
    _check_together(on, name, parameters)
    checked.setdefault("seed", secrets.randbelow(2**32))
    return FaultRule(on, name, parameters, times=times, **checked)


def parse_header(text: str) -> list[FaultRule]:
    """Read the faults of a header: JSON of one or several, or short forms parted by commas.

    Raises:
        FaultRefused: One is not understood.
    """
    text = text.strip()
    if text[:1] in ("{", "["):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise FaultRefused("the faults are not JSON") from error
        return [parse_rule(item) for item in (document if isinstance(document, list) else [document])]
    return [parse_rule(item.strip()) for item in text.split(",") if item.strip()]


def parse_short(text: str) -> dict[str, Any]:
    """Write a short form out as an object.

    Raises:
        FaultRefused: There is no such action, or it takes no value.
    """
    head, equals, value = text.strip().partition("=")
    on, dot, name = head.strip().partition(".")
    action = ACTIONS.get((on, name))
    if not dot or action is None:
        known = ", ".join(f"{place}.{known}" for place, known in ACTIONS)
        raise FaultRefused(f"{text[:80]!r} is no fault; there are {known}")
    document: dict[str, Any] = {"on": on, "action": name}
    if equals:
        if not action.main:
            raise FaultRefused(f"{head} takes no value")
        value, at, after = value.strip().partition("@")
        document |= {_name_value(on, name, action, value): _read_number(value)}
        if at:
            document["after"] = _read_number(after)
    return document


def _name_value(on: str, name: str, action: Action, value: str) -> str:
    # `request.status=SlowDown` names a code.
    coded = (on, name) == ("request", "status") and not value.isdigit()
    return "code" if coded else action.main


def _read_number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _check_together(on: str, name: str, parameters: Mapping[str, Any]) -> None:
    if (on, name) == ("callback", "wrong_body") and sum(
        part in parameters for part in ("change", "truncate", "text")
    ) > 1:
        raise FaultRefused('give one of "change", "truncate" and "text"')
