"""The state machine: every pair of states, allowed or forbidden."""

import itertools

import pytest

from ossgate.ledger import State, TransitionForbidden
from ossgate.ledger.states import is_allowed, verify_step

ALLOWED = {
    ("issued", "unconfirmed"),
    ("issued", "uploaded"),
    ("issued", "expired"),
    ("issued", "aborted"),
    ("expired", "unconfirmed"),
    ("expired", "uploaded"),
    ("unconfirmed", "uploaded"),
    ("uploaded", "deleted"),
}
PAIRS = list(itertools.product([state.value for state in State], repeat=2))


@pytest.mark.parametrize(("state", "target"), sorted(ALLOWED))
def test_step_when_allowed(state: str, target: str) -> None:
    """A step of the design's drawing passes."""
    verify_step(state, target)

    assert is_allowed(state, target)


@pytest.mark.parametrize(("state", "target"), sorted(set(PAIRS) - ALLOWED))
def test_step_when_forbidden(state: str, target: str) -> None:
    """Any other step raises, and the error names both ends."""
    with pytest.raises(TransitionForbidden, match=f"from '{state}' to '{target}'") as caught:
        verify_step(state, target)

    assert (caught.value.state, caught.value.target) == (state, target)
    assert caught.value.code == "transition_forbidden"


def test_step_when_the_state_is_unknown() -> None:
    """A state that does not exist leads nowhere, and is quoted shortened."""
    with pytest.raises(TransitionForbidden) as caught:
        verify_step("x" * 1000, "uploaded")

    assert len(str(caught.value)) < 120
