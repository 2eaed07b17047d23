"""What is handed to the writer: each job knows which rows it needs and what becomes of them."""

import threading
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import ClassVar

from ossgate.ledger.batch import Batch
from ossgate.ledger.errors import LedgerBusy, LedgerError, TransitionForbidden, UploadUnknown
from ossgate.ledger.models import Arrival, ArrivalOutcome, Judgement
from ossgate.ledger.quotas import AccountKey, account_period, count_stored, frees_deleted
from ossgate.ledger.rows import Row, encode_callback, encode_facts, encode_time, encode_upload, parse_upload
from ossgate.ledger.states import ARRIVED, Meeting, State, Verdict, is_allowed, judge_arrival

_CLAIM_LENGTH = 80
_DAY = 24 * 3600 * 1000


class Job:
    """Carry one request to the writer and its outcome back.

    Two bare locks, since an event or a future costs more than the row itself: ``_claim`` goes to whoever takes
    it first, the writer that begins or the waiter that gives up; ``_done`` is opened by the writer.
    """

    # Issues come after everything else of a batch, because arrivals make room in accounts.
    is_issue: ClassVar[bool] = False
    # Nobody waits for it.
    is_aside: ClassVar[bool] = False
    # The waiter is told of it once it is on the disk. What is found again by itself after a power cut need not be.
    must_last: bool = True

    def __init__(self) -> None:
        self._claim = threading.Lock()
        self._done = threading.Lock()
        self._done.acquire()
        self.abandoned = False
        self.error: LedgerError | None = None

    def upload_ids(self) -> Sequence[str]:
        """Name the uploads to be loaded."""
        return ()

    def account_keys(self) -> Sequence[AccountKey]:
        """Name the accounts to be loaded beside those that are charged."""
        return ()

    def rebuild(self) -> Row | None:
        """Give the row to start from when the ledger has none."""
        return None

    def apply(self, batch: Batch) -> None:
        """Decide; what is to be written goes into the batch, a refusal into ``error``."""
        raise NotImplementedError

    def lighten(self) -> bool:
        """Leave out what may fail without harm, and tell whether there was any."""
        return False

    def begin(self) -> bool:
        """Take the job for the writer; false when its waiter has given up."""
        return self._claim.acquire(blocking=False)

    def release(self, error: LedgerError | None = None) -> None:
        """Let the waiter go on, with an error when the job came to nothing."""
        if error is not None:
            self.error = error
        self._done.release()

    def wait(self, timeout: float) -> None:
        """Wait until the job is done.

        Raises:
            LedgerBusy: The time was up.
            LedgerError: Whatever the job came to.
        """
        if not self._done.acquire(timeout=max(0.0, timeout)):
            if self._claim.acquire(blocking=False):
                raise LedgerBusy("the ledger did not get to it in time")
            self.abandoned = True
            raise LedgerBusy("the ledger did not finish in time; it may yet be recorded", begun=True)
        if self.error is not None:
            raise self.error


