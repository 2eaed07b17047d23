"""The throttle: evenly spaced, and none where no rate is given."""

from ossgate.reconcile.throttle import Throttle


def test_requests_are_spaced_evenly():
    """Four a second: each waits for its turn, and time that passed by itself counts."""
    moments = iter([0.0, 0.0, 0.1, 5.0])
    slept = []
    throttle = Throttle(4, clock=lambda: next(moments), sleep=slept.append)
    for _ in range(4):
        throttle.wait()

    assert [0.25, 0.4] == slept


def test_rate_of_zero_waits_for_nothing():
    """Then neither clock nor sleep is asked."""
    throttle = Throttle(0, clock=None, sleep=None)
    for _ in range(3):
        throttle.wait()
