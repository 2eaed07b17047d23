"""Query bearers: of their own purpose, short-lived, for one profile and one person."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer

from ossgate.access import AccessDenied
from ossgate.access.bearers import BearerKeys
from signer.ticket import TicketKeys

KEYS = [b"o" * 32, b"n" * 32]
NOW = 1_800_000_000.0


def make_keys(keys=KEYS, now=NOW):
    return BearerKeys(keys, clock=lambda: now)


def judge(token, *, keys=KEYS, now=NOW, known=("backend",)):
    return make_keys(keys, now).identify(token, "192.0.2.1", knows_key=lambda name: name in known)


TOKEN, ENDS_AT = make_keys().issue_bearer("api_key:backend", "李雷", "photo", seconds=60)


def refused(token, **options):
    with pytest.raises(AccessDenied) as denied:
        judge(token, **options)
    assert denied.value.authenticate
    return denied.value.code


def test_a_bearer_says_for_whom_and_for_what():
    """What was signed is what is read, and it goes into a URL as it is."""
    caller = judge(TOKEN)

    assert ("bearer", "李雷", "photo", "api_key:backend") == (
        caller.way,
        caller.subject,
        caller.profile,
        caller.issuer,
    )
    assert NOW + 60 == ENDS_AT
    assert TOKEN.replace("-", "").replace("_", "").replace(".", "").isalnum()


def test_a_bearer_ends():
    """It counts until its second, and not at it."""
    assert judge(TOKEN, now=NOW + 59)
    assert "bearer_expired" == refused(TOKEN, now=NOW + 60)


def test_a_bearer_ends_with_the_key_that_made_it():
    """Who revokes an API key revokes its bearers."""
    assert "bearer_revoked" == refused(TOKEN, known=())
    own, _ = make_keys().issue_bearer("jwt:alice", "alice", "photo", seconds=60)
    assert "jwt:alice" == judge(own, known=()).issuer


def test_keys_rotate():
    """The newest key signs, all verify."""
    assert judge(TOKEN, keys=[*KEYS, b"x" * 32])
    assert judge(TOKEN, keys=[b"n" * 32])
    assert "bearer_invalid" == refused(TOKEN, keys=[b"o" * 32])


def test_a_ticket_is_no_bearer_and_a_bearer_no_ticket():
    """The same keys serve two purposes, and neither passes for the other."""
    ticket = TicketKeys(KEYS).sign(json.dumps([1, "api_key:backend", "a", "photo", int(NOW) + 60]).encode())

    assert "bearer_invalid" == refused(ticket)


@pytest.mark.parametrize(
    "token", ["", ".", "a.b", TOKEN[:-2], TOKEN + "x", TOKEN[1:], "é" + TOKEN, "x" * 3000, "\ud800"]
)
def test_what_is_no_bearer_is_refused(token):
    """Cut, changed and foreign ones are refused alike."""
    assert "bearer_invalid" == refused(token)


@pytest.mark.parametrize("payload", [[], {}, 7, [2, "jwt:a", "a", "p", 9e9], "x"], ids=str)
def test_other_versions_are_refused(payload):
    """What our key signed in another form is not guessed at."""
    encoded = urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=")
    signer = Signer(
        KEYS, salt=b"ossgate.bearer.v1", key_derivation="hmac", digest_method=__import__("hashlib").sha256
    )

    assert "bearer_invalid" == refused(signer.sign(encoded).decode())


@given(st.text(max_size=200))
def test_garbage_is_denied(token):
    """Whatever stands in the query ends in a refusal."""
    assert "bearer_invalid" == refused(token)
