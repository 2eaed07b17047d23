"""A kept callback goes through today's code again: keys, tickets, bucket and ledger as they are now, the clock as it was then.

Whether a ticket had expired is judged by when its callback came: the question is what should have been made of it then. A dry run ends where
something would be written.
"""

from __future__ import annotations

from dataclasses import dataclass

from callback.deadline import Deadline
from callback.errors import (
    BucketDisagrees,
    CallbackRefused,
    ChecksumMismatch,
    ObjectMissing,
    UploadClosed,
    UploadReplaced,
)
from callback.inbox import restore_request
from callback.receive import Proven, Receiver
from ossgate.ledger import Judgement, KeptCallback, Verdict

NOT_WHOLE = "not_whole"
"""Said in place of a verdict where the request was not kept whole."""
BELIEVED = frozenset({Verdict.BELIEVED.value, Verdict.REPEATED.value})
"""The verdicts after which nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was made of a callback when it came, and what is made of it now."""

    kept: KeptCallback
    now: Judgement


@dataclass(frozen=True, slots=True)
class Replayer:
    """Judges kept callbacks anew, and records what they tell when it may."""

    receiver: Receiver
    apply: bool = False

    def replay(self, kept: KeptCallback) -> Replayed:
        """Return both verdicts.

        Raises:
            LedgerBusy, LedgerUnavailable: Nothing is certain; to replay it again is safe.
        """
        request = kept.request
        if request.cut:
            reason = f"not kept whole: its {request.cut}"
            return Replayed(kept, Judgement(NOT_WHOLE, detail=reason, upload_id=kept.judgement.upload_id))
        deadline = Deadline()
        proven: Proven | None = None
        try:
            proven = self.receiver.prove(restore_request(request), at=request.at)
            verdict = self._settle(proven, deadline)
        except CallbackRefused as error:
            upload_id = proven.facts.upload_id if proven else error.upload_id
            return Replayed(
                kept,
                Judgement(
                    Verdict.REFUSED.value,
                    error.layer,
                    error.code,
                    error.message,
                    upload_id,
                    deadline.spent_ms(),
                ),
            )
        return Replayed(
            kept, Judgement(verdict, upload_id=proven.facts.upload_id, took_ms=deadline.spent_ms())
        )

    def _settle(self, proven: Proven, deadline: Deadline) -> str:
        try:
            seen = self.receiver.look(proven, deadline)
        except (ObjectMissing, BucketDisagrees, ChecksumMismatch):
            if self.receiver.find_reply(proven) is None:
                raise
            return Verdict.REPEATED.value
        is_first = True
        try:
            is_first = self.receiver.arrivals.foresee(proven.facts, seen.arrived, target=seen.target)
        except (UploadReplaced, UploadClosed):
            # Recording says the same, and notes what it found.
            if not self.apply:
                raise
        if self.apply:
            self.receiver.arrivals.record(
                proven.receiving,
                proven.facts,
                seen.arrived,
                target=seen.target,
                via="replay",
                deadline=deadline,
            )
        if not is_first:
            return Verdict.REPEATED.value
        return Verdict.BELIEVED.value if seen.target == "uploaded" else Verdict.UNCONFIRMED.value
