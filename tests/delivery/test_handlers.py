"""Python functions as sinks."""

import threading

import pytest

from ossgate.delivery.envelopes import Envelope
from ossgate.delivery.errors import DeliveryFailed
from ossgate.delivery.handlers import HandlerSink


def test_function_gets_the_event(make_delivery, now):
    """The function is called with the event and its id."""
    told = []
    delivery = make_delivery()

    HandlerSink("mine", told.append).send(delivery, now=now)

    (event,) = told
    assert (event["id"], event["type"], event["data"]["size"]) == (
        delivery.delivery_id,
        "upload.uploaded",
        400,
    )


def test_function_gets_a_cloudevent(make_delivery, now):
    """The other envelope is handed over as it is."""
    told = []

    HandlerSink("mine", told.append, envelope=Envelope("cloudevents")).send(make_delivery(), now=now)

    assert (told[0]["specversion"], told[0]["id"]) == ("1.0", make_delivery().delivery_id)


@pytest.mark.parametrize("error", [ValueError("no room"), SystemExit(3), KeyboardInterrupt()])
def test_function_that_raises(make_delivery, now, error):
    """Whatever it raises is a failed attempt and ends nothing else."""

    def raise_it(event):
        raise error

    with pytest.raises(DeliveryFailed, match=f"the function raised {type(error).__name__}"):
        HandlerSink("mine", raise_it).send(make_delivery(), now=now)


def test_function_that_overruns(make_delivery, now):
    """A function that takes too long is left alone; when too many do, the sink is slow."""
    go_on = threading.Event()
    sink = HandlerSink("mine", lambda event: go_on.wait(20), timeout=0.01, concurrency=1)

    for _ in range(33):
        with pytest.raises(DeliveryFailed, match=r"did not return within 0\.01 seconds"):
            sink.send(make_delivery(), now=now)
    with pytest.raises(DeliveryFailed, match="are still running") as caught:
        sink.send(make_delivery(), now=now)
    go_on.set()

    assert caught.value.is_slow
