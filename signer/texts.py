"""Which characters a name, a subject or a variable may show: all that can be seen, in any script."""

from __future__ import annotations

import unicodedata

# Joiners make emoji families and Indic and Persian words; every other invisible character only hides something
# or, like the right-to-left override, shows a text as another.
_KEPT_INVISIBLE = frozenset("\u200c\u200d")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def is_hidden(character: str) -> bool:
    """Tell whether a character is a control, a format character, half a surrogate pair or a line separator."""
    return unicodedata.category(character) in _HIDDEN and character not in _KEPT_INVISIBLE


def drop_hidden(text: str) -> str:
    """Return a text without its hidden characters."""
    if not holds_hidden(text):
        return text
    return "".join(character for character in text if not is_hidden(character))


def holds_hidden(text: str) -> bool:
    """Tell whether a text holds a hidden character."""
    # isprintable is quick and says no to blanks of other scripts and to joiners as well; these are looked at one by one.
    return not text.isprintable() and any(map(is_hidden, text))
