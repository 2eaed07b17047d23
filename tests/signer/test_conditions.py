"""Conditions as OSS reads them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer import conditions
from signer.errors import ConditionError


def unescape(value: str) -> str:
    """Read a value as OSS does: a dollar sign after a backslash is a dollar sign."""
    return value.replace("\\$", "$")


@pytest.mark.parametrize(
    ("built", "written"),
    [
        (conditions.exact("bucket", "b"), {"bucket": "b"}),
        (conditions.eq("key", "a/b.jpg"), ["eq", "$key", "a/b.jpg"]),
        (conditions.starts_with("key", "u/"), ["starts-with", "$key", "u/"]),
        (conditions.starts_with("key", ""), ["starts-with", "$key", ""]),
        (
            conditions.in_("content-type", ["image/png", "image/jpeg"]),
            ["in", "$content-type", ["image/png", "image/jpeg"]],
        ),
        (conditions.not_in("cache-control", iter(["no-cache"])), ["not-in", "$cache-control", ["no-cache"]]),
        (conditions.content_length_range(0, 1024), ["content-length-range", 0, 1024]),
    ],
)
def test_condition_has_the_documented_form(built: Any, written: Any) -> None:
    """Each kind of condition is written as the documentation shows it."""
    assert built == written


@pytest.mark.parametrize(
    ("build", "written"),
    [
        (lambda: conditions.eq("key", "user/eric/${filename}"), r'["eq","$key","user/eric/\\${filename}"]'),
        (lambda: conditions.exact("key", "$5"), r'{"key":"\\$5"}'),
        (lambda: conditions.starts_with("key", "a$b$"), r'["starts-with","$key","a\\$b\\$"]'),
        (lambda: conditions.in_("key", ["$", "a"]), r'["in","$key",["\\$","a"]]'),
        (lambda: conditions.not_in("key", ["$"]), r'["not-in","$key",["\\$"]]'),
        (lambda: conditions.eq("callback", "图"), '["eq","$callback","图"]'),
    ],
)
def test_dollar_sign_is_escaped_in_values_and_marks_names(build: Any, written: str) -> None:
    """A literal dollar sign has a backslash, so that OSS takes no part of a value for a variable."""
    assert json.dumps(build(), separators=(",", ":"), ensure_ascii=False) == written


@pytest.mark.parametrize("build", [conditions.exact, conditions.eq, conditions.starts_with])
def test_backslash_is_refused(build: Any) -> None:
    """OSS's reading of other escapes is not known, so no value may begin one."""
    with pytest.raises(ConditionError) as refusal:
        build("key", "a\\b")

    assert refusal.value.code == "condition_invalid"
    assert refusal.value.hint


@pytest.mark.parametrize("build", [conditions.in_, conditions.not_in])
def test_backslash_in_a_list_is_refused(build: Any) -> None:
    """The values of lists are held to the same rule."""
    with pytest.raises(ConditionError):
        build("key", ["a", "\\$"])


@pytest.mark.parametrize(
    ("minimum", "maximum"), [(-1, 5), (2, 1), (0, 5 * 1024**3 + 1), (5 * 1024**3 + 1, 5 * 1024**3 + 1)]
)
def test_impossible_size_range_is_refused(minimum: int, maximum: int) -> None:
    """OSS refuses empty ranges, and stores at most 5 GB of a form."""
    with pytest.raises(ConditionError):
        conditions.content_length_range(minimum, maximum)


@given(value=st.text())
def test_escaped_value_is_read_back_or_refused(value: str) -> None:
    """Any text either comes back whole from OSS's reading, every dollar sign of it escaped, or is refused."""
    try:
        escaped = conditions.escape(value)
    except ConditionError:
        assert "\\" in value
        return
    assert unescape(escaped) == value
    assert escaped.count("\\$") == value.count("$")
