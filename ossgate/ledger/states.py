"""The states of an upload and the steps between them, and the verdicts on callbacks; pure, and the only place that knows them."""

from enum import StrEnum


class State(StrEnum):
    """Name where an upload stands."""

    ISSUED = "issued"
    EXPIRED = "expired"
    UNCONFIRMED = "unconfirmed"
    UPLOADED = "uploaded"
    ABORTED = "aborted"
    DELETED = "deleted"


class Verdict(StrEnum):
    """Name what was made of a callback."""

    BELIEVED = "believed"
    # Layers 1 and 2 held, the bucket could not be asked.
    UNCONFIRMED = "unconfirmed"
    REPEATED = "repeated"
    REFUSED = "refused"
    # Answered with 503: the ledger could not record it.
    UNAVAILABLE = "unavailable"
    CRASHED = "crashed"


STEPS: dict[str, frozenset[str]] = {
    State.ISSUED: frozenset({State.UNCONFIRMED, State.UPLOADED, State.EXPIRED, State.ABORTED}),
    # A late callback, or an object that turns up in the bucket, outweighs our clock.
    State.EXPIRED: frozenset({State.UNCONFIRMED, State.UPLOADED}),
    # The bucket, asked at last, may know nothing of it.
    State.UNCONFIRMED: frozenset({State.UPLOADED, State.DELETED}),
    State.UPLOADED: frozenset({State.DELETED}),
    State.ABORTED: frozenset(),
    State.DELETED: frozenset(),
}

# Where only an arrival leads, which says what has arrived.
ARRIVED = frozenset({State.UNCONFIRMED, State.UPLOADED})


def is_allowed(state: str, target: str) -> bool:
    """Tell whether an upload may go from one state to another; staying is no step."""
    return target in STEPS.get(state, ())


class Meeting(StrEnum):
    """Name what an arrival is to an upload that the ledger has."""

    FIRST = "first"
    REPEAT = "repeat"
    # Other bytes than those that arrived before.
    CONFLICT = "conflict"
    # The upload was aborted, or deleted and this is another object.
    CLOSED = "closed"


def judge_arrival(state: str, etag: str | None, *, target: str, arrived_etag: str) -> Meeting:
    """Tell what an arrival comes to, by the upload's state and ETag."""
    if is_allowed(state, target):
        return Meeting.FIRST
    if state == State.UPLOADED and etag != arrived_etag:
        return Meeting.CONFLICT
    if state != State.UNCONFIRMED and etag != arrived_etag:
        return Meeting.CLOSED
    return Meeting.REPEAT
