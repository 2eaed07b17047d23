"""Waiting for PostgreSQL has an end; what is ready is never too late."""

import time

import pytest

from ossgate.ledger.patience import load_connection_class, wait_until


def drive(steps, *readiness):
    """Drive steps as the driver does, with what is ready each time."""
    waited_for = [next(steps)]
    try:
        for ready in readiness:
            waited_for.append(steps.send(ready))
    except StopIteration as stop:
        return waited_for, stop.value
    return waited_for, None


def read_twice():
    first = yield "read"
    second = yield "read again"
    return first, second


def test_steps_are_passed_on():
    """What is waited for, what is ready and what comes of it go through unchanged."""
    assert (["read", "read again"], (1, 2)) == drive(wait_until(read_twice(), time.monotonic() + 60), 1, 2)


def test_ready_is_never_too_late():
    """The time is up, and the answer is here: it counts."""
    assert (["read", "read again"], (1, 2)) == drive(wait_until(read_twice(), time.monotonic() - 1), 1, 2)


def test_nothing_ready_when_the_time_is_up():
    """Nothing is ready and the time is up."""
    with pytest.raises(TimeoutError, match="does not answer"):
        drive(wait_until(read_twice(), time.monotonic() - 1), 0)


def test_impatient_connection_is_closed(postgresql_server):
    """An answer that takes too long costs the connection, since it may come at any time; what is in time costs nothing."""
    plain = postgresql_server.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = load_connection_class().connect(plain, autocommit=True)
    connection.patience = 0.3
    assert (1,) == connection.execute("SELECT 1").fetchone()
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        connection.execute("SELECT pg_sleep(5)")

    assert time.monotonic() - begun < 2
    assert connection.closed
