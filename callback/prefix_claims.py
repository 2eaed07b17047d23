"""Layer 2 of a prefix grant: the key below the prefix is the client's choice, and the key itself proves the grant."""

from __future__ import annotations

from callback.body import Claims
from callback.errors import ClaimsContradictTicket
from signer.errors import ContentTypeNotAllowed
from signer.facts import Facts
from signer.prefix_grants import PrefixForged, PrefixKeys, describe_object
from signer.profiles import Profile


def identify_object(claims: Claims, grant: Facts, *, profile: Profile, keys: PrefixKeys) -> Facts:
    """Return the facts of the one object that a callback tells of, as those of an upload of its own.

    Args:
        grant: What the ticket proves: a ``prefix`` grant.

    Raises:
        ClaimsContradictTicket: The key lies below another prefix, or its type is not one of the profile's; answered with 403.
    """
    try:
        proof = keys.verify(claims.object_key, bucket=grant.bucket, profile=grant.profile)
    except PrefixForged as error:
        raise ClaimsContradictTicket(error.message, upload_id=grant.upload_id) from error
    if (proof.key_prefix, proof.grant_id) != (grant.object_key, grant.upload_id):
        raise ClaimsContradictTicket(
            "the object lies below the prefix of another grant", upload_id=grant.upload_id
        )
    try:
        profile.check_content_type(claims.content_type)
    except ContentTypeNotAllowed as error:
        # Credentials cannot be cut to a type, so it is found out here.
        raise ClaimsContradictTicket(error.message, upload_id=proof.upload_id) from error
    return describe_object(grant, proof, object_key=claims.object_key, content_type=claims.content_type)
