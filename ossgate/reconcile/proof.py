"""What an object proves by itself: the seal in its metadata, opened and held against the object that carries it."""

from __future__ import annotations

from dataclasses import dataclass

from callback.confirmation import check_object
from callback.errors import BucketDisagrees
from ossgate.bucket import ObjectHead
from signer.errors import SealError
from signer.facts import Facts
from signer.seal import SealKeys


@dataclass(frozen=True, slots=True)
class Proof:
    """The facts that an object proves, or why it proves none."""

    facts: Facts | None
    reason: str = ""


def read_proof(found: ObjectHead, *, bucket: str, object_key: str, seal_keys: SealKeys) -> Proof:
    """Return what an object proves of the upload that it came by."""
    if not found.seal:
        return Proof(None, "the object carries no seal of ours")
    try:
        facts = seal_keys.open_seal(found.seal)
    except SealError as error:
        return Proof(None, error.message)
    if (facts.bucket, facts.object_key) != (bucket, object_key):
        # Copied with its metadata: a seal proves the one object that it was made for.
        return Proof(None, "the object carries the seal of another key")
    try:
        check_object(found, facts, seal_keys=seal_keys)
    except BucketDisagrees as error:
        return Proof(None, error.message)
    return Proof(facts)
