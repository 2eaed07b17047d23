"""The person behind a request, as tokens, proxies and sessions name them."""

from __future__ import annotations

from ossgate.access.denied import credentials_refused

MAX_SUBJECT_BYTES = 120
"""With the longest way in front, ``session:``, an issuer has at most 128 bytes."""


def read_subject(value: object, *, code: str, source: str) -> str:
    """Return a subject as text; whole numbers, as databases count people, are written out.

    Args:
        source: Where it stands, for the message.

    Raises:
        AccessDenied: Neither text nor a whole number, empty, too long, or with characters that cannot be seen.
    """
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not is_subject(text):
        raise credentials_refused(
            code,
            f"{source} names nobody",
            f"a subject is text of 1 to {MAX_SUBJECT_BYTES} bytes that can be seen, without blanks around it",
        )
    return text


def is_subject(text: str, longest: int = MAX_SUBJECT_BYTES) -> bool:
    """Tell whether a text can name a person."""
    # isprintable refuses halves of surrogate pairs, which could not be encoded.
    return text.isprintable() and text == text.strip() and 0 < len(text.encode()) <= longest
