"""Both forms of an event, against the specifications' own words."""

import json
from datetime import datetime

import pytest

from ossgate.delivery.envelopes import Envelope


def test_standard_is_the_frozen_body(make_delivery):
    """Our form is the very bytes that were frozen with the change."""
    delivery = make_delivery()

    assert Envelope().encode(delivery) == delivery.body.encode()
    assert Envelope().content_type == "application/json"


def test_standard_has_what_the_specification_asks_for(make_delivery):
    """Standard Webhooks: type with dots, an ISO 8601 timestamp, the data."""
    event = json.loads(Envelope().encode(make_delivery()))

    assert list(event) == ["type", "timestamp", "data"]
    assert event["type"].split(".") == ["upload", "uploaded"]
    assert datetime.fromisoformat(event["timestamp"]).utcoffset().total_seconds() == 0


def test_cloudevents_known_answer(make_delivery):
    """CloudEvents 1.0, structured JSON: the four required attributes, and the optional ones that help."""
    envelope = Envelope("cloudevents", "https://uploads.example.com")

    assert json.loads(envelope.encode(make_delivery())) == {
        "specversion": "1.0",
        "id": "dl_019b7ced5eae0000c0ffee",
        "source": "https://uploads.example.com",
        "type": "upload.uploaded",
        "subject": "demo-bucket/photos/猫.jpg",
        "time": "2026-01-02T03:04:05Z",
        "datacontenttype": "application/json",
        "data": json.loads(make_delivery().body)["data"],
    }
    assert envelope.content_type == "application/cloudevents+json"


def test_cloudevents_attributes_have_the_types_of_the_specification(make_delivery):
    """Attribute names are lower-case letters and digits, required ones are non-empty strings, the time is RFC 3339."""
    event = json.loads(Envelope("cloudevents").encode(make_delivery()))

    assert all(name.isalnum() and name == name.lower() and len(name) <= 20 for name in event)
    for name in ("id", "source", "specversion", "type"):
        assert isinstance(event[name], str)
        assert event[name]
    assert datetime.fromisoformat(event["time"])


@pytest.mark.parametrize("name", ["standard", "cloudevents"])
def test_every_attempt_sends_the_same_bytes(make_delivery, name):
    """A later attempt differs in nothing that a receiver could compare."""
    first, later = make_delivery(), make_delivery(attempts=7, last_error="500", locked_by="two")

    assert Envelope(name).encode(first) == Envelope(name).encode(later)
