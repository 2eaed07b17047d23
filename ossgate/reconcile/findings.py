"""In what bucket and ledger can differ, and what may become of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Name a difference; the names stand in reports and stay."""

    OVERDUE = "overdue"
    UNTOLD = "untold"
    UNCONFIRMED = "unconfirmed"
    UNRECORDED = "unrecorded"
    STRANGER = "stranger"
    DISPUTED = "disputed"
    CHANGED = "changed"
    NEWER = "newer"
    GONE = "gone"
    OUTLIVED = "outlived"
    CLOSED = "closed"
    UNFINISHED = "unfinished"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


MEANINGS: dict[Kind, str] = {
    Kind.OVERDUE: "a grant ended long ago and nothing arrived under it",
    Kind.UNTOLD: "an object arrived and no callback told of it",
    Kind.UNCONFIRMED: "a callback was believed while the bucket could not be asked",
    Kind.UNRECORDED: "an object proves an upload that the ledger does not have",
    Kind.STRANGER: "an object proves no upload of ours",
    Kind.DISPUTED: "an object under an upload's key is not what was granted",
    Kind.CHANGED: "an object has other bytes than were recorded",
    Kind.NEWER: "an object was written again after it was recorded, with the same bytes",
    Kind.GONE: "an uploaded object is not in the bucket any more",
    Kind.OUTLIVED: "the days that an uploaded object was to stay are over",
    Kind.CLOSED: "there is an object under an upload that was aborted or deleted",
    Kind.UNFINISHED: "an upload in parts was begun long ago and never ended",
    Kind.UNREACHABLE: "no profile names this bucket any more, so it was not asked",
    Kind.UNKNOWN: "the bucket did not tell, and nothing was changed",
}


class Outcome(StrEnum):
    """Name what became of a difference."""

    SETTLED = "settled"
    LEFT = "left"
    DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one key, and what became of it."""

    kind: Kind
    outcome: Outcome
    object_key: str
    upload_id: str | None
    detail: str
