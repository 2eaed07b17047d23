"""The two forms in which an event goes out; pure.

Ours is the body of Standard Webhooks: ``type``, ``timestamp``, ``data``. The other is CloudEvents 1.0 in its structured JSON form
(https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md). Both are made of the same frozen body.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

from ossgate.ledger import Delivery

EnvelopeName = Literal["standard", "cloudevents"]
DEFAULT_SOURCE = "/ossgate"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Envelope:
    """Choose a form, and CloudEvents' ``source``."""

    name: EnvelopeName = "standard"
    source: str = DEFAULT_SOURCE

    @property
    def content_type(self) -> str:
        """Name the media type."""
        return "application/cloudevents+json" if self.name == "cloudevents" else "application/json"

    def encode(self, delivery: Delivery) -> bytes:
        """Return the bytes that are sent; the same for each attempt."""
        if self.name == "standard":
            return delivery.body.encode()
        return _encode(self.render(delivery)).encode()

    def render(self, delivery: Delivery) -> dict[str, Any]:
        """Return the event as a dictionary."""
        event: dict[str, Any] = json.loads(delivery.body)
        if self.name == "standard":
            return event
        data = event["data"]
        return {
            "specversion": "1.0",
            "id": delivery.delivery_id,
            "source": self.source,
            "type": event["type"],
            "subject": f"{data['bucket']}/{data['object_key']}",
            "time": event["timestamp"],
            "datacontenttype": "application/json",
            "data": data,
        }
