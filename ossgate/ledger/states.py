"""The states of an upload and the steps between them; pure, and the only place that knows them."""

from enum import StrEnum


class State(StrEnum):
    """Name where an upload stands."""

    ISSUED = "issued"
    EXPIRED = "expired"
    UNCONFIRMED = "unconfirmed"
    UPLOADED = "uploaded"
    ABORTED = "aborted"
    DELETED = "deleted"


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
