"""Layer 3: the bucket agrees. Size, ETag, type and seal of the object itself, asked by HEAD."""

from __future__ import annotations

from typing import Protocol

from callback.body import Claims
from callback.errors import BucketDisagrees, ChecksumMismatch
from signer.errors import SealError
from signer.facts import Facts
from signer.seal import SealKeys

LINK = "symlink"
"""What ``x-oss-object-type`` calls an object that only points to another, in small letters."""


class ObjectFacts(Protocol):
    """What the bucket says of one object; the ETag without quotes, in upper case."""

    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def etag(self) -> str: ...  # noqa: D102
    @property
    def content_type(self) -> str: ...  # noqa: D102
    @property
    def seal(self) -> str | None: ...  # noqa: D102
    @property
    def crc64(self) -> str | None: ...  # noqa: D102
    @property
    def content_md5(self) -> str: ...  # noqa: D102
    @property
    def object_type(self) -> str: ...  # noqa: D102


def open_object_seal(found: ObjectFacts, *, upload_id: str, seal_keys: SealKeys) -> Facts:
    """Return the facts that an object's seal proves.

    Raises:
        BucketDisagrees: No seal of ours, or that of another upload; answered with 409.
    """
    if not found.seal:
        raise BucketDisagrees(
            "the object carries no seal of ours",
            hint="somebody else wrote it under this key",
            upload_id=upload_id,
        )
    try:
        facts = seal_keys.open_seal(found.seal)
    except SealError as error:
        raise BucketDisagrees(
            error.message, hint="was the key that made it removed from [keys] seal?", upload_id=upload_id
        ) from error
    if facts.upload_id != upload_id:
        raise BucketDisagrees("the object's seal is that of another upload", upload_id=upload_id)
    return facts


def may_lack_seal(found: ObjectFacts, facts: Facts) -> bool:
    """Tell whether an object may do without a seal, and does.

    Nothing makes a client with temporary credentials send one, nor one that fills in a form for many files. What it can write to
    holds random bits of ours, in the key or the prefix, and only what was granted may write there; so the key stands in for the
    seal. One that is there must be right.
    """
    return (facts.via == "sts" or facts.use == "prefix") and not found.seal


def check_object(
    found: ObjectFacts,
    facts: Facts,
    *,
    seal_keys: SealKeys,
    claims: Claims | None = None,
    grant: Facts | None = None,
) -> None:
    """Refuse an object that is not the one that was granted, or not the one that a callback tells of.

    Args:
        claims: What the callback said; none when the bucket is asked without a callback.
        grant: What the seal should tell; by default the same facts. An object below a prefix carries its grant's seal.

    Raises:
        BucketDisagrees: Size, ETag, type or seal differ, or it is a link to another object; answered with 409.
        ChecksumMismatch: It has other bytes than the client promised; answered with 409.
    """
    if found.object_type.lower() == LINK:
        # Whoever may write an object may make it a link, with metadata of its own and the target's size and ETag
        # (PutSymlink, https://help.aliyun.com/zh/oss/developer-reference/putsymlink); our signed links would then show the target.
        raise BucketDisagrees(
            "the object is a link to another object",
            hint="nothing of this upload was stored; send the file itself",
            upload_id=facts.upload_id,
        )
    if claims is not None and (found.size != claims.size or found.etag != claims.etag):
        raise BucketDisagrees(
            f"the bucket holds {found.size} bytes under this key, the callback tells of {claims.size} bytes"
            if found.size != claims.size
            else "the bucket holds other bytes under this key than the callback tells of",
            upload_id=facts.upload_id,
        )
    if not facts.size_min <= found.size <= facts.size_max:
        raise BucketDisagrees(
            f"the object has {found.size} bytes, granted were {facts.size_min} to {facts.size_max}",
            upload_id=facts.upload_id,
        )
    if found.content_type != facts.content_type:
        raise BucketDisagrees("the object is of another type than was granted", upload_id=facts.upload_id)
    check_checksum(facts, etag=found.etag, content_md5=found.content_md5)
    sealed = facts if grant is None else grant
    if may_lack_seal(found, sealed):
        return
    if open_object_seal(found, upload_id=sealed.upload_id, seal_keys=seal_keys) != sealed:
        raise BucketDisagrees(
            "the object's seal and the ticket tell different things", upload_id=facts.upload_id
        )


def check_checksum(facts: Facts, *, etag: str, content_md5: str = "") -> None:
    """Refuse other bytes than the client promised, where it promised any.

    Args:
        content_md5: What the bucket says of the object's bytes; the ETag tells the same unless the bucket encrypts by a key of its own.

    Raises:
        ChecksumMismatch: Answered with 409.
    """
    if not facts.content_md5:
        return
    agrees = content_md5 == facts.content_md5 if content_md5 else etag == facts.promised_etag
    if not agrees:
        raise ChecksumMismatch(
            "the file that arrived is not the one whose MD5 was promised",
            hint="it was damaged or changed on its way; ask for a new grant and send it again",
            upload_id=facts.upload_id,
        )
