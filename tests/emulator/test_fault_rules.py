"""How faults are written down, without any server."""

import json

import pytest

from ossgate.emulator.fault_rules import ACTIONS, FaultRefused, parse_header, parse_rule


@pytest.mark.parametrize(("on", "action"), list(ACTIONS))
def test_every_action_has_defaults(on: str, action: str) -> None:
    """Each action can be asked for by its name alone, in both forms, and tells itself the same way."""
    rule = parse_rule({"on": on, "action": action})
    short = parse_rule(f"{on}.{action}")

    assert rule.parameters == short.parameters
    assert parse_rule({**rule.describe(), "seed": 1}).parameters == rule.parameters


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("callback.delay=2.5", {"seconds": 2.5, "give_up": False}),
        ("request.reset=1000", {"after": 1000}),
        ("response.stall=2@100", {"seconds": 2.0, "after": 100}),
        ("request.status=503", {"status": 503}),
        ("request.status=SlowDown", {"code": "SlowDown"}),
        ("callback.rotated_key=same", {"url": "same"}),
        ("clock.skew=-3600", {"seconds": -3600.0}),
    ],
)
def test_short_forms(text: str, parameters: dict[str, object]) -> None:
    """A short form sets the action's main parameter, and a position behind an at sign."""
    assert parameters == parse_rule(text).parameters


def test_match_may_be_a_table() -> None:
    """What tells when a fault is played may stand beside the rest or in a table of its own."""
    flat = parse_rule({"on": "callback", "action": "drop", "key": "a*", "nth": 2, "times": 3, "seed": 1})
    nested = parse_rule(
        {"on": "callback", "action": "drop", "match": {"key": "a*", "nth": 2, "times": 3, "seed": 1}}
    )

    assert flat == nested


def test_standing_faults_last() -> None:
    """A state lasts until it is removed, an accident happens once."""
    assert (None, 1) == (parse_rule("clock.skew").times, parse_rule("callback.drop").times)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (None, "a fault is an object"),
        ({}, '"on" must be one of callback'),
        ({"on": "moon", "action": "drop"}, '"on" must be one of callback'),
        ({"on": ["callback"], "action": "drop"}, '"on" must be one of callback'),
        ({"on": "callback", "action": "explode"}, '"action" on callback must be one of drop'),
        ({"on": "callback", "action": []}, '"action" on callback'),
        ({"on": "callback", "action": "drop", "colour": "red"}, "callback.drop has no 'colour'"),
        ({"on": "callback", "action": "drop", "times": 0}, '"times" must be a whole number from 1'),
        ({"on": "callback", "action": "drop", "times": True}, '"times"'),
        (
            {"on": "callback", "action": "drop", "probability": 2},
            '"probability" must be a number from 0 to 1',
        ),
        ({"on": "callback", "action": "drop", "match": []}, '"match" must be an object'),
        ({"on": "callback", "action": "drop", "key": "x" * 2000}, '"key" must be a text'),
        ({"on": "callback", "action": "delay", "seconds": 61}, '"seconds" must be a number from 0 to 60'),
        ({"on": "callback", "action": "delay", "give_up": 1}, '"give_up" must be true or false'),
        ({"on": "callback", "action": "status", "status": 42}, '"status" must be a whole number'),
        ({"on": "callback", "action": "wrong_body", "change": {}}, '"change" must be an object'),
        ({"on": "callback", "action": "wrong_body", "text": "a", "truncate": 1}, "give one of"),
        ({"on": "callback", "action": "rotated_key", "url": "x"}, '"url" must be one of other, same'),
        ("callback.explode", "'callback.explode' is no fault; there are callback.drop"),
        ("callback.drop=3", "callback.drop takes no value"),
        ("request.reset=soon", '"after" must be a whole number'),
        ("", "is no fault"),
    ],
)
def test_refused(document: object, words: str) -> None:
    """What cannot be played is refused, and the text says what could."""
    with pytest.raises(FaultRefused) as caught:
        parse_rule(document)

    assert words in str(caught.value)


def test_headers() -> None:
    """A header holds JSON of one or several, or short forms."""
    one = parse_header('{"on": "callback", "action": "drop"}')
    several = parse_header(json.dumps(["callback.drop", {"on": "callback", "action": "double"}]))
    short = parse_header(" callback.drop , callback.double=3 ")

    assert ["drop"] == [rule.action for rule in one]
    assert ["drop", "double"] == [rule.action for rule in several] == [rule.action for rule in short]
    with pytest.raises(FaultRefused, match="not JSON"):
        parse_header("{")
