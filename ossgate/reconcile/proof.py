"""What an object proves by itself or beside its row: by the seal in its metadata, or by a key below a prefix that we made.

A seal is opened and held against the object that carries it. Below a prefix the key proves the grant, so an object may lack the seal there; one
that is there must be right. What the row of an upload knows is better than what a key alone tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from callback.arrived import ReceivingProfile
from callback.confirmation import check_object
from callback.errors import BucketDisagrees, ChecksumMismatch, ClaimsContradictTicket
from callback.prefix_claims import FoundObject, describe_grant, find_grant, identify_object
from ossgate.access.callers import ANONYMOUS, UNKNOWN
from ossgate.bucket import ObjectHead
from ossgate.ledger import Upload
from signer.errors import SealError
from signer.facts import Facts
from signer.prefix_grants import PrefixForged, PrefixKeys, PrefixProof
from signer.profiles import Profile
from signer.recorded_facts import restore_facts
from signer.seal import SealKeys


@dataclass(frozen=True, slots=True)
class Proof:
    """The facts that an object proves, or why it proves none."""

    facts: Facts | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ProofReader:
    """Reads what the objects of one bucket prove."""

    bucket: str
    seal_keys: SealKeys
    prefix_keys: PrefixKeys
    profiles: Mapping[str, ReceivingProfile]

    def read(self, found: ObjectHead, object_key: str, upload: Upload | None) -> Proof:
        """Return what an object proves of the upload that it came by.

        Args:
            upload: The row that has the object's key, where there is one.
        """
        try:
            if upload is not None:
                recorded = restore_facts(upload)
                grant = find_grant(recorded, self.prefix_keys)
                if recorded.via == "sts" or grant.use == "prefix":
                    return self._check(found, recorded, grant)
            if found.seal:
                return self._read_seal(found, object_key)
            return self._read_key(found, object_key)
        except (SealError, BucketDisagrees, ChecksumMismatch, ClaimsContradictTicket) as error:
            return Proof(None, error.message)

    def _read_seal(self, found: ObjectHead, object_key: str) -> Proof:
        assert found.seal is not None
        sealed = self.seal_keys.open_seal(found.seal)
        if sealed.use == "prefix":
            return self._identify(found, object_key, sealed)
        if (sealed.bucket, sealed.object_key) != (self.bucket, object_key):
            # Copied with its metadata: a seal proves the one object that it was made for.
            return Proof(None, "the object carries the seal of another key")
        return self._check(found, sealed, sealed)

    def _read_key(self, found: ObjectHead, object_key: str) -> Proof:
        for name, receiving in self.profiles.items():
            if receiving.profile.place.bucket != self.bucket:
                continue
            try:
                proof = self.prefix_keys.verify(object_key, bucket=self.bucket, profile=name)
            except PrefixForged:
                continue
            return self._identify(found, object_key, _describe_grant(receiving.profile, proof))
        return Proof(None, "the object carries no seal of ours")

    def _identify(self, found: ObjectHead, object_key: str, grant: Facts) -> Proof:
        if grant.bucket != self.bucket:
            return Proof(None, "the object carries the seal of another bucket")
        receiving = self.profiles.get(grant.profile)
        facts = identify_object(
            FoundObject(object_key, found.content_type),
            grant,
            profile=receiving.profile if receiving else None,
            keys=self.prefix_keys,
        )
        return self._check(found, facts, grant)

    def _check(self, found: ObjectHead, facts: Facts, grant: Facts) -> Proof:
        check_object(found, facts, seal_keys=self.seal_keys, grant=grant)
        return Proof(facts)


def _describe_grant(profile: Profile, proof: PrefixProof) -> Facts:
    """Return what a key tells of the grant of its prefix: not for whom it was, unless the profile knows nobody."""
    issuer = ANONYMOUS if tuple(profile.allow) == (ANONYMOUS,) else UNKNOWN
    return describe_grant(profile, proof, issuer=issuer, subject=issuer)
