"""The ticket: what it proves, which keys prove it, and what is no ticket."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import ConfigurationError, TicketError, TicketForged, TicketMalformed
from signer.facts import Facts, encode_facts
from signer.seal import SealKeys
from signer.ticket import MAX_TICKET_LENGTH, TicketKeys, measure_ticket

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def test_ticket_has_the_known_form(make_facts: Callable[..., Facts]) -> None:
    """The payload is URL-safe Base64 of the facts; the MAC's key is derived from ours with the purpose."""
    payload, _, signature = TicketKeys([OLD]).issue_ticket(make_facts()).partition(".")
    derived = hmac.digest(OLD, b"ossgate.ticket.v1", sha256)
    mac = hmac.digest(derived, payload.encode(), sha256)

    assert urlsafe_b64decode(payload + "==").startswith(b'[1,"once",')
    assert signature == urlsafe_b64encode(mac).rstrip(b"=").decode()


def test_ticket_proves_its_facts(ticket_keys: TicketKeys, make_facts: Callable[..., Facts]) -> None:
    """What was issued comes back, the expiry with it, in characters that neither JSON nor a form escapes."""
    facts = make_facts(expires_at=1)
    ticket = ticket_keys.issue_ticket(facts)

    assert ticket_keys.verify_ticket(ticket) == facts
    assert set(ticket) <= set(ALPHABET + ".")


@pytest.mark.parametrize("length", range(4))
def test_length_is_known_before_it_is_issued(
    length: int, ticket_keys: TicketKeys, make_facts: Callable[..., Facts]
) -> None:
    """Profiles reckon with the length of a ticket to the character, whatever Base64 leaves over."""
    facts = make_facts(subject="u" * length)

    assert measure_ticket(len(encode_facts(facts))) == len(ticket_keys.issue_ticket(facts))


def test_newest_key_signs_and_all_verify(make_facts: Callable[..., Facts]) -> None:
    """After a rotation old tickets still verify, and new ones are the new key's."""
    before, during, after = TicketKeys([OLD]), TicketKeys([OLD, NEW]), TicketKeys([NEW])
    facts = make_facts()

    assert during.verify_ticket(before.issue_ticket(facts)) == facts
    assert during.issue_ticket(facts) == after.issue_ticket(facts)
    assert after.verify_ticket(during.issue_ticket(facts)) == facts


def test_removed_key_refuses(make_facts: Callable[..., Facts]) -> None:
    """A ticket of a key that was taken out of the list is forged, and the hint says so."""
    with pytest.raises(TicketForged) as refusal:
        TicketKeys([NEW]).verify_ticket(TicketKeys([OLD]).issue_ticket(make_facts()))

    assert refusal.value.code == "ticket_forged"
    assert "removed" in refusal.value.hint


@pytest.mark.parametrize("keys", [[], [b""], [b"k" * 31], [OLD, b"k" * 31]], ids=len)
def test_missing_or_short_keys_are_refused(keys: list[bytes]) -> None:
    """No key, or one below 32 bytes anywhere in the list, stops the service at start."""
    with pytest.raises(ConfigurationError) as refusal:
        TicketKeys(keys)

    assert "ossgate keys new" in refusal.value.hint


def test_short_key_passes_where_it_is_allowed_by_name() -> None:
    """The override lowers the bound; the default is 32 bytes exactly."""
    TicketKeys([b"k" * 32])
    TicketKeys([b"k" * 8], at_least=8)


def test_keys_are_shown_nowhere(make_facts: Callable[..., Facts]) -> None:
    """Neither a refusal nor the keys' own repr holds key bytes."""
    with pytest.raises(ConfigurationError) as refusal:
        TicketKeys([b"hush-hush"])

    assert "hush" not in str(refusal.value) + refusal.value.hint + repr(TicketKeys([b"hush" * 8]))


def test_seal_never_passes_for_a_ticket(make_facts: Callable[..., Facts]) -> None:
    """With the same key bytes for both purposes, a seal is no ticket, with or without a dot in it."""
    seal = SealKeys([OLD]).issue_seal(make_facts())
    keys = TicketKeys([OLD])

    for text in (seal, f"{seal[:-43]}.{seal[-43:-1]}A"):
        with pytest.raises(TicketError):
            keys.verify_ticket(text)


def test_signature_of_another_purpose_is_forged(make_facts: Callable[..., Facts]) -> None:
    """A MAC made with the key itself, or with another purpose, is none of ours."""
    payload = TicketKeys([OLD]).issue_ticket(make_facts()).partition(".")[0].encode()
    for key in (OLD, hmac.digest(OLD, b"ossgate.seal.v1", sha256)):
        mac = urlsafe_b64encode(hmac.digest(key, payload, sha256)).rstrip(b"=")
        with pytest.raises(TicketForged):
            TicketKeys([OLD]).verify_ticket(f"{payload.decode()}.{mac.decode()}")


