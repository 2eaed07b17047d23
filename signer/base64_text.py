"""Base64 as text, in the alphabet of forms and headers and in that of URLs (RFC 4648, sections 4 and 5)."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import b2a_base64

_TO_URLS = bytes.maketrans(b"+/", b"-_")


def encode_base64(data: bytes) -> str:
    """Return Base64 with its padding."""
    # What the base64 module calls, without its way there, which costs as much as the encoding itself.
    return b2a_base64(data, newline=False).decode("ascii")


def encode_base64url(data: bytes) -> str:
    """Return URL-safe Base64 without padding."""
    return b2a_base64(data, newline=False).translate(_TO_URLS).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Return the bytes of URL-safe Base64 without padding; foreign characters are passed over.

    Raises:
        ValueError: A character is missing or is not ASCII.
    """
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
