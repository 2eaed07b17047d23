"""What is done about a suspicion: the bucket is asked for the one object, the row is read again, and only then something changes.

Of the bucket's answers 404 alone means that an object is absent; with every other failure nothing changes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from callback.arrived import Arrivals, ArrivedObject
from callback.deadline import Deadline
from callback.errors import UploadClosed, UploadReplaced
from ossgate.bucket import BucketRefused, BucketUnavailable, ObjectHead
from ossgate.ledger import Arrival, Ledger, LedgerBusy, TransitionForbidden, Upload, UploadUnknown
from ossgate.reconcile.comparison import RULE_LATE, Ages, suspect
from ossgate.reconcile.findings import Kind, Outcome, Verdict
from ossgate.reconcile.proof import Proof, ProofReader
from ossgate.reconcile.throttle import Throttle
from ossgate.reconcile.walk import Pair
from signer.facts import Facts
from signer.places import BucketPlace
from signer.prefix_grants import PrefixKeys
from signer.seal import SealKeys

HEAD_SECONDS = 5.0
LEDGER_SECONDS = 5.0
_CLAIM_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be done, and to whom.

    Attributes:
        dry_run: Nothing is changed, neither in the bucket nor in the ledger.
        changes_bucket: What was asked for by name is done in the bucket, rather than told.
        profile: Only uploads of this profile are looked at; empty for all.
        delete_strangers: Keys of objects that are to be deleted when they prove no upload.
        delete_outlived: Whether objects are to be deleted whose days are over.
        max_gone: How many uploads one run may mark as deleted.
    """

    dry_run: bool
    changes_bucket: bool
    profile: str
    delete_strangers: frozenset[str]
    delete_outlived: bool
    max_gone: int


@dataclass(frozen=True, slots=True)
class _Stored:
    size: int
    etag: str
    last_modified: datetime


class Brake:
    """Lets so many pass, and no more: a bucket that seems empty is more often a mistake than a loss."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one, or tell that none is left."""
        with self._lock:
            self._left -= 1
            return self._left >= 0


