"""Wildcards: known answers, agreement with regular expressions, and no blow-up."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.emulator.sts.wildcard import matches

ANSWERS = [
    ("", "", True),
    ("", "a", False),
    ("*", "", True),
    ("*", "a/b", True),
    ("?", "", False),
    ("?", "文", True),
    ("a*b", "ab", True),
    ("a*b", "a/x/b", True),
    ("a*b", "a/x/bc", False),
    ("*a*b*", "xxaxxbxx", True),
    ("**", "x", True),
    ("a?c", "abc", True),
    ("a?c", "ac", False),
    ("[ab]", "a", False),
    ("a.c", "abc", False),
    ("A", "a", False),
    ("*\n", "a\n", True),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), ANSWERS)
def test_known_answers(pattern: str, text: str, expected: bool) -> None:
    """Star and question mark, and nothing else, have a meaning."""
    assert expected == matches(pattern, text)


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_agrees_with_regular_expressions(pattern: str, text: str) -> None:
    """The scan decides as the translated expression would."""
    translated = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern)

    assert (re.fullmatch(translated, text, re.DOTALL) is not None) == matches(pattern, text)


def test_many_stars_take_no_time() -> None:
    """A pattern that would hold a backtracking matcher for years is decided at once."""
    started = time.process_time()

    assert not matches("a*" * 60 + "b", "a" * 1000)
    assert time.process_time() - started < 2
