"""Waiting for a database has an end; what is ready is never too late."""

import time

import pytest
from sqlalchemy import func, literal, select

from ossgate.ledger import LedgerUnavailable
from ossgate.ledger.database import Database
from ossgate.ledger.patience import load_connection_class, wait_until
from ossgate.ledger.reads import fetch_tuples


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


def test_read_that_takes_too_long_is_ended(url):
    """On both databases, in words of ours; the next read is served."""
    database = Database(url, busy_timeout=5.0)
    numbers = select(literal(1).label("number")).cte(recursive=True)
    numbers = numbers.union_all(select(numbers.c.number + 1).where(numbers.c.number < 10**9))
    endless = select(func.count()).select_from(numbers) if database.is_sqlite else select(func.pg_sleep(20))
    with pytest.raises(LedgerUnavailable, match="does not answer"):
        fetch_tuples(database, endless, seconds=0.3)
    # A server that hangs is left alone for a while, a file is not.
    database._silent_until = 0.0

    assert [(1,)] == fetch_tuples(database, select(literal(1)), seconds=5.0)
    database.dispose()


def test_read_waits_neither_for_locks_nor_for_ever(url):
    """The bounds of each connection, so that nobody's thread is kept, and no server goes on for somebody who has gone."""
    database = Database(url, busy_timeout=5.0)
    asked = ["PRAGMA busy_timeout"] if database.is_sqlite else ["SHOW lock_timeout", "SHOW statement_timeout"]
    with database.connect_reader(1.0) as connection:
        told = [connection.exec_driver_sql(query).scalar() for query in asked]
    database.dispose()

    assert ([900] if database.is_sqlite else ["900ms", "54s"]) == told
