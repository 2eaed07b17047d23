"""Client variables: declared, typed, bounded."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import ConfigurationError, VariablesInvalid
from signer.variables import MAX_TOGETHER_BYTES, VariableRule, check_variables

RULES = {
    rule.name: rule
    for rule in (
        VariableRule("album", max_length=12),
        VariableRule("order", "integer"),
        VariableRule("public", "boolean"),
        VariableRule("colour", choices=("red", "緑")),
    )
}


@pytest.mark.parametrize(
    "given_variables",
    [
        {},
        {"album": ""},
        {"album": "猫猫猫猫"},
        {"album": "👨\u200d👩a"},
        {"album": "猫\u3000a"},
        {"order": 0},
        {"order": -(2**53) + 1},
        {"order": 2**53 - 1},
        {"public": False},
        {"colour": "緑"},
        {"album": "a", "order": 1, "public": True, "colour": "red"},
    ],
    ids=str,
)
def test_declared_variable_is_taken_as_it_is(given_variables: dict[str, Any]) -> None:
    """What meets its rule comes out unchanged, its type kept."""
    assert check_variables(given_variables, RULES) == given_variables


def test_variables_come_out_in_the_order_of_the_rules() -> None:
    """The order in which a client sends them changes no ticket."""
    checked = check_variables({"public": True, "album": "a"}, RULES)

    assert list(checked) == ["album", "public"]


@pytest.mark.parametrize(
    ("given_variables", "told"),
    [
        ({"nosuch": 1}, "declares no variable"),
        ({"Album": "a"}, "declares no variable"),
        ({"": "a"}, "declares no variable"),
        ({"album": 1}, "must be of type string"),
        ({"album": None}, "must be of type string"),
        ({"album": ["a"]}, "must be of type string"),
        ({"album": {"a": {}}}, "must be of type string"),
        ({"order": "1"}, "must be of type integer"),
        ({"order": 1.0}, "must be of type integer"),
        ({"order": True}, "must be of type integer"),
        ({"order": float("nan")}, "must be of type integer"),
        ({"order": 2**53}, "JSON readers"),
        ({"order": -(2**53)}, "JSON readers"),
        ({"order": 10**5000}, "JSON readers"),
        ({"public": 1}, "must be of type boolean"),
        ({"public": "true"}, "must be of type boolean"),
        ({"album": "猫猫猫猫a"}, "more than 12 bytes"),
        ({"album": "a\r\nb"}, "control characters"),
        ({"album": "a\u202eb"}, "control characters"),
        ({"album": "\ud800"}, "control characters"),
        ({"colour": "blue"}, "may not be 'blue'"),
        ({"colour": "RED"}, "may not be"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_variable_is_refused(given_variables: dict[str, Any], told: str) -> None:
    """Undeclared, of another type, too long, hiding something, not among the choices: 422 with the reason."""
    with pytest.raises(VariablesInvalid, match=told) as refusal:
        check_variables(given_variables, RULES)

    assert refusal.value.code == "vars_invalid"
    assert len(refusal.value.message) < 120


def test_missing_variable_is_refused_when_it_is_required() -> None:
    """A required variable must be sent; an empty text counts as sent."""
    rules = {"album": VariableRule("album", required=True)}

    assert check_variables({"album": ""}, rules) == {"album": ""}
    with pytest.raises(VariablesInvalid, match="missing"):
        check_variables({}, rules)


def test_variables_together_are_bounded_as_they_are_carried() -> None:
    """512 bytes of JSON, names, quotes and escapes among them."""
    rules = {name: VariableRule(name, max_length=512) for name in ("a", "b")}
    fits = {"a": "x" * 250, "b": "x" * 247}

    assert len(orjson.dumps(check_variables(fits, rules))) == MAX_TOGETHER_BYTES == 512
    for spoiled in (fits | {"b": "x" * 248}, fits | {"b": "x" * 246 + '"'}):
        with pytest.raises(VariablesInvalid, match="together"):
            check_variables(spoiled, rules)


@pytest.mark.parametrize(
    "rule",
    [
        {"name": ""},
        {"name": "1a"},
        {"name": "Album"},
        {"name": "a-b"},
        {"name": "猫"},
        {"name": "a\n"},
        {"name": "a" * 33},
        {"name": "a", "type": "float"},
        {"name": "a", "max_length": 0},
        {"name": "a", "max_length": 513},
        {"name": "a", "type": "integer", "choices": ("1",)},
        {"name": "a", "max_length": 3, "choices": ("red", "blue")},
        {"name": "a", "choices": ("re\nd",)},
        {"name": "a", "choices": ("\ud800",)},
    ],
    ids=ascii,
)
def test_rule_that_no_value_could_meet_is_refused(rule: dict[str, Any]) -> None:
    """Mistakes in a profile's variables are found at start."""
    with pytest.raises(ConfigurationError) as refusal:
        VariableRule(**rule)

    assert refusal.value.hint


@given(
    given_variables=st.dictionaries(
        st.sampled_from([*RULES, "nosuch"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(st.characters())
        | st.lists(st.text()),
    )
)
def test_any_variables_are_bounded_or_refused(given_variables: dict[str, Any]) -> None:
    """Generated values only end in our error, or in at most 512 bytes of JSON."""
    try:
        checked = check_variables(given_variables, RULES)
    except VariablesInvalid:
        return
    assert checked == given_variables
    assert len(orjson.dumps(checked)) <= MAX_TOGETHER_BYTES
