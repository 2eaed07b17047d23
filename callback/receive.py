"""The three layers in their order, for a callback and for a `confirm`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from callback.arrived import Arrivals, ArrivedObject, ReceivingProfile, Target, Via
from callback.body import Claims, parse_body
from callback.claims import verify_ticket
from callback.confirmation import check_checksum, check_object, open_object_seal
from callback.deadline import BUCKET_SECONDS, Deadline
from callback.errors import (
    BucketDisagrees,
    CallbackRefused,
    ChecksumMismatch,
    ClaimsContradictTicket,
    ObjectMissing,
)
from callback.inbox import keep_request
from callback.prefix_claims import FoundObject, describe_grant, find_grant, identify_object
from callback.public_keys import PinnedKeys
from callback.request import CallbackRequest
from callback.signature import verify_signature
from ossgate.bucket import BucketUnavailable, ObjectHead
from ossgate.ledger import Judgement, KeptRequest, LedgerBusy, LedgerError, LedgerUnavailable, Upload, Verdict
from signer.facts import Facts
from signer.prefix_grants import PrefixKeys, PrefixProof
from signer.recorded_facts import restore_facts
from signer.seal import SealKeys
from signer.ticket import TicketKeys
from signer.upload_ids import new_upload_id


@dataclass(frozen=True, slots=True)
class Proven:
    """A callback of which layers 1 and 2 hold; the facts are those of its one object."""

    receiving: ReceivingProfile
    claims: Claims
    grant: Facts
    facts: Facts


@dataclass(frozen=True, slots=True)
class Seen:
    """What the bucket says of a callback's object, or the callback's own claims while it cannot be asked."""

    target: Target
    arrived: ArrivedObject


@dataclass(frozen=True, slots=True)
class Receiver:
    """Believes callbacks, or refuses them."""

    public_keys: PinnedKeys
    ticket_keys: TicketKeys
    seal_keys: SealKeys
    prefix_keys: PrefixKeys
    arrivals: Arrivals
    grace: timedelta
    now: Callable[[], datetime]

    def receive(self, request: CallbackRequest, deadline: Deadline) -> bytes:
        """Return the reply to a callback that all three layers believe; every one is kept with what was made of it.

        Raises:
            CallbackRefused: With the layer that refused it.
            LedgerBusy, LedgerUnavailable: Nothing is certain; answered with 503.
        """
        now = self.now()
        kept = keep_request(request, callback_id=new_upload_id(now), at=now)
        proven: Proven | None = None
        try:
            proven = self.prove(request, at=now)
            self.arrivals.log("called_back", upload_id=proven.facts.upload_id, size=proven.claims.size)
            return self._settle(proven, kept, deadline)
        except CallbackRefused as error:
            self.arrivals.log(
                "callback_refused",
                layer=error.layer,
                code=error.code,
                upload_id=error.upload_id,
                reason=error.message,
            )
            self._keep(kept, Verdict.REFUSED, deadline, proven, error, error.layer, error.message)
            raise
        except (LedgerBusy, LedgerUnavailable) as error:
            self._keep(kept, Verdict.UNAVAILABLE, deadline, proven, error, "ledger", str(error))
            raise
        except Exception as error:
            # Not understood here, and all the more worth keeping.
            self._keep(kept, Verdict.CRASHED, deadline, proven, None, "", type(error).__name__)
            raise

    def prove(self, request: CallbackRequest, *, at: datetime) -> Proven:
        """Return what layers 1 and 2 prove of a callback that arrived at a time.

        Raises:
            CallbackRefused: With the layer that refused it.
        """
        request.check_size()
        verify_signature(
            request.raw_target,
            request.body,
            authorization=request.authorization,
            public_key_url=request.public_key_url,
            keys=self.public_keys,
        )
        claims = parse_body(request.body, request.content_type)
        grant = facts = verify_ticket(claims, keys=self.ticket_keys, now=at, grace=self.grace)
        receiving = self.arrivals.find_profile(grant)
        if grant.use == "prefix":
            facts = identify_object(claims, grant, profile=receiving.profile, keys=self.prefix_keys)
        return Proven(receiving, claims, grant, facts)

    def look(self, proven: Proven, deadline: Deadline) -> Seen:
        """Ask the bucket, layer 3, where the profile has it asked.

        Raises:
            ObjectMissing, BucketDisagrees, ChecksumMismatch: Answered with 409.
        """
        claims, facts, profile = proven.claims, proven.facts, proven.receiving.profile
        claimed = ArrivedObject(
            claims.size, claims.etag, claims.content_type, width=claims.width, height=claims.height
        )
        if not profile.verify_bucket:
            check_checksum(facts, etag=claims.etag)
            return Seen("uploaded", claimed)
        try:
            found = self._ask_bucket(proven.receiving, facts, deadline)
            check_object(found, facts, seal_keys=self.seal_keys, claims=claims, grant=proven.grant)
        except BucketUnavailable as error:
            self.arrivals.log("bucket_unavailable", upload_id=facts.upload_id, reason=str(error))
            check_checksum(facts, etag=claims.etag)
            return Seen("unconfirmed", claimed)
        arrived = ArrivedObject(
            found.size, found.etag, found.content_type, found.crc64, claims.width, claims.height
        )
        return Seen("uploaded", arrived)

    def find_reply(self, proven: Proven) -> bytes | None:
        """Return what the first callback of this very object was answered, if there was one.

        The object may have gone since it was believed; a repeat gets what the first got.

        Raises:
            LedgerBusy, LedgerUnavailable: Nothing is certain.
        """
        upload = self.arrivals.ledger.fetch_upload(proven.facts.upload_id)
        if upload is None or upload.uploaded_at is None or upload.etag != proven.claims.etag:
            return None
        return upload.reply

    def _settle(self, proven: Proven, kept: KeptRequest, deadline: Deadline) -> bytes:
        try:
            seen = self.look(proven, deadline)
        except (ObjectMissing, BucketDisagrees, ChecksumMismatch):
            stored = self.find_reply(proven)
            if stored is None:
                raise
            self._keep(kept, Verdict.REPEATED, deadline, proven)
            return stored
        return self.arrivals.record(
            proven.receiving,
            proven.facts,
            seen.arrived,
            target=seen.target,
            via="callback",
            deadline=deadline,
            callback=kept,
        )

    def _keep(
        self,
        kept: KeptRequest,
        verdict: Verdict,
        deadline: Deadline,
        proven: Proven | None,
        error: CallbackRefused | LedgerError | None = None,
        layer: str = "",
        detail: str = "",
    ) -> None:
        upload_id = proven.facts.upload_id if proven else getattr(error, "upload_id", None)
        code = error.code if error else ""
        judgement = Judgement(verdict.value, layer, code, detail, upload_id, deadline.spent_ms())
        self.arrivals.ledger.inbox.keep(kept, judgement)

    def confirm(self, upload: Upload, deadline: Deadline, *, via: Via = "confirm") -> bytes:
        """Return what the callback would have answered, having asked the bucket itself.

        Args:
            via: What is recorded of how the arrival was found.

        Raises:
            ObjectMissing, BucketDisagrees, ChecksumMismatch: Nothing of ours is there; answered with 409.
            BucketUnavailable: It did not answer; answered with 503.
            LedgerBusy, LedgerUnavailable: Answered with 503.
        """
        if upload.state == "uploaded" and upload.reply is not None:
            return upload.reply
        receiving = self.arrivals.profiles.get(upload.profile)
        if receiving is None:
            raise ObjectMissing(
                f"the profile {upload.profile} is not in the settings any more", upload_id=upload.upload_id
            )
        found = self.arrivals.bucket.head_object(
            receiving.profile.place, upload.object_key, seconds=deadline.left(BUCKET_SECONDS)
        )
        if found is None:
            raise ObjectMissing(
                "nothing has arrived under this upload yet",
                hint="upload the file, or ask for a new grant when this one has expired",
                upload_id=upload.upload_id,
            )
        return self._record_found(receiving, self._find_facts(upload, found), found, via, deadline)

    def confirm_below(
        self,
        proof: PrefixProof,
        profile: str,
        object_key: str,
        *,
        owner: tuple[str, str] | None,
        may_see: Callable[[str, str], bool],
        deadline: Deadline,
    ) -> bytes | None:
        """Return what the callback of an object below a prefix would have answered, which nothing has told of yet.

        Args:
            owner: Issuer and subject whom the grant's id proves; nothing when it does not prove the caller.
            may_see: Tells whether the caller may be shown what was issued by one for another; asked of an object's seal.

        Returns:
            Nothing when the object is another's, as far as anything tells.

        Raises:
            ObjectMissing, BucketDisagrees: Nothing of ours is there; answered with 409.
            BucketUnavailable, LedgerBusy, LedgerUnavailable: Answered with 503.
        """
        receiving = self.arrivals.profiles[profile]
        found = self.arrivals.bucket.head_object(
            receiving.profile.place, object_key, seconds=deadline.left(BUCKET_SECONDS)
        )
        grant = None
        if owner is not None:
            grant = describe_grant(receiving.profile, proof, issuer=owner[0], subject=owner[1])
        if found is not None and found.seal:
            try:
                grant = open_object_seal(found, upload_id=proof.grant_id, seal_keys=self.seal_keys)
            except BucketDisagrees:
                if owner is None:
                    return None
                raise
            if owner is None and not may_see(grant.issuer, grant.subject):
                return None
        if grant is None:
            return None
        if found is None:
            raise ObjectMissing("nothing has arrived under this key yet", hint="upload the file first")
        try:
            facts = identify_object(
                FoundObject(object_key, found.content_type),
                grant,
                profile=receiving.profile,
                keys=self.prefix_keys,
            )
        except ClaimsContradictTicket as error:
            raise BucketDisagrees(error.message, upload_id=proof.upload_id) from error
        check_object(found, facts, seal_keys=self.seal_keys, grant=grant)
        return self._record_found(receiving, facts, found, "confirm", deadline)

    def _record_found(
        self, receiving: ReceivingProfile, facts: Facts, found: ObjectHead, via: Via, deadline: Deadline
    ) -> bytes:
        return self.arrivals.record(
            receiving,
            facts,
            ArrivedObject(found.size, found.etag, found.content_type, found.crc64),
            target="uploaded",
            via=via,
            deadline=deadline,
        )

    def _find_facts(self, upload: Upload, found: ObjectHead) -> Facts:
        """Return the facts of an upload's object, once they and the object agree."""
        recorded = restore_facts(upload)
        grant = find_grant(recorded, self.prefix_keys)
        if recorded.via == "sts" or grant.use == "prefix":
            # The seal may be that of a prefix grant, or none at all; the ledger knows what was granted.
            check_object(found, recorded, seal_keys=self.seal_keys, grant=grant)
            return recorded
        facts = open_object_seal(found, upload_id=upload.upload_id, seal_keys=self.seal_keys)
        check_object(found, facts, seal_keys=self.seal_keys)
        if (facts.bucket, facts.object_key) != (upload.bucket, upload.object_key):
            raise BucketDisagrees("the object's seal is for another key", upload_id=upload.upload_id)
        return facts

    def _ask_bucket(self, receiving: ReceivingProfile, facts: Facts, deadline: Deadline) -> ObjectHead:
        found = self.arrivals.bucket.head_object(
            receiving.profile.place, facts.object_key, seconds=deadline.left(BUCKET_SECONDS)
        )
        if found is None:
            raise ObjectMissing("the bucket has no such object", upload_id=facts.upload_id)
        return found
