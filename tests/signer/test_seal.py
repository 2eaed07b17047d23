"""The seal: what it proves, who can read it, and what is no seal."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import ConfigurationError, SealError
from signer.facts import Facts, encode_facts
from signer.seal import MAX_SEAL_LENGTH, METADATA_NAME, SealKeys
from signer.ticket import TicketKeys

OLD, NEW = b"o" * 32, b"n" * 32


def test_seal_has_the_known_form(make_facts: Callable[..., Facts]) -> None:
    """AES-GCM under a key that HKDF-SHA256 derives from ours with the purpose, nonce in front: objects keep their seals for years."""
    extracted = hmac.digest(bytes(32), OLD, sha256)
    key = hmac.digest(extracted, b"ossgate.seal.v1\x01", sha256)
    nonce = bytes(range(12))
    sealed = nonce + AESGCM(key).encrypt(nonce, encode_facts(make_facts()), b"ossgate.seal.v1")
    seal = urlsafe_b64encode(sealed).rstrip(b"=").decode()

    assert METADATA_NAME == "x-oss-meta-ossgate-seal"
    assert SealKeys([OLD], new_nonce=lambda length: bytes(range(length))).issue_seal(make_facts()) == seal
    assert SealKeys([OLD]).open_seal(seal) == make_facts()


def test_seal_proves_its_facts_and_hides_them(seal_keys: SealKeys, make_facts: Callable[..., Facts]) -> None:
    """Facts come back whole; nobody without the key reads a name or a subject in the bytes."""
    facts = make_facts(subject="user-4711")
    seal = seal_keys.issue_seal(facts)
    sealed = urlsafe_b64decode(seal + "=" * (-len(seal) % 4))

    assert seal_keys.open_seal(seal) == facts
    assert b"4711" not in sealed
    assert b"photo" not in sealed


def test_each_seal_has_its_own_nonce(seal_keys: SealKeys, make_facts: Callable[..., Facts]) -> None:
    """Two seals of the same facts share no beginning: a nonce used twice would give the key away."""
    seals = {seal_keys.issue_seal(make_facts())[:16] for _ in range(200)}

    assert len(seals) == 200


def test_newest_key_seals_and_all_open(make_facts: Callable[..., Facts]) -> None:
    """After a rotation old objects can still be read, and new ones are the new key's."""
    before, during, after = SealKeys([OLD]), SealKeys([OLD, NEW]), SealKeys([NEW])
    facts = make_facts()

    assert during.open_seal(before.issue_seal(facts)) == facts
    assert after.open_seal(during.issue_seal(facts)) == facts
    with pytest.raises(SealError):
        before.open_seal(during.issue_seal(facts))


def test_removed_key_refuses(make_facts: Callable[..., Facts]) -> None:
    """A seal of a key that was taken out of the list is none of ours."""
    with pytest.raises(SealError) as refusal:
        SealKeys([NEW]).open_seal(SealKeys([OLD]).issue_seal(make_facts()))

    assert refusal.value.code == "seal_invalid"


@pytest.mark.parametrize("keys", [[], [b"k" * 31], [OLD, b""]], ids=len)
def test_missing_or_short_keys_are_refused(keys: list[bytes]) -> None:
    """No key, or one below 32 bytes, stops the service at start."""
    with pytest.raises(ConfigurationError):
        SealKeys(keys)


def test_ticket_never_passes_for_a_seal(make_facts: Callable[..., Facts]) -> None:
    """With the same key bytes for both purposes, a ticket opens nothing."""
    ticket = TicketKeys([OLD]).issue_ticket(make_facts())

    for text in (ticket, *ticket.split(".")):
        with pytest.raises(SealError):
            SealKeys([OLD]).open_seal(text)


def test_every_changed_byte_is_refused(seal_keys: SealKeys, make_facts: Callable[..., Facts]) -> None:
    """In nonce, text and tag alike, one flipped bit is enough."""
    seal = seal_keys.issue_seal(make_facts())
    other = {"A": "B"}
    for index, character in enumerate(seal[:-1]):
        with pytest.raises(SealError):
            seal_keys.open_seal(seal[:index] + other.get(character, "A") + seal[index + 1 :])


@pytest.mark.parametrize(
    "seal",
    [
        "",
        "A",
        "AAAA",
        "A" * 16,
        "A" * 38,
        "A" * 39,
        "图",
        "\ud800",
        "=",
        "!" * 50,
        "A" * (MAX_SEAL_LENGTH + 1),
    ],
    ids=lambda seal: repr(seal[:4]) + str(len(seal)),
)
def test_text_that_cannot_be_a_seal_is_refused(seal: str, seal_keys: SealKeys) -> None:
    """Empty, shorter than nonce and tag, foreign characters, longer than what OSS keeps."""
    with pytest.raises(SealError):
        seal_keys.open_seal(seal)


@pytest.mark.parametrize("content", [b"", b"[2]", b"nonsense"])
def test_sealed_bytes_that_hold_no_facts_are_refused(content: bytes, seal_keys: SealKeys) -> None:
    """A seal of a newer version, made with our own key, is refused and not believed in part."""
    with pytest.raises(SealError, match="this version"):
        seal_keys.open_seal(seal_keys.encrypt(content))


def test_seal_longer_than_metadata_is_refused_unopened(seal_keys: SealKeys) -> None:
    """OSS keeps 8 KB of metadata, so what is longer is none of ours, whoever made it."""
    with pytest.raises(SealError, match="not one of ours"):
        seal_keys.open_seal(seal_keys.encrypt(b"x" * MAX_SEAL_LENGTH))


@given(text=st.text() | st.from_regex(r"[A-Za-z0-9_-]{1,200}", fullmatch=True))
def test_any_text_ends_in_a_seal_error(text: str) -> None:
    """Generated text, shaped like a seal or not, only ends in our error."""
    with pytest.raises(SealError):
        SealKeys([OLD]).open_seal(text)
