"""Layer 2 of a prefix grant: the key below the prefix is the client's choice, and the key itself proves the grant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from callback.errors import ClaimsContradictTicket
from signer.errors import ContentTypeNotAllowed
from signer.facts import Facts, Via
from signer.prefix_grants import PrefixForged, PrefixKeys, PrefixProof, describe_object
from signer.profiles import Profile


@dataclass(frozen=True, slots=True)
class FoundObject:
    """What the bucket tells of an object that nobody has claimed."""

    object_key: str
    content_type: str


class NamedObject(Protocol):
    """What is asked of an object, or of what a callback claims of one."""

    @property
    def object_key(self) -> str: ...  # noqa: D102
    @property
    def content_type(self) -> str: ...  # noqa: D102


def identify_object(claims: NamedObject, grant: Facts, *, profile: Profile | None, keys: PrefixKeys) -> Facts:
    """Return the facts of the one object that a callback or the bucket tells of, as those of an upload of its own.

    Args:
        grant: What a ticket or a seal proves: a ``prefix`` grant.
        profile: That of the grant; without it types are not judged.

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
        if profile is not None:
            profile.check_content_type(claims.content_type)
    except ContentTypeNotAllowed as error:
        # Credentials cannot be cut to a type, so it is found out here.
        raise ClaimsContradictTicket(error.message, upload_id=proof.upload_id) from error
    return describe_object(grant, proof, object_key=claims.object_key, content_type=claims.content_type)


def describe_grant(profile: Profile, proof: PrefixProof, *, issuer: str, subject: str) -> Facts:
    """Return what the key of an object tells of the grant of its prefix, with for whom it was.

    Variables and dialect are told by tickets and seals alone.
    """
    via: Via = "sts" if "sts" in profile.via else "post"
    issued_at = int(proof.issued.timestamp())
    return Facts(
        use="prefix",
        upload_id=proof.grant_id,
        profile=profile.name,
        issuer=issuer,
        subject=subject,
        bucket=profile.place.bucket,
        object_key=proof.key_prefix,
        size_min=profile.min_size,
        size_max=profile.limit_for(via),
        content_type="",
        file_name="",
        issued_at=issued_at,
        # When it ended is not known; an object is there, so it lasted a while.
        expires_at=issued_at + profile.lifetime,
        via=via,
        keep_days=profile.keep_days,
    )


def find_grant(recorded: Facts, keys: PrefixKeys) -> Facts:
    """Return the grant under which an object of a recorded upload was written: its own, or that of a prefix."""
    try:
        proof = keys.verify(recorded.object_key, bucket=recorded.bucket, profile=recorded.profile)
    except PrefixForged:
        return recorded
    if proof.upload_id != recorded.upload_id:
        return recorded
    return recorded._replace(
        use="prefix",
        upload_id=proof.grant_id,
        object_key=proof.key_prefix,
        content_type="",
        file_name="",
    )