class ArrivalJob(Job):
    """Record that an object has arrived, once."""

    def __init__(self, arrival: Arrival, now: datetime) -> None:
        super().__init__()
        self._arrival = arrival
        self._at = encode_time(now)
        self._facts = encode_facts({"size": arrival.size, "etag": arrival.etag, **arrival.facts})
        self._kept = _encode_kept(arrival)
        self._first = False
        self._conflict = False
        self._row: Row = {}

    def upload_ids(self) -> Sequence[str]:
        """Name the upload that has arrived."""
        return (self._arrival.upload.upload_id,)

    def rebuild(self) -> Row | None:
        """Make the row anew from the ticket's facts."""
        new = self._arrival.upload
        period = account_period(self._arrival.quota_period, new.created_at) if new.quota_key else ""
        return encode_upload(new, quota_period=period)

    def apply(self, batch: Batch) -> None:
        """Settle the first, repeat for the same again, keep a note of another object under the key."""
        arrival = self._arrival
        row = batch.rows[arrival.upload.upload_id]
        state = row["state"]
        meeting = judge_arrival(state, row["etag"], target=arrival.target, arrived_etag=arrival.etag)
        self._first = meeting == Meeting.FIRST
        self._conflict = meeting == Meeting.CONFLICT
        if self._first:
            self._settle(batch, row)
        elif self._conflict:
            # What no bucket has confirmed is no news: when it is true, reconciliation finds it.
            if arrival.target == State.UPLOADED.value:
                self._replace(batch, row)
        elif meeting == Meeting.REPEAT:
            if state == State.UPLOADED and arrival.target == State.UPLOADED.value:
                self._recount(batch, row, None)
        else:
            self.error = TransitionForbidden(state, arrival.target)
        if self._kept is not None and meeting in (Meeting.FIRST, Meeting.REPEAT):
            # What comes to nothing is kept by whoever refuses it, with the reason.
            batch.keep(self._kept if self._first else {**self._kept, "verdict": Verdict.REPEATED.value})
        self._row = dict(row)

    def lighten(self) -> bool:
        """Leave the callback out: the arrival counts."""
        had, self._kept = self._kept is not None, None
        return had

    def outcome(self) -> ArrivalOutcome:
        """Give what the waiter is told; built in its thread, to keep the writer free."""
        upload = parse_upload(self._row)
        return ArrivalOutcome(self._first, upload, upload.reply or b"", self._conflict)

    def _replace(self, batch: Batch, row: Row) -> None:
        arrival = self._arrival
        self._recount(batch, row, arrival.size)
        claim = f"replaced:{arrival.etag}"[:_CLAIM_LENGTH]
        if batch.note_once(row["upload_id"], claim, self._at, arrival.via, self._facts):
            replacement = {"etag": arrival.etag, "size": arrival.size}
            batch.announce(row, "upload.replaced", self._at, replacement=replacement)

    @staticmethod
    def _recount(batch: Batch, row: Row, replaced_size: int | None) -> None:
        """Put what stands under the key now on the account, in the place of what stood there."""
        if row["replaced_size"] != replaced_size:
            before = count_stored(row)
            row["replaced_size"] = replaced_size
            batch.charge(row, pending_uploads=0, size=count_stored(row) - before)
            batch.change(row)

    def _settle(self, batch: Batch, row: Row) -> None:
        arrival, state = self._arrival, row["state"]
        if state == State.ISSUED:
            batch.charge(row, pending_uploads=-1, size=arrival.size - row["size_max"])
        elif state == State.EXPIRED:
            batch.charge(row, pending_uploads=0, size=arrival.size)
        else:
            batch.charge(row, pending_uploads=0, size=arrival.size - row["size"])
        row["state"] = arrival.target
        row["size"] = arrival.size
        row["etag"] = arrival.etag
        row["crc64"] = arrival.crc64
        row["content_type"] = arrival.content_type or row["content_type"]
        # An unconfirmed upload was there when it was first told of.
        row["uploaded_at"] = row["uploaded_at"] if state == State.UNCONFIRMED else self._at
        row["keep_until"] = row["uploaded_at"] + row["keep_days"] * _DAY if row["keep_days"] else None
        row["arrived_via"] = arrival.via
        row["reply"] = arrival.reply
        row["changed_at"] = self._at
        batch.change(row)
        batch.claim(row["upload_id"], arrival.target, self._at, arrival.via, self._facts)
        # Of an unconfirmed one nothing is told: its facts are provisional.
        if arrival.target == State.UPLOADED.value:
            batch.announce(row, "upload.uploaded", self._at, **arrival.facts)


def _encode_kept(arrival: Arrival) -> Row | None:
    if arrival.callback is None:
        return None
    verdict = Verdict.BELIEVED if arrival.target == State.UPLOADED.value else Verdict.UNCONFIRMED
    judgement = Judgement(verdict.value, upload_id=arrival.upload.upload_id, took_ms=arrival.took_ms)
    return encode_callback(arrival.callback, judgement)


