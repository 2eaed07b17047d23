"""The state machine: every pair of states, allowed or forbidden."""

import itertools

import pytest

from ossgate.ledger import State
from ossgate.ledger.states import ARRIVED, is_allowed

ALLOWED = {
    ("issued", "unconfirmed"),
    ("issued", "uploaded"),
    ("issued", "expired"),
    ("issued", "aborted"),
    ("expired", "unconfirmed"),
    ("expired", "uploaded"),
    ("unconfirmed", "uploaded"),
    ("unconfirmed", "deleted"),
    ("uploaded", "deleted"),
}
PAIRS = list(itertools.product([state.value for state in State], repeat=2))


@pytest.mark.parametrize(("state", "target"), sorted(ALLOWED))
def test_step_when_allowed(state: str, target: str) -> None:
    """A step of the design's drawing is allowed."""
    assert is_allowed(state, target)


@pytest.mark.parametrize(("state", "target"), sorted(set(PAIRS) - ALLOWED))
def test_step_when_forbidden(state: str, target: str) -> None:
    """Any other step is not."""
    assert not is_allowed(state, target)


def test_step_when_a_state_is_unknown() -> None:
    """A state that does not exist leads nowhere, and nothing leads to it."""
    assert not is_allowed("lost", "uploaded")
    assert not is_allowed("issued", "lost")


def test_arrived_states() -> None:
    """Every state that only an arrival may lead to can be reached from issued."""
    assert all(is_allowed("issued", state) for state in ARRIVED)