def test_every_changed_character_is_refused(
    ticket_keys: TicketKeys, make_facts: Callable[..., Facts]
) -> None:
    """There is one way to write a ticket: whichever character is another, dropped or doubled, it is none."""
    ticket = ticket_keys.issue_ticket(make_facts())
    for index, character in enumerate(ticket):
        other = ALPHABET[(ALPHABET.find(character) + 1) % 64]
        for spoiled in (
            ticket[:index] + other + ticket[index + 1 :],
            ticket[:index] + ticket[index + 1 :],
            ticket[: index + 1] + ticket[index:],
        ):
            if spoiled == ticket:
                continue
            with pytest.raises(TicketError):
                ticket_keys.verify_ticket(spoiled)


def test_last_character_has_one_spelling(ticket_keys: TicketKeys, make_facts: Callable[..., Facts]) -> None:
    """Of the sixty-four characters at its end one alone makes the ticket, though Base64 ignores two of their bits."""
    ticket = ticket_keys.issue_ticket(make_facts())
    accepted = []
    for character in ALPHABET:
        try:
            ticket_keys.verify_ticket(ticket[:-1] + character)
        except TicketError:
            continue
        accepted.append(character)

    assert accepted == [ticket[-1]]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda ticket: "",
        lambda ticket: ".",
        lambda ticket: ticket.replace(".", ""),
        lambda ticket: ticket + "=",
        lambda ticket: ticket + "\n",
        lambda ticket: " " + ticket,
        lambda ticket: ticket[:-5] + "!" + ticket[-5:],
        lambda ticket: ticket + "图",
        lambda ticket: ticket.replace(".", "．"),
        lambda ticket: ticket + "\ud800",
        lambda ticket: "A" * MAX_TICKET_LENGTH + ticket,
        lambda ticket: "." * 100_000,
    ],
    ids=["empty", "dot", "joined", "padded", "newline", "blank", "mark", "chinese", "wide dot", "surrogate", "long", "dots"],
)  # fmt: skip
def test_text_that_cannot_be_a_ticket_is_malformed(
    spoil: Callable[[str], str], ticket_keys: TicketKeys, make_facts: Callable[..., Facts]
) -> None:
    """Foreign characters, padding, white space and oversize are refused before any key is used."""
    with pytest.raises(TicketMalformed) as refusal:
        ticket_keys.verify_ticket(spoil(ticket_keys.issue_ticket(make_facts())))

    assert refusal.value.code == "ticket_malformed"


@pytest.mark.parametrize("payload", [b"[]", b"nonsense", b"[2]", b"\xff"])
def test_signed_payload_that_holds_no_facts_is_malformed(payload: bytes, ticket_keys: TicketKeys) -> None:
    """A ticket of a newer version, signed by our own key, is refused and not believed in part."""
    with pytest.raises(TicketMalformed):
        ticket_keys.verify_ticket(ticket_keys.sign(payload))


@pytest.mark.parametrize(
    "change",
    [
        {"use": "prefix"},
        {"upload_id": "01KDYBB5M8000000000000TESX"},
        {"subject": "u2"},
        {"bucket": "otherbucket"},
        {"object_key": "a"},
        {"size_min": 2},
        {"size_max": 1235},
        {"content_type": "text/html"},
        {"file_name": "b"},
        {"variables": {}},
        {"dialect": "d"},
        {"expires_at": 1767323506},
    ],
    ids=lambda change: next(iter(change)),
)
def test_no_fact_can_be_swapped_under_a_signature(
    change: dict[str, Any], ticket_keys: TicketKeys, make_facts: Callable[..., Facts]
) -> None:
    """The signature of one grant does not fit the facts of another that differs in one of them."""
    facts = make_facts()
    payload = ticket_keys.issue_ticket(facts._replace(**change)).partition(".")[0]
    signature = ticket_keys.issue_ticket(facts).partition(".")[2]

    with pytest.raises(TicketForged):
        ticket_keys.verify_ticket(f"{payload}.{signature}")


@given(
    text=st.text()
    | st.from_regex(r"[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]", fullmatch=True)
)
def test_any_text_ends_in_a_ticket_error(text: str) -> None:
    """Generated text, shaped like a ticket or not, only ends in our errors."""
    with pytest.raises(TicketError):
        TicketKeys([OTHER]).verify_ticket(text)
