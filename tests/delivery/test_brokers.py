"""Brokers: real consumers of RabbitMQ and Redis, where they are reachable."""

import json
import secrets
import socket
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from kombu import Connection, Exchange, Queue

from ossgate.delivery.brokers import BrokerSink
from ossgate.delivery.envelopes import Envelope
from ossgate.delivery.errors import DeliveryFailed, SinkInvalid

URLS = {"rabbitmq": "amqp://guest:guest@127.0.0.1:5672//", "redis": "redis://127.0.0.1:6379/15"}


@pytest.fixture(params=URLS)
def url(request):
    """The URL of a broker that runs here."""
    url = URLS[request.param]
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname, place.port), 2).close()
    except OSError:
        pytest.skip(f"no {request.param} at {place.hostname}:{place.port}")
    return url


@pytest.fixture
def name():
    """A name of exchanges and queues that nobody else uses."""
    return f"ossgate-test-{secrets.token_hex(6)}"


@pytest.fixture
def make_broker(url, name):
    """Build a broker sink on an exchange of the test's own; all of it is removed afterwards."""
    sinks = []

    def make(**options):
        sinks.append(BrokerSink("broker", url, **{"exchange": name, "timeout": 5.0, **options}))
        return sinks[-1]

    yield make
    for sink in sinks:
        sink.close()
    with Connection(url) as connection, connection.channel() as channel:
        for each in (Queue(name)(channel), Exchange(name)(channel)):
            with suppress(connection.channel_errors):
                each.delete()
        if connection.transport.driver_type == "redis":
            # kombu leaves its list of bindings behind.
            channel.client.delete(f"_kombu.binding.{name}", f"_kombu.binding_permanent.{name}")


@pytest.fixture
def consume(url, name):
    """Take every message out of the test's queue."""

    def take():
        messages = []
        with Connection(url) as connection, connection.channel() as channel:
            while (message := Queue(name)(channel).get()) is not None:
                message.ack()
                messages.append(message)
        return messages

    return take


def test_consumer_gets_the_event(make_broker, consume, make_delivery, now, name):
    """A consumer finds the event in the queue, persistent, with its id, type and media type."""
    delivery = make_delivery()

    make_broker(queue=name).send(delivery, now=now)

    (message,) = consume()
    body = message.body if isinstance(message.body, bytes) else message.body.encode()
    assert body == delivery.body.encode()
    assert message.content_type == "application/json"
    assert message.headers == {"id": delivery.delivery_id, "type": "upload.uploaded"}
    assert message.properties["delivery_mode"] == 2
    assert message.delivery_info["routing_key"] == "upload.uploaded"


def test_consumer_gets_a_cloudevent(make_broker, consume, make_delivery, now, name):
    """The other envelope comes with its own media type."""
    sink = make_broker(queue=name, envelope=Envelope("cloudevents"))
    sink.send(make_delivery(), now=now)

    (message,) = consume()
    assert json.loads(message.body)["id"] == make_delivery().delivery_id
    assert message.content_type == "application/cloudevents+json"


@pytest.mark.parametrize("kind", ["topic", "direct", "fanout"])
def test_every_exchange_type_reaches_its_queue(make_broker, consume, make_delivery, now, name, kind, url):
    """The declared queue is bound so that it gets what is published."""
    if kind == "fanout" and url.startswith("redis"):
        with pytest.raises(SinkInvalid, match="keeps nothing for consumers that are away"):
            make_broker(exchange_type=kind)
        return
    key = "uploads" if kind == "direct" else "{type}.{profile}.{sink}"
    sink = make_broker(queue=name, exchange_type=kind, routing_key=key)
    for number in range(3):
        sink.send(make_delivery(delivery_id=f"dl_{number}"), now=now)

    assert [message.headers["id"] for message in consume()] == ["dl_0", "dl_1", "dl_2"]


def test_nobody_listens(make_broker, make_delivery, now):
    """What no queue would take is not lost without a word; once a queue is there the same sink delivers."""
    sink = make_broker()

    for _ in range(2):
        with pytest.raises(DeliveryFailed, match=r"no queue is bound to the exchange for 'upload\.uploaded'"):
            sink.send(make_delivery(), now=now)


def test_queue_that_a_consumer_declares(make_broker, consume, url, name, make_delivery, now):
    """Consumers may declare their own queue and take the types that they want."""
    sink = make_broker()
    with Connection(url) as connection, connection.channel() as channel:
        Queue(name, Exchange(name, type="topic", durable=True), routing_key="upload.uploaded")(
            channel
        ).declare()
    sink.send(make_delivery(), now=now)
    with pytest.raises(DeliveryFailed, match="no queue"):
        sink.send(make_delivery(type="upload.expired"), now=now)

    assert len(consume()) == 1


def test_lost_connection_is_made_anew(make_broker, consume, make_delivery, now, name):
    """After the connection broke one attempt fails at most, and the next connects again."""
    sink = make_broker(queue=name)
    sink.send(make_delivery(delivery_id="dl_0"), now=now)
    sink._connection.close()
    for number in (1, 2):
        with suppress(DeliveryFailed):
            sink.send(make_delivery(delivery_id=f"dl_{number}"), now=now)

    assert [message.headers["id"] for message in consume()][-1] == "dl_2"


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_broker_that_is_down(scheme, make_delivery, now):
    """A broker that is down is a failed attempt, told without the URL's password."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    sink = BrokerSink("broker", f"{scheme}://user:hidden@127.0.0.1:{port}//", timeout=1.0)

    with pytest.raises(DeliveryFailed, match="the broker") as caught:
        sink.send(make_delivery(), now=now)
    sink.close()

    assert "hidden" not in caught.value.reason


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("broker.example.com", {}, "is no URL of a broker"),
        ("gopher://broker.example.com//", {}, "'gopher' is no broker"),
        ("amqp://broker.example.com:port//", {}, "is no broker"),
        ("amqp://broker.example.com//", {"routing_key": "{kind}"}, "unknown placeholder"),
        ("amqp://broker.example.com//", {"routing_key": "{type.x}"}, "unknown placeholder"),
        ("amqp://broker.example.com//", {"routing_key": "{"}, "unknown placeholder"),
        ("amqp://broker.example.com//", {"routing_key": "{}"}, "unknown placeholder"),
    ],
)
def test_settings_that_cannot_work(url, options, message):
    """A broker that cannot be spoken to is refused when the sink is built."""
    with pytest.raises(SinkInvalid, match=message):
        BrokerSink("broker", url, **options)