class _ChangeJob(Job):
    """Change an upload that must be there."""

    def __init__(self, upload_id: str) -> None:
        super().__init__()
        self._upload_id = upload_id

    def upload_ids(self) -> Sequence[str]:
        """Name the upload."""
        return (self._upload_id,)

    def apply(self, batch: Batch) -> None:
        """Change the row when it is there."""
        row = batch.rows.get(self._upload_id)
        if row is None:
            self.error = UploadUnknown(self._upload_id)
        else:
            self.apply_to(batch, row)

    def apply_to(self, batch: Batch, row: Row) -> None:
        """Change the row."""
        raise NotImplementedError


class ReplyJob(_ChangeJob):
    """Replace the stored reply."""

    def __init__(self, upload_id: str, reply: bytes) -> None:
        super().__init__(upload_id)
        self._reply = reply

    def apply_to(self, batch: Batch, row: Row) -> None:
        """Set the reply."""
        row["reply"] = self._reply
        batch.change(row)


class StateJob(_ChangeJob):
    """Take an upload to a state that is no arrival."""

    def __init__(self, upload_id: str, target: str, now: datetime, reason: str = "") -> None:
        super().__init__(upload_id)
        self._target = target
        self._facts = {"reason": reason} if reason else {}
        self._at = encode_time(now)

    def apply_to(self, batch: Batch, row: Row) -> None:
        """Take the step and release what it frees; to be there already is no error."""
        if row["state"] == self._target:
            return
        if self._target in ARRIVED or not is_allowed(row["state"], self._target):
            self.error = TransitionForbidden(row["state"], self._target)
            return
        if row["state"] == State.ISSUED:
            batch.charge(row, pending_uploads=-1, size=-row["size_max"])
        elif frees_deleted(row):
            batch.charge(row, pending_uploads=0, size=-count_stored(row))
        # Of an unconfirmed one nobody has been told, so its end is no news either.
        is_known = row["state"] != State.UNCONFIRMED
        row["state"] = self._target
        row["changed_at"] = self._at
        batch.change(row)
        batch.claim(row["upload_id"], self._target, self._at, None, encode_facts(self._facts))
        if is_known:
            batch.announce(row, f"upload.{self._target}", self._at, **self._facts)


class NoteJob(_ChangeJob):
    """Keep a note in an upload's history; nobody waits for it."""

    is_aside = True

    def __init__(self, upload_id: str, claim: str, now: datetime) -> None:
        super().__init__(upload_id)
        self._note = claim[:_CLAIM_LENGTH]
        self._at = encode_time(now)

    def apply_to(self, batch: Batch, row: Row) -> None:
        """Add the note."""
        batch.note(row["upload_id"], self._note, self._at, None, "{}")


class PingJob(Job):
    """Prove that a write transaction can be had on tables that are up to date."""

    def apply(self, batch: Batch) -> None:
        """Ask the database."""
        try:
            batch.session.verify_writable()
            batch.session.verify_schema()
        except LedgerError as exc:
            self.error = exc.with_traceback(None)


def run_jobs(batch: Batch, jobs: Sequence[Job]) -> None:
    """Apply jobs in their order, issues last; the caller writes the batch and commits."""
    batch.load_uploads([upload_id for job in jobs for upload_id in job.upload_ids()])
    missing: dict[str, Row] = {}
    for job in jobs:
        job.error = None
        for upload_id in job.upload_ids():
            if (
                upload_id not in batch.rows
                and upload_id not in missing
                and (row := job.rebuild()) is not None
            ):
                missing[upload_id] = row
    for _, row in sorted(missing.items(), key=itemgetter(0)):
        batch.rebuild_upload(row)
    for job in jobs:
        if not job.is_issue:
            job.apply(batch)
    batch.load_accounts([key for job in jobs for key in job.account_keys()])
    for job in jobs:
        if job.is_issue:
            job.apply(batch)
