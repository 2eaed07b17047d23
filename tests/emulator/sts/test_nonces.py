"""Nonces: once within the window, and never too many in memory."""

from datetime import UTC, datetime, timedelta

import pytest

from ossgate.emulator.sts import nonces
from ossgate.emulator.sts.nonces import NonceMemory

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_nonces_belong_to_a_key() -> None:
    """Two keys may use the same nonce."""
    memory = NonceMemory()

    assert memory.use("one", "n", timestamp=NOON, now=NOON)
    assert memory.use("two", "n", timestamp=NOON, now=NOON)
    assert not memory.use("one", "n", timestamp=NOON, now=NOON)


def test_call_of_the_future_is_remembered_longer() -> None:
    """A call dated ahead could be replayed later than others, and is remembered until then."""
    memory = NonceMemory()
    ahead = NOON + 15 * MINUTE
    memory.use("one", "n", timestamp=ahead, now=NOON)

    assert not memory.use("one", "n", timestamp=ahead, now=NOON + 29 * MINUTE)
    assert memory.use("one", "n", timestamp=ahead, now=NOON + 30 * MINUTE)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are too many, the oldest go first."""
    monkeypatch.setattr(nonces, "_MAX_NONCES", 100)
    memory = NonceMemory()
    for number in range(250):
        assert memory.use("one", str(number), timestamp=NOON, now=NOON)

    assert 100 == len(memory._until)
    assert not memory.use("one", "249", timestamp=NOON, now=NOON)


def test_old_nonces_are_dropped() -> None:
    """What can no longer be replayed is forgotten."""
    memory = NonceMemory()
    for number in range(50):
        memory.use("one", str(number), timestamp=NOON, now=NOON)
    memory.use("one", "later", timestamp=NOON + 16 * MINUTE, now=NOON + 16 * MINUTE)

    assert 1 == len(memory._until)
