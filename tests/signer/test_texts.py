"""Characters that hide something, and those that only look unusual."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.texts import drop_hidden, holds_hidden, is_hidden


@pytest.mark.parametrize(
    "text",
    [
        "",
        "photo",
        "图　一",
        "a\u00a0b",
        "👨\u200d👩\u200d👧\ufe0f",
        "می\u200cخواهم",
        "क\u094d\u200dष",
        "\ue000",
    ],
)
def test_text_of_any_script_hides_nothing(text: str) -> None:
    """Joiners, blanks of other scripts, combining marks and private characters all stay."""
    assert not holds_hidden(text)
    assert drop_hidden(text) == text


@pytest.mark.parametrize(
    "character", ["\x00", "\n", "\x7f", "\u200b", "\u202e", "\u2066", "\ufeff", "\u2028", "\ud83d"]
)
def test_control_and_format_characters_are_hidden(character: str) -> None:
    """Controls, zero-width blanks, direction overrides, line separators and half surrogate pairs are found and dropped."""
    assert is_hidden(character)
    assert holds_hidden(f"a{character}b")
    assert drop_hidden(f"a{character}b") == "ab"


@given(text=st.text(st.characters()))
def test_quick_look_and_slow_look_agree(text: str) -> None:
    """The shortcut for printable text never passes over a hidden character."""
    assert holds_hidden(text) == any(is_hidden(character) for character in text)
    assert not any(unicodedata.category(character) == "Cs" for character in drop_hidden(text))
