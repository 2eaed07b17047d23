"""The settings of ``[delivery]``: whom the application's side is told of uploads by, and how."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ossgate.section import OneOrMore, Section

EventType = Literal[
    "upload.uploaded", "upload.replaced", "upload.expired", "upload.deleted", "upload.aborted"
]
EnvelopeName = Literal["standard", "cloudevents"]


class _SinkSettings(Section):
    name: str = Field(
        "",
        description="its name in the outbox; keep it when the address changes. Default made of the address",
    )
    envelope: EnvelopeName = Field(
        "standard", description='form of the events: Standard Webhooks, or "cloudevents" for CloudEvents 1.0'
    )
    types: tuple[EventType, ...] = Field((), description="types of events that it hears of; default all")
    profiles: tuple[str, ...] = Field((), description="profiles that it hears of; default all")


class WebhookSettings(_SinkSettings):
    """A URL that each event is posted to, by the Standard Webhooks specification."""

    url: str = Field(description="https URL of the receiver")
    secret: OneOrMore = Field(
        description="env:NAME or file:path of a secret, or a list while it is changed, newest last; all of them sign"
    )
    allow_private: bool = Field(
        False, description="whether the URL may lead to an address that is not public, such as 10.0.0.5"
    )
    timeout: float = Field(15, ge=1, le=60, description="seconds that an answer may take")
    concurrency: int = Field(4, ge=1, le=64, description="how many requests may be under way at once")


class BrokerSettings(_SinkSettings):
    """A message broker, any that kombu speaks: RabbitMQ, Redis, SQS."""

    url: str = Field(
        description='its URL, such as "amqp://broker.example.com//"; with a password as env:NAME or file:path'
    )
    exchange: str = Field(
        "ossgate", min_length=1, description="exchange that is published to; it is declared"
    )
    exchange_type: Literal["topic", "direct", "fanout"] = Field("topic", description="its type")
    routing_key: str = Field("{type}", description="template of routing keys: {type} {profile} {sink}")
    queue: str = Field(
        "", description="queue that is declared and bound, so that nothing is refused before consumers come"
    )
    timeout: float = Field(10, ge=1, le=60, description="seconds that a confirmation may take")


class FunctionSettings(_SinkSettings):
    """A Python function of the application."""

    function: str = Field(description='"package.module:function"; called with the event as a dictionary')
    timeout: float = Field(30, ge=1, le=600, description="seconds that a call may take")
    concurrency: int = Field(4, ge=1, le=64, description="how many calls may be under way at once")


class DeliverySettings(Section):
    """Telling the application, at least once and in order for each upload."""

    in_server: bool = Field(
        True, description="whether the server delivers; false where `ossgate deliver` runs by itself"
    )
    source: str = Field("/ossgate", min_length=1, description="CloudEvents' source")
    keep_days: int = Field(
        30, ge=1, le=3650, description="how long what was delivered is kept; what was not is kept for ever"
    )
    webhooks: tuple[WebhookSettings, ...] = Field((), description="receivers of webhooks")
    brokers: tuple[BrokerSettings, ...] = Field((), description="message brokers")
    handlers: tuple[FunctionSettings, ...] = Field((), description="Python functions")
