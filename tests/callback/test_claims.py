"""Layer 2: the ticket, and claims within it."""

from datetime import timedelta

import pytest

from callback.body import parse_body
from callback.claims import DEFAULT_GRACE, verify_ticket
from callback.errors import ClaimsContradictTicket, TicketExpired, TicketRefused
from signer.seal import SealKeys
from signer.ticket import TicketKeys


@pytest.fixture
def check(ticket_keys, now):
    def run(body, *, keys=ticket_keys, at=now, grace=DEFAULT_GRACE):
        return verify_ticket(parse_body(body, "application/json"), keys=keys, now=at, grace=grace)

    return run


def test_verify_ticket_returns_the_facts_of_the_grant(check, make_body, make_facts):
    """What was granted comes back whole."""
    facts = make_facts(variables={"album": "夏天", "count": 2, "public": True}, dialect="appserver_v4")

    assert facts == check(make_body(facts))


@pytest.mark.parametrize(
    "changes",
    [
        {"bucket": "otherbucket"},
        {"object": "photos/b.jpg"},
        {"object": "photos/a.jpg/"},
        {"object": "Photos/a.jpg"},
        {"size": 0},
        {"size": 101},
        {"mimeType": "text/html"},
        {"mimeType": ""},
    ],
)
def test_verify_ticket_refuses_claims_outside_the_grant(check, make_body, changes):
    """Bucket, key, size and type are the ticket's, whatever OSS was made to send."""
    with pytest.raises(ClaimsContradictTicket) as refused:
        check(make_body(**changes))

    assert refused.value.upload_id == "01KE00000000000000000000AA"


@pytest.mark.parametrize("size", [1, 100])
def test_verify_ticket_accepts_both_ends_of_the_range(check, make_body, size):
    """The size range includes its ends."""
    assert check(make_body(size=size)).size_max == 100


def test_verify_ticket_refuses_no_and_foreign_tickets(check, make_body, make_facts):
    """A ticket is signed by one of our keys, or it is none."""
    foreign = TicketKeys([b"x" * 32]).issue_ticket(make_facts())

    for ticket in ("", "a.b", foreign, foreign[:-1], "é", "." * 6000):
        with pytest.raises(TicketRefused):
            check(make_body(ticket=ticket))


def test_verify_ticket_refuses_a_seal(check, make_body, make_facts, ticket_keys):
    """A seal never passes for a ticket, even when one key were used for both."""
    with pytest.raises(TicketRefused):
        check(make_body(ticket=SealKeys([b"t" * 32]).issue_seal(make_facts())))


def test_verify_ticket_follows_a_rotation(check, make_body, make_facts):
    """A ticket of the older key is believed until that key is removed."""
    old, new = b"o" * 32, b"n" * 32
    body = make_body(ticket=TicketKeys([old]).issue_ticket(make_facts()))

    assert check(body, keys=TicketKeys([old, new]))
    with pytest.raises(TicketRefused):
        check(body, keys=TicketKeys([new]))


def test_verify_ticket_keeps_a_grace_after_the_expiry(check, make_body, now):
    """A callback may come late, within the grace and not a second after."""
    expiry = now + timedelta(minutes=5)

    assert check(make_body(), at=expiry + DEFAULT_GRACE)
    with pytest.raises(TicketExpired):
        check(make_body(), at=expiry + DEFAULT_GRACE + timedelta(seconds=1))
