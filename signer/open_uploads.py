"""What is done with an upload that is on its way: begun in the bucket, its parts signed and listed, completed, given up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from ossgate.bucket import BucketClient, BucketRefused, BucketUnavailable, StoredPart
from ossgate.ledger import Ledger, TransitionForbidden, Upload
from signer.errors import (
    GrantExpired,
    GrantStillGood,
    NotMultipart,
    ObjectExists,
    PartsMismatch,
    PartTooSmall,
    SignerError,
    UploadArrived,
    UploadGone,
)
from signer.facts import encode_facts
from signer.grants import GrantIssuer, GrantRequest
from signer.multipart_grants import MultipartGrant, build_complete_headers, sign_complete, sign_parts
from signer.part_requests import CompleteRequest
from signer.part_sizes import check_part_numbers, count_parts
from signer.presign import UrlSigner
from signer.profiles import Profile
from signer.recorded_facts import restore_facts
from signer.stored_parts import choose_parts

BEGIN_SECONDS = 5.0
LIST_SECONDS = 10.0
COMPLETE_SECONDS = 25.0
"""OSS takes its time to join thousands of parts; less than what a worker may take for a request."""
ABORT_SECONDS = 5.0
HEAD_SECONDS = 2.0
LEDGER_SECONDS = 3.0
COMPLETE_GRACE = timedelta(minutes=10)
# OSS judges a form by its own clock, which may differ from ours.
REVOCATION_MARGIN = timedelta(minutes=10)
"""The last part may have been on its way when the grant ended."""
_REFUSALS: dict[str, tuple[type[SignerError], str, str]] = {
    "InvalidPart": (PartsMismatch, "a part was sent again meanwhile", "complete again"),
    "EntityTooSmall": (PartTooSmall, "a part is too small", "all but the last have at least 100 KB"),
    "FileAlreadyExists": (ObjectExists, "another object has this key", "ask for a new grant"),
    "FileImmutable": (ObjectExists, "another object has this key for good", "ask for a new grant"),
}
"""What OSS may say to a completion, by its code."""


class Log(Protocol):
    """Writes one structured line."""

    def __call__(self, event: str, /, **facts: object) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class OpenUploads:
    """Works on uploads that have not arrived; who may is judged before.

    ``settle`` asks the bucket for an upload's object, records its arrival and returns the profile's reply.
    """

    issuer: GrantIssuer
    profiles: Mapping[str, Profile]
    ledger: Ledger
    bucket: BucketClient
    settle: Callable[[Upload], bytes]
    now: Callable[[], datetime]
    log: Log

    def begin(
        self, profile: Profile, request: GrantRequest, *, issuer: str, subject: str, now: datetime
    ) -> MultipartGrant:
        """Begin one upload in parts in the bucket, and return its grant.

        Raises:
            GrantRefused, PartSizeInvalid: The request asks for what is not given; nothing was begun.
            BucketUnavailable: It could not be begun.
        """
        facts, headers, part_size = self.issuer.plan_multipart(
            profile, request, issuer=issuer, subject=subject, now=now
        )
        with_oss = self.bucket.multipart
        try:
            begun = with_oss.initiate(profile.place, facts.object_key, headers, seconds=BEGIN_SECONDS)
        except BucketRefused as error:
            raise BucketUnavailable(str(error)) from error
        return MultipartGrant(facts, begun, part_size, facts.expires)

    def give_up(self, profile: Profile, grants: Iterable[MultipartGrant]) -> None:
        """Abort uploads that were begun and then not granted. What cannot be aborted now holds no bytes."""
        for grant in grants:
            try:
                self.bucket.multipart.abort(
                    profile.place, grant.facts.object_key, grant.multipart_upload_id, seconds=ABORT_SECONDS
                )
            except (BucketRefused, BucketUnavailable) as error:
                self.log("abort_failed", upload_id=grant.facts.upload_id, reason=str(error))

    def sign_parts(self, upload: Upload, part_numbers: list[object]) -> dict[str, Any]:
        """Return a URL for each of these parts.

        Raises:
            UploadNotOpen: No upload in parts, or one that has arrived, ended or expired.
            PartsRefused: Numbers that it does not have, or too many at once.
        """
        profile, grant = self._open(upload)
        count = count_parts(grant.facts.size_max, grant.part_size)
        return sign_parts(grant, check_part_numbers(part_numbers, count), self._signer(profile))

    def list_parts(self, upload: Upload) -> dict[str, Any]:
        """Return the parts that the bucket holds, so that a client sends the others.

        Raises:
            UploadNotOpen: No upload in parts, or one that has arrived, ended or expired.
            BucketUnavailable: They cannot be told.
        """
        profile, grant = self._open(upload)
        stored = self._list(profile, grant)
        if stored is None:
            raise UploadGone(
                "the bucket has no parts of this upload any more",
                hint="`confirm` tells whether it is complete",
            )
        return {
            "parts": [
                {"part_number": part.part_number, "size": part.size, "etag": part.etag} for part in stored
            ],
            "part_size": grant.part_size,
            "part_count": count_parts(grant.facts.size_max, grant.part_size),
            "size": grant.facts.size_max,
            "expires_at": grant.to_json()["expires_at"],
        }

    def complete(self, upload: Upload, request: CompleteRequest) -> bytes:
        """Make the object of its parts, record its arrival and return the profile's reply; a repeat gets the same.

        Raises:
            UploadNotOpen: No upload in parts, or one that has ended or expired.
            PartsRefused: The parts are not what was granted; they stay, to be mended or aborted.
            BucketUnavailable: It may be complete or not; asking again finds out.
            CallbackRefused, LedgerBusy, LedgerUnavailable: From `settle`.
        """
        if upload.state == "uploaded" and upload.reply is not None and upload.via == "multipart":
            return upload.reply
        profile, grant = self._open(upload, grace=COMPLETE_GRACE, arrived=True)
        stored = self._list(profile, grant)
        # Completed before, by a request whose answer was lost or by a presigned one: then the object is there.
        if stored is not None:
            parts = choose_parts(stored, request.parts, grant.facts)
            self._complete(profile, grant, parts)
        return self.settle(upload)

    def presign_complete(self, upload: Upload) -> dict[str, Any]:
        """Return the request by which the client completes the upload itself, the callback in its signature.

        Raises:
            UploadNotOpen, PartsRefused, BucketUnavailable: As when we complete it.
        """
        profile, grant = self._open(upload)
        stored = self._list(profile, grant)
        if stored is None:
            raise UploadGone(
                "the bucket has no parts of this upload any more",
                hint="`confirm` tells whether it is complete",
            )
        choose_parts(stored, None, grant.facts)
        callback_param = self.issuer.build_callback_param(profile, encode_facts(grant.facts))
        return sign_complete(profile, grant, callback_param=callback_param, signer=self._signer(profile))

    def abort(self, upload: Upload) -> None:
        """Give an upload up: its parts are removed, its quota is free. What is aborted already stays so.

        Raises:
            UploadArrived: The object is there.
            GrantStillGood: It is a signed form or PUT whose time is not over.
            UploadGone: It was deleted.
            BucketUnavailable: Whether the object is there cannot be told.
            LedgerBusy, LedgerUnavailable: Nothing was recorded.
        """
        if upload.state == "aborted":
            return
        self._refuse_ended(upload)
        profile = self._find_profile(upload)
        if not self._abort_parts(profile, upload):
            found = self.bucket.head_object(profile.place, upload.object_key, seconds=HEAD_SECONDS)
            if found is not None:
                raise UploadArrived("the object is there", hint="`confirm` settles it")
        if upload.via != "multipart" and self.now() < upload.expires_at + REVOCATION_MARGIN:
            # The client can still post it; were its place in the quota free by now, one could hold any number of them.
            raise GrantStillGood(
                "what was signed stays good until its grant ends, and cannot be taken back",
                hint="leave it alone: it ends by itself, and its place in the quota is free then",
            )
        if upload.state == "expired":
            # Its quota is free already, and a form of it that arrives late is still told.
            return
        try:
            self.ledger.record_state(upload.upload_id, "aborted", now=self.now(), timeout=LEDGER_SECONDS)
        except TransitionForbidden as error:
            raise UploadArrived(
                "the upload arrived while it was given up", hint="`confirm` settles it"
            ) from error

    def _open(
        self, upload: Upload, *, grace: timedelta = timedelta(), arrived: bool = False
    ) -> tuple[Profile, MultipartGrant]:
        if upload.via != "multipart" or upload.multipart_upload_id is None or upload.part_size is None:
            raise NotMultipart("this upload has no parts", hint='ask for a grant with "via": "multipart"')
        if not (arrived and upload.state in ("uploaded", "unconfirmed")):
            self._refuse_ended(upload)
        if self.now() >= upload.expires_at + grace:
            raise GrantExpired(
                "the time of this grant is over", hint="ask for a new grant; the parts are removed by and by"
            )
        facts = restore_facts(upload)
        return self._find_profile(upload), MultipartGrant(
            facts, upload.multipart_upload_id, upload.part_size, facts.expires
        )

    def _refuse_ended(self, upload: Upload) -> None:
        if upload.state in ("uploaded", "unconfirmed"):
            raise UploadArrived("this upload has arrived", hint="`GET` of the upload tells what there is")
        if upload.state in ("aborted", "deleted"):
            raise UploadGone(f"this upload was {upload.state}", hint="ask for a new grant")

    def _find_profile(self, upload: Upload) -> Profile:
        profile = self.profiles.get(upload.profile)
        if profile is None:
            raise UploadGone(f"the profile {upload.profile} is not in the settings any more")
        return profile

    def _signer(self, profile: Profile) -> UrlSigner:
        return UrlSigner(profile.place, profile.signature, self.issuer.credentials(), self.now())

    def _list(self, profile: Profile, grant: MultipartGrant) -> list[StoredPart] | None:
        try:
            return self.bucket.multipart.list_parts(
                profile.place, grant.facts.object_key, grant.multipart_upload_id, seconds=LIST_SECONDS
            )
        except BucketRefused as error:
            raise BucketUnavailable(str(error)) from error

    def _complete(self, profile: Profile, grant: MultipartGrant, parts: list[StoredPart]) -> None:
        try:
            self.bucket.multipart.complete(
                profile.place,
                grant.facts.object_key,
                grant.multipart_upload_id,
                parts,
                build_complete_headers(profile),
                seconds=COMPLETE_SECONDS,
            )
        except BucketRefused as error:
            if error.code not in _REFUSALS:
                raise BucketUnavailable(str(error)) from error
            kind, message, hint = _REFUSALS[error.code]
            raise kind(message, hint=hint) from error

    def _abort_parts(self, profile: Profile, upload: Upload) -> bool:
        if upload.multipart_upload_id is None:
            return False
        try:
            return self.bucket.multipart.abort(
                profile.place, upload.object_key, upload.multipart_upload_id, seconds=ABORT_SECONDS
            )
        except BucketRefused as error:
            raise BucketUnavailable(str(error)) from error
