"""Base64 as text: what the standard library writes, in fewer steps."""

from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.base64_text import decode_base64url, encode_base64, encode_base64url


@pytest.mark.parametrize(
    ("data", "plain", "for_urls"),
    [(b"", "", ""), (b"f", "Zg==", "Zg"), (b"foob", "Zm9vYg==", "Zm9vYg"), (b"\xfb\xff\xfe", "+//+", "-__-")],
)
def test_text_equals_known_answer(data: bytes, plain: str, for_urls: str) -> None:
    """RFC 4648's own examples, and the characters in which the alphabets differ."""
    assert (encode_base64(data), encode_base64url(data)) == (plain, for_urls)


@given(data=st.binary(max_size=300))
def test_text_is_the_librarys_and_comes_back(data: bytes) -> None:
    """Any bytes, padded or not."""
    assert encode_base64(data) == b64encode(data).decode()
    assert encode_base64url(data) == urlsafe_b64encode(data).decode().rstrip("=")
    assert decode_base64url(encode_base64url(data)) == data


@pytest.mark.parametrize("text", ["A", "AAAAA", "图"])
def test_text_that_lacks_a_character_is_refused(text: str) -> None:
    """What no bytes were written as."""
    with pytest.raises(ValueError):  # noqa: PT011
        decode_base64url(text)
