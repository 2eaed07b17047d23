"""``[delivery]`` becomes sinks and their routes; kombu and the signing library stay unloaded where nothing needs them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from callback.handlers import load_handler
from ossgate.access_assembly import ProblemBook
from ossgate.delivery.addresses import is_private_literal
from ossgate.delivery.attempts import Log
from ossgate.delivery.deliverer import Deliverer
from ossgate.delivery.envelopes import Envelope
from ossgate.delivery.handlers import HandlerSink
from ossgate.delivery.routing import Routes, Subscription
from ossgate.delivery.sinks import Sink
from ossgate.delivery_settings import BrokerSettings, FunctionSettings, WebhookSettings
from ossgate.ledger import Outbox
from ossgate.logs import log_event
from ossgate.problems import Location, Problem, number_table
from ossgate.settings import LoadedSettings

_NAME = re.compile(r"[A-Za-z0-9._:/-]{1,128}")


@dataclass(frozen=True, slots=True)
class DeliveryParts:
    """What an application delivers with."""

    sinks: tuple[Sink, ...]
    routes: Routes
    in_server: bool
    kept: timedelta

    def build_deliverer(
        self, outbox: Outbox, now: Callable[[], datetime], *, log: Log = log_event
    ) -> Deliverer:
        """Return a deliverer for these sinks, not yet started."""
        return Deliverer(outbox, self.sinks, now=now, log=log, kept=self.kept)


class DeliveryAssembler:
    """Builds what ``[delivery]`` describes."""

    def __init__(self, loaded: LoadedSettings, book: ProblemBook) -> None:
        self._loaded = loaded
        self._settings = loaded.settings.delivery
        self._book = book
        self._sinks: list[Sink] = []
        self._subscriptions: list[Subscription] = []

    def build(self) -> DeliveryParts:
        """Return sinks and routes; what cannot work is in the book."""
        for number, webhook in enumerate(self._settings.webhooks):
            here = ("delivery", "webhooks", number_table(number))
            build = partial(self._build_webhook, written=webhook, here=here)
            self._add(here, webhook, _name_webhook(webhook), build)
        for number, broker in enumerate(self._settings.brokers):
            here = ("delivery", "brokers", number_table(number))
            name = f"{broker.url.partition(':')[0]}:{broker.exchange}"
            self._add(here, broker, name, partial(self._build_broker, written=broker, here=here))
        for number, handler in enumerate(self._settings.handlers):
            here = ("delivery", "handlers", number_table(number))
            build_handler = partial(self._build_handler, written=handler, here=here)
            self._add(here, handler, handler.function, build_handler)
        return DeliveryParts(
            tuple(self._sinks),
            Routes(self._subscriptions),
            self._settings.in_server,
            timedelta(days=self._settings.keep_days),
        )

    def _add(
        self,
        here: Location,
        written: WebhookSettings | BrokerSettings | FunctionSettings,
        default_name: str,
        build: Callable[[str], Sink | None],
    ) -> None:
        name = written.name or default_name
        if not _NAME.fullmatch(name):
            self._book.add(
                Problem(
                    (*here, "name"),
                    "cannot name a sink" if written.name else "is needed: none can be made of the address",
                    "use at most 128 letters, digits and . _ : / -",
                )
            )
        if any(name == each.sink for each in self._subscriptions):
            self._book.add(
                Problem((*here, "name"), f"another sink is called {name}", "give each a name of its own")
            )
        known = list(self._loaded.settings.profiles)
        for profile in written.profiles:
            if profile not in known:
                near = difflib.get_close_matches(profile, known, n=1)
                hint = f"did you mean {near[0]}?" if near else "profiles are " + ", ".join(known)
                self._book.add(Problem((*here, "profiles"), f"there is no profile {profile}", hint))
        self._subscriptions.append(Subscription(name, frozenset(written.types), frozenset(written.profiles)))
        sink = build(name)
        if sink is not None:
            self._sinks.append(sink)

    def _envelope(self, written: WebhookSettings | BrokerSettings | FunctionSettings) -> Envelope:
        return Envelope(written.envelope, self._settings.source)

    def _build_webhook(self, name: str, written: WebhookSettings, here: Location) -> Sink | None:
        from ossgate.delivery.pinned_request import parse_target
        from ossgate.delivery.signatures import WebhookSigner
        from ossgate.delivery.webhooks import WebhookSink

        secrets: list[str] = []
        with self._book.at((*here, "secret")):
            secrets = [self._loaded.read_secret(one).decode() for one in written.secret]
            WebhookSigner(secrets)
        with self._book.at((*here, "url")):
            target = parse_target(written.url)
            if target.scheme == "http":
                self._book.require(
                    "http_webhook", (*here, "url"), f"{target.host} is called without TLS", "use https"
                )
            if not written.allow_private and is_private_literal(target.host):
                self._book.add(
                    Problem(
                        (*here, "url"),
                        f"{target.host} is not a public address",
                        "set allow_private = true for a receiver in your own network",
                    )
                )
            if not secrets:
                return None
            return WebhookSink(
                name,
                written.url,
                secrets,
                envelope=self._envelope(written),
                allow_private=written.allow_private,
                timeout=written.timeout,
                concurrency=written.concurrency,
            )
        return None

    def _build_broker(self, name: str, written: BrokerSettings, here: Location) -> Sink | None:
        from ossgate.delivery.brokers import BrokerSink

        with self._book.at((*here, "url")):
            url = written.url
            if url.startswith(("env:", "file:")):
                url = self._loaded.read_secret(url).decode()
            elif _holds_password(url):
                raise ValueError("holds a password; write env:NAME or file:path of the whole URL")
            return BrokerSink(
                name,
                url,
                exchange=written.exchange,
                exchange_type=written.exchange_type,
                routing_key=written.routing_key,
                queue=written.queue,
                envelope=self._envelope(written),
                timeout=written.timeout,
            )
        return None

    def _build_handler(self, name: str, written: FunctionSettings, here: Location) -> Sink | None:
        with self._book.at((*here, "function")):
            return HandlerSink(
                name,
                load_handler(written.function),
                envelope=self._envelope(written),
                timeout=written.timeout,
                concurrency=written.concurrency,
            )
        return None


def _name_webhook(written: WebhookSettings) -> str:
    # Without the query, which may hold a secret.
    try:
        parts = urlsplit(written.url)
    except ValueError:
        return ""
    return parts.netloc.rpartition("@")[2] + parts.path.rstrip("/")


def _holds_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False
