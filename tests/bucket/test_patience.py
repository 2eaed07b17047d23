"""A bucket that does not answer is waited for by a few, and asked by one at a time until it answers again."""

import socket
import threading
from dataclasses import replace

import pytest

from ossgate.bucket import BucketUnavailable
from ossgate.bucket.patience import SILENT_AFTER, Patience


@pytest.fixture
def clock():
    """Seconds, as a test sets them."""
    return [0.0]


@pytest.fixture
def patience(clock):
    return Patience(clock=lambda: clock[0])


def be_silent(patience, times=SILENT_AFTER):
    for _ in range(times):
        patience.require("one", seconds=1.0)
        patience.note_silence("one")


def test_few_silences_are_nothing(patience):
    """Until so many have waited in vain everybody asks."""
    be_silent(patience, SILENT_AFTER - 1)

    patience.require("one", seconds=1.0)
    patience.require("one", seconds=1.0)


def test_one_at_a_time_asks_a_silent_bucket(patience, clock):
    """The first asks, the others are refused until his time is up, and then the next one asks."""
    be_silent(patience)
    patience.require("one", seconds=1.0)
    for clock[0] in (0.0, 0.99):
        with pytest.raises(BucketUnavailable, match="not been answering"):
            patience.require("one", seconds=1.0)
    clock[0] = 1.0
    patience.require("one", seconds=0.5)
    with pytest.raises(BucketUnavailable):
        patience.require("one", seconds=1.0)


def test_patient_ones_ask_always(patience):
    """A reconciler has time."""
    be_silent(patience)
    patience.require("one", seconds=1.0)

    patience.require("one", seconds=5.0)


def test_other_buckets_are_asked(patience):
    """Silence is a bucket's own."""
    be_silent(patience)
    patience.require("one", seconds=1.0)

    patience.require("other", seconds=1.0)


def test_answer_ends_the_silence(patience):
    """One answer, and everybody asks again; the count begins anew."""
    be_silent(patience)
    patience.require("one", seconds=1.0)
    patience.note_answer("one")

    be_silent(patience, SILENT_AFTER - 1)
    patience.require("one", seconds=1.0)
    patience.require("one", seconds=1.0)


def test_client_is_refused_without_being_kept_waiting(client, place):
    """So many have waited, one is waiting, and the next is not even connected; whom connections are refused has been answered."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        there = replace(place, internal=f"http://127.0.0.1:{port}")
        for _ in range(SILENT_AFTER):
            with pytest.raises(BucketUnavailable, match="TimeoutError"):
                client.head_object(there, "a", seconds=0.05)
        waiting = threading.Thread(target=ask_in_vain, args=(client, there))
        asked = [silent.accept() for _ in range(SILENT_AFTER)]
        waiting.start()
        asked.append(silent.accept())
        with pytest.raises(BucketUnavailable, match="not been answering"):
            ask(client, there, 1.0)
        for connection, _ in asked:
            connection.close()
        waiting.join()
    for _ in range(2):
        with pytest.raises(BucketUnavailable, match="Refused"):
            ask(client, there, 1.0)


def ask_in_vain(client, place):
    with pytest.raises(BucketUnavailable):
        ask(client, place, 1.0)


def ask(client, place, seconds):
    client.head_object(place, "a", seconds=seconds)
