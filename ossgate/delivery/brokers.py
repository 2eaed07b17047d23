# kombu has no types.
# mypy: allow-untyped-calls
"""Message brokers, by whatever kombu speaks: RabbitMQ, Redis, SQS … (https://docs.celeryq.dev/projects/kombu/).

Imported on use alone: kombu is heavy, and most have no broker.
"""

import contextlib
from datetime import datetime
from typing import Any

from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.exceptions import KombuError
from kombu.messaging import Producer
from kombu.transport import resolve_transport
from kombu.transport.virtual import Channel as VirtualChannel
from kombu.transport.virtual import Transport as VirtualTransport
from kombu.utils.url import url_to_parts

from ossgate.delivery.envelopes import Envelope
from ossgate.delivery.errors import DeliveryFailed, SinkInvalid
from ossgate.ledger import Delivery

_PREFETCH = 64
_PLACEHOLDERS = {"type": "upload.uploaded", "profile": "photo", "sink": "broker"}


class BrokerSink:
    """Publishes each event to one exchange: persistent, confirmed, and refused where no queue would take it.

    Args:
        routing_key: May hold ``{type}``, ``{profile}`` and ``{sink}``.
        queue: Declared and bound, so that nothing is lost before a consumer has come; where consumers declare their own
            it is left out.

    Raises:
        SinkInvalid: The URL names no transport that is installed, or the routing key is wrong.
    """

    concurrency = 1
    prefetch = _PREFETCH

    def __init__(
        self,
        name: str,
        url: str,
        *,
        exchange: str = "ossgate",
        exchange_type: str = "topic",
        routing_key: str = "{type}",
        queue: str = "",
        envelope: Envelope | None = None,
        timeout: float = 10.0,
    ) -> None:
        _verify_url(url, exchange_type)
        try:
            routing_key.format_map(_PLACEHOLDERS)
        except (KeyError, ValueError, IndexError, AttributeError):
            raise SinkInvalid(
                "the routing key has an unknown placeholder", hint="{type}, {profile} and {sink} are known"
            ) from None
        self.name = name
        self.timeout = timeout
        self._url = url
        self._routing_key = routing_key
        self._envelope = envelope or Envelope()
        self._exchange = Exchange(exchange, type=exchange_type, durable=True)
        binding = {"topic": "#"}.get(exchange_type, routing_key)
        self._queue = Queue(queue, self._exchange, routing_key=binding, durable=True) if queue else None
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        self._returned: list[str] = []

    def send(self, delivery: Delivery, *, now: datetime) -> None:
        """Publish a delivery and wait until the broker has it.

        Raises:
            DeliveryFailed: It has not, or no queue is bound that would take it. The next attempt connects anew.
        """
        event = self._envelope.render(delivery)
        values = {"type": delivery.type, "profile": event["data"]["profile"], "sink": self.name}
        routing_key = self._routing_key.format_map(values)
        try:
            producer = self._producer or self._connect()
            self._returned.clear()
            self._verify_queue(producer.channel, routing_key)
            producer.publish(
                self._envelope.encode(delivery),
                routing_key=routing_key,
                exchange=self._exchange,
                content_type=self._envelope.content_type,
                content_encoding="utf-8",
                delivery_mode="persistent",
                mandatory=True,
                message_id=delivery.delivery_id,
                type=delivery.type,
                # Not every transport carries the properties above.
                headers={"id": delivery.delivery_id, "type": delivery.type},
                timeout=self.timeout,
                confirm_timeout=self.timeout,
            )
        except DeliveryFailed:
            raise
        except Exception as error:
            # Each transport raises its library's own errors, and after any of them the connection is in doubt.
            self.close()
            raise DeliveryFailed(_describe(error)) from error
        if self._returned:
            raise DeliveryFailed(f"no queue is bound to the exchange for {routing_key!r}")

    def close(self) -> None:
        """End the connection; the next delivery makes a new one."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            # It is being given up; that it cannot even be closed changes nothing.
            with contextlib.suppress(Exception):
                connection.release()

    def _connect(self) -> Producer:
        self._connection = Connection(
            self._url, connect_timeout=self.timeout, transport_options=self._transport_options()
        )
        self._connection.ensure_connection(max_retries=1, timeout=self.timeout)
        channel = self._connection.channel()
        self._exchange(channel).declare()
        if self._queue is not None:
            self._queue(channel).declare()
        self._producer = Producer(channel, auto_declare=False)
        if not isinstance(channel, VirtualChannel):
            channel.events["basic_return"].add(self._note_returned)
        return self._producer

    def _transport_options(self) -> dict[str, Any]:
        scheme = _read_scheme(self._url)
        if scheme in ("amqp", "amqps", "pyamqp"):
            return {"confirm_publish": True, "read_timeout": self.timeout, "write_timeout": self.timeout}
        if scheme in ("redis", "rediss", "sentinel"):
            return {"socket_timeout": self.timeout, "socket_connect_timeout": self.timeout}
        return {}

    def _verify_queue(self, channel: Any, routing_key: str) -> None:
        """Look where kombu itself does the routing, since it drops what nobody waits for without a word."""
        if isinstance(channel, VirtualChannel):
            table = channel.get_table(self._exchange.name)
            if not channel.typeof(self._exchange.name).lookup(table, self._exchange.name, routing_key, None):
                raise DeliveryFailed(f"no queue is bound to the exchange for {routing_key!r}")

    def _note_returned(self, error: Exception, *_: object) -> None:
        self._returned.append(str(error))


def _read_scheme(url: str) -> str:
    return url.partition("://")[0].partition("+")[0].lower()


def _verify_url(url: str, exchange_type: str) -> None:
    scheme = _read_scheme(url)
    if "://" not in url:
        raise SinkInvalid("is no URL of a broker", hint='such as "amqp://broker.example.com//"')
    try:
        url_to_parts(url)
        transport = resolve_transport(scheme)
    except (KeyError, ValueError):
        raise SinkInvalid(
            f"{scheme[:32]!r} is no broker that kombu speaks", hint="amqp, redis, sqs …"
        ) from None
    except ImportError as error:
        raise SinkInvalid(f"the library for {scheme} is not installed: {error}") from None
    if exchange_type == "fanout" and transport is not None and issubclass(transport, VirtualTransport):
        raise SinkInvalid(
            f"a fanout exchange on {scheme} keeps nothing for consumers that are away", hint="use topic"
        )


def _describe(error: Exception) -> str:
    # Texts of brokers' libraries may hold the URL, and with it a password.
    kind = type(error).__name__
    if isinstance(error, (KombuError, OSError)) and not getattr(error, "strerror", None):
        return f"the broker cannot be reached: {kind}"
    return f"the broker failed: {getattr(error, 'strerror', None) or kind}"
