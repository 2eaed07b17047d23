"""Layer 2: the callback carries our own ticket, and claims nothing that the ticket did not grant."""

from __future__ import annotations

from datetime import datetime, timedelta

from callback.body import Claims
from callback.errors import ClaimsContradictTicket, TicketExpired, TicketRefused
from signer.errors import TicketError, quote
from signer.facts import Facts
from signer.ticket import TicketKeys

DEFAULT_GRACE = timedelta(days=1)
"""OSS judges the policy's expiry when a form has arrived whole; its callback may be late, but not by days."""


def verify_ticket(
    claims: Claims, *, keys: TicketKeys, now: datetime, grace: timedelta = DEFAULT_GRACE
) -> Facts:
    """Return the facts of the grant that a callback's ticket proves.

    Raises:
        TicketRefused: No ticket that one of our keys signed; answered with 403.
        TicketExpired: The ticket ended longer ago than the grace; answered with 403.
        ClaimsContradictTicket: Another bucket, key, size or type than was granted; answered with 403.
    """
    try:
        facts = keys.verify_ticket(claims.ticket)
    except TicketError as error:
        raise TicketRefused(error.message, hint=error.hint) from error
    if now > facts.expires + grace:
        raise TicketExpired(
            "the ticket of this callback expired long ago",
            hint="if the object is there, `confirm` or reconciliation finds it",
            upload_id=facts.upload_id,
        )
    check_claims(claims, facts)
    return facts


def check_claims(claims: Claims, facts: Facts) -> None:
    """Refuse claims outside what a grant gives.

    Raises:
        ClaimsContradictTicket: Another bucket, key, size or type than was granted.
    """
    if facts.use == "prefix":
        key_fits = claims.object_key.startswith(facts.object_key) and claims.object_key != facts.object_key
    else:
        key_fits = claims.object_key == facts.object_key
    if claims.bucket != facts.bucket or not key_fits:
        # A ticket is readable by its client, who can make OSS send it for a bucket of their own.
        raise ClaimsContradictTicket(
            f"the ticket is for {quote(facts.object_key)} in {facts.bucket}, "
            f"and the callback tells of {quote(claims.object_key)} in {quote(claims.bucket)}",
            upload_id=facts.upload_id,
        )
    if not facts.size_min <= claims.size <= facts.size_max:
        raise ClaimsContradictTicket(
            f"the callback tells of {claims.size} bytes, granted were {facts.size_min} to {facts.size_max}",
            upload_id=facts.upload_id,
        )
    # A prefix grant leaves the type to the client, within the profile's list.
    if facts.use != "prefix" and claims.content_type != facts.content_type:
        raise ClaimsContradictTicket(
            f"the callback tells of type {quote(claims.content_type)}, granted was {facts.content_type}",
            upload_id=facts.upload_id,
        )