class Settler:
    """Settles the suspicions of one bucket; any number of threads may call it."""

    def __init__(
        self,
        place: BucketPlace,
        *,
        ledger: Ledger,
        arrivals: Arrivals,
        seal_keys: SealKeys,
        prefix_keys: PrefixKeys,
        throttle: Throttle,
        limits: Limits,
        brake: Brake,
        ages: Callable[[], Ages],
    ) -> None:
        self._place = place
        self._ledger = ledger
        self._arrivals = arrivals
        self._bucket = arrivals.bucket
        self._proofs = ProofReader(place.bucket, seal_keys, prefix_keys, arrivals.profiles)
        self._throttle = throttle
        self._limits = limits
        self._brake = brake
        self._ages = ages

    def settle(self, pair: Pair, kind: Kind) -> Verdict | None:
        """Look again, and do what is to be done; nothing when there turns out to be no difference.

        Raises:
            LedgerUnavailable: The database failed.
        """
        upload_id = pair.upload.upload_id if pair.upload else None
        try:
            if pair.upload is not None and self._is_noted(pair, kind):
                return None
            if kind is Kind.OUTLIVED and pair.listed is not None and not self._limits.delete_outlived:
                return self._tell_outlived(pair)
            self._throttle.wait()
            found = self._bucket.head_object(self._place, pair.object_key, seconds=HEAD_SECONDS)
            if found is None:
                return self._settle_absent(pair)
            return self._settle_present(pair, found)
        except (BucketUnavailable, BucketRefused) as error:
            return Verdict(Kind.UNKNOWN, Outcome.LEFT, pair.object_key, upload_id, str(error))
        except LedgerBusy as error:
            detail = f"the ledger was busy: {error}"
            return Verdict(Kind.UNKNOWN, Outcome.LEFT, pair.object_key, upload_id, detail)

    def _is_noted(self, pair: Pair, kind: Kind) -> bool:
        if pair.upload is None or pair.listed is None or kind not in (Kind.CHANGED, Kind.NEWER):
            return False
        # Its account counts what stands there now.
        if pair.upload.replaced_size != (pair.listed.size if kind is Kind.CHANGED else None):
            return False
        note = _name_note(kind, pair.listed.etag, pair.listed.last_modified)
        return self._has_note(pair.upload.upload_id, note)

    def _settle_absent(self, pair: Pair) -> Verdict | None:
        upload = self._ledger.fetch_upload(pair.upload.upload_id) if pair.upload else None
        kind = suspect(upload, None, self._ages())
        if upload is None or kind is None:
            return None
        if kind is Kind.OVERDUE:
            return self._enter(upload, kind, "expired", "nothing has arrived: expired, and its quota is free")
        if kind is Kind.GONE and not self._limits.dry_run and not self._brake.take():
            detail = "held back: more uploads are gone than a run may mark as deleted"
            return self._tell(upload, kind, Outcome.LEFT, detail)
        if kind is Kind.OUTLIVED:
            # As many as there may be: nothing is lost that was to stay.
            detail = "its days are over and it is gone: marked as deleted"
            return self._enter(upload, kind, "deleted", detail, reason=kind)
        return self._enter(upload, kind, "deleted", "the bucket answered 404: marked as deleted")

    def _settle_present(self, pair: Pair, found: ObjectHead) -> Verdict | None:
        modified = _read_date(found.last_modified) or (pair.listed.last_modified if pair.listed else None)
        if modified is None:
            raise BucketUnavailable("the bucket's answer has no Last-Modified")
        upload, proof = self._find_upload(pair, found)
        if self._is_foreign(upload, proof):
            return None
        stored = _Stored(found.size, found.etag, modified)
        kind = suspect(upload, stored, self._ages())
        if kind is None:
            return None
        if upload is None:
            return self._settle_unrecorded(pair.object_key, found, proof)
        if kind in (Kind.UNTOLD, Kind.UNCONFIRMED):
            if proof.facts is not None and proof.facts.upload_id == upload.upload_id:
                return self._record(kind, proof.facts, found)
            return self._dispute(upload, proof)
        if kind is Kind.CLOSED:
            return self._tell(
                upload, kind, Outcome.LEFT, f"the upload was {upload.state}, the object is there"
            )
        if kind is Kind.OUTLIVED:
            return self._delete_outlived(upload)
        return self._note(upload, kind, found, modified)

    def _tell_outlived(self, pair: Pair) -> Verdict | None:
        upload = pair.upload
        if upload is None or upload.keep_until is None or self._ages().now < upload.keep_until + RULE_LATE:
            return None
        detail = f"it was to stay until {upload.keep_until:%Y-%m-%d}: no lifecycle rule deletes it, nor --delete-outlived"
        return Verdict(Kind.OUTLIVED, Outcome.LEFT, pair.object_key, upload.upload_id, detail)

    def _delete_outlived(self, upload: Upload) -> Verdict | None:
        if not self._limits.delete_outlived:
            return None
        if self._limits.dry_run or not self._limits.changes_bucket:
            return self._tell(upload, Kind.OUTLIVED, Outcome.DRY_RUN, "would be deleted: its days are over")
        self._delete(upload.object_key)
        # Should this fail, the next run finds the object gone and its days over.
        return self._enter(
            upload, Kind.OUTLIVED, "deleted", "deleted: its days are over", reason=Kind.OUTLIVED
        )

    def _find_upload(self, pair: Pair, found: ObjectHead) -> tuple[Upload | None, Proof]:
        upload = self._ledger.fetch_upload(pair.upload.upload_id) if pair.upload else None
        proof = self._proofs.read(found, pair.object_key, upload)
        if pair.upload is None and proof.facts is not None:
            # It may have been recorded since the page was read.
            upload = self._ledger.fetch_upload(proof.facts.upload_id)
            if upload is not None:
                proof = self._proofs.read(found, pair.object_key, upload)
        return upload, proof

    def _is_foreign(self, upload: Upload | None, proof: Proof) -> bool:
        if not self._limits.profile:
            return False
        if upload is not None:
            return upload.profile != self._limits.profile
        return proof.facts is None or proof.facts.profile != self._limits.profile

    def _settle_unrecorded(self, object_key: str, found: ObjectHead, proof: Proof) -> Verdict:
        if proof.facts is not None:
            return self._record(Kind.UNRECORDED, proof.facts, found)
        if object_key not in self._limits.delete_strangers:
            return Verdict(Kind.STRANGER, Outcome.LEFT, object_key, None, proof.reason)
        if self._limits.dry_run or not self._limits.changes_bucket:
            return Verdict(
                Kind.STRANGER, Outcome.DRY_RUN, object_key, None, "would be deleted, as told by name"
            )
        self._delete(object_key)
        return Verdict(Kind.STRANGER, Outcome.SETTLED, object_key, None, "deleted, as told by name")

    def _delete(self, object_key: str) -> None:
        """Delete what has just been looked at: its turn among the requests is waited for afterwards, else others could write there meanwhile."""
        try:
            self._bucket.delete_object(self._place, object_key, seconds=HEAD_SECONDS)
        finally:
            self._throttle.wait()

    def _record(self, kind: Kind, facts: Facts, found: ObjectHead) -> Verdict:
        receiving = self._arrivals.profiles.get(facts.profile)
        if receiving is None:
            detail = f"the profile {facts.profile} is not in the settings any more"
            return Verdict(kind, Outcome.LEFT, facts.object_key, facts.upload_id, detail)
        if self._limits.dry_run:
            detail = "would be recorded as uploaded"
            return Verdict(kind, Outcome.DRY_RUN, facts.object_key, facts.upload_id, detail)
        arrived = ArrivedObject(found.size, found.etag, found.content_type, found.crc64)
        try:
            self._arrivals.record(
                receiving, facts, arrived, target="uploaded", via="reconcile", deadline=Deadline()
            )
        except UploadReplaced:
            return Verdict(
                Kind.CHANGED, Outcome.SETTLED, facts.object_key, facts.upload_id, "noted as replaced"
            )
        except UploadClosed as error:
            return Verdict(Kind.CLOSED, Outcome.LEFT, facts.object_key, facts.upload_id, error.message)
        return Verdict(kind, Outcome.SETTLED, facts.object_key, facts.upload_id, "recorded as uploaded")

    def _dispute(self, upload: Upload, proof: Proof) -> Verdict | None:
        reason = proof.reason or "the object's seal is that of another upload"
        if upload.state != "issued" or not self._ages().is_over(upload.expires_at):
            return self._tell(upload, Kind.DISPUTED, Outcome.LEFT, reason)
        # What was granted can never arrive under this key any more.
        expired = self._enter(upload, Kind.DISPUTED, "expired", f"{reason}; the upload expired")
        if expired is None or expired.outcome is not Outcome.SETTLED:
            return expired
        return self._tell(upload, Kind.DISPUTED, Outcome.LEFT, expired.detail)

    def _note(self, upload: Upload, kind: Kind, found: ObjectHead, modified: datetime) -> Verdict | None:
        if kind is Kind.CHANGED and found.etag == upload.etag:
            return self._tell(
                upload, Kind.DISPUTED, Outcome.LEFT, "the object has the same ETag and another size"
            )
        note = _name_note(kind, found.etag, modified)
        is_counted = upload.replaced_size == (found.size if kind is Kind.CHANGED else None)
        if is_counted and self._has_note(upload.upload_id, note):
            return None
        if self._limits.dry_run:
            return self._tell(upload, kind, Outcome.DRY_RUN, f"would be noted as {note}")
        now = self._arrivals.now()
        if kind is Kind.NEWER:
            self._ledger.sweeps.record_note(upload.upload_id, note, now=now, timeout=LEDGER_SECONDS)
        if is_counted and kind is Kind.NEWER:
            return self._tell(upload, kind, Outcome.SETTLED, f"noted as {note}")
        arrival = Arrival(
            upload=upload,
            target="uploaded",
            size=found.size,
            etag=found.etag,
            content_type=found.content_type,
            crc64=found.crc64,
            via="reconcile",
            reply=upload.reply or b"",
        )
        try:
            self._ledger.record_arrival(arrival, now=now, timeout=LEDGER_SECONDS)
        except TransitionForbidden:
            return None
        return self._tell(upload, kind, Outcome.SETTLED, f"noted as {note}")

    def _has_note(self, upload_id: str, note: str) -> bool:
        return any(change.claim == note for change in self._ledger.fetch_history(upload_id))

    def _enter(
        self, upload: Upload, kind: Kind, state: str, detail: str, *, reason: str = ""
    ) -> Verdict | None:
        if self._limits.dry_run:
            return self._tell(upload, kind, Outcome.DRY_RUN, f"would be {state}")
        try:
            self._ledger.record_state(
                upload.upload_id, state, now=self._arrivals.now(), timeout=LEDGER_SECONDS, reason=reason
            )
        except (TransitionForbidden, UploadUnknown):
            # It arrived, or was pruned, since the row was read.
            return None
        return self._tell(upload, kind, Outcome.SETTLED, detail)

    def _tell(self, upload: Upload, kind: Kind, outcome: Outcome, detail: str) -> Verdict:
        return Verdict(kind, outcome, upload.object_key, upload.upload_id, detail)


def _name_note(kind: Kind, etag: str, modified: datetime) -> str:
    if kind is Kind.CHANGED:
        return f"replaced:{etag}"[:_CLAIM_LENGTH]
    return f"rewritten:{modified.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _read_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
