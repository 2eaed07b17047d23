"""When to try again: the schedule's own rules, and any failure at any attempt."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.delivery.errors import DeliveryFailed
from ossgate.delivery.schedule import (
    DELAYS,
    JITTER,
    LONGEST_ASKED_PAUSE,
    LONGEST_PAUSE,
    LONGEST_RETRY_AFTER,
    MAX_ATTEMPTS,
    NextStep,
    plan_next,
)


def plan(failure, attempts=1, slow_answers=0, random=0.0):
    return plan_next(failure, attempts=attempts, slow_answers=slow_answers, random=lambda: random)


def test_schedule_is_the_suggested_one():
    """The delays are those of the specification's example, and the tenth failure is the last."""
    failure = DeliveryFailed("no")

    delays = [plan(failure, attempts).delay for attempts in range(1, 11)]

    seconds = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert delays == [*(timedelta(seconds=each) for each in seconds), None]
    assert sum(delays[:-1], timedelta()) > timedelta(days=3)


def test_schedule_spreads_what_failed_together():
    """Jitter adds up to a fifth."""
    assert plan(DeliveryFailed("no"), 2, random=1.0).delay == timedelta(minutes=6)


def test_retry_after_is_honoured_and_bounded():
    """A receiver may ask for a later time than ours, never for an earlier one, and for a day at most."""
    assert plan(DeliveryFailed("503", retry_after=timedelta(minutes=20))).delay == timedelta(minutes=20)
    assert plan(DeliveryFailed("503", retry_after=timedelta(seconds=1)), 3).delay == timedelta(minutes=30)
    assert plan(DeliveryFailed("503", retry_after=timedelta(days=400))).delay == LONGEST_RETRY_AFTER
    assert plan(DeliveryFailed("503", retry_after=timedelta(days=400))).pause == LONGEST_ASKED_PAUSE


def test_slow_answers_pause_the_sink_longer_each_time():
    """A sink that has too much to do is left alone for 5, 10, 20 … seconds, at most five minutes."""
    failure = DeliveryFailed("429", is_slow=True)

    pauses = [plan(failure, slow_answers=count).pause for count in range(8)]

    assert [pause.total_seconds() for pause in pauses] == [5, 10, 20, 40, 80, 160, 300, 300]


def test_gone_disables():
    """A receiver that wants no more disables its sink, and its delivery waits uncounted."""
    assert plan(DeliveryFailed("410", is_gone=True), 10) == NextStep(timedelta(0), is_disabled=True)


@given(
    attempts=st.integers(1, 30),
    slow_answers=st.integers(0, 10_000),
    random=st.floats(0, 1),
    seconds=st.none() | st.integers(-(10**6), 10**9),
    is_slow=st.booleans(),
)
def test_every_plan_is_within_bounds(attempts, slow_answers, random, seconds, is_slow):
    """Whatever is answered, the next time is never before the schedule's, at most a day and its jitter away, and it ends."""
    retry_after = None if seconds is None else timedelta(seconds=seconds)
    step = plan(
        DeliveryFailed("no", retry_after=retry_after, is_slow=is_slow), attempts, slow_answers, random
    )

    if attempts >= MAX_ATTEMPTS:
        assert step.delay is None
    else:
        least = DELAYS[attempts - 1]
        assert least <= step.delay <= max(least * (1 + JITTER), LONGEST_RETRY_AFTER)
    assert step.pause is None or timedelta(0) < step.pause <= max(LONGEST_PAUSE, LONGEST_ASKED_PAUSE)
    assert (step.pause is not None) or not is_slow
    assert not step.is_disabled


@pytest.mark.parametrize("random", [0.0, 0.5, 1.0])
def test_delays_grow(random):
    """Each further failure waits longer than the one before."""
    delays = [
        plan(DeliveryFailed("no"), attempts, random=random).delay for attempts in range(1, MAX_ATTEMPTS)
    ]

    assert delays == sorted(delays)
