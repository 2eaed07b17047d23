"""Webhooks by the Standard Webhooks specification.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: 2xx is received, 410 ends the subscription,
429, 502 and 504 ask to slow down, everything else is tried again.
"""

import ssl
from collections.abc import Sequence
from datetime import datetime

from ossgate.delivery.addresses import Resolve, choose_addresses, resolve_host
from ossgate.delivery.envelopes import Envelope
from ossgate.delivery.errors import DeliveryFailed
from ossgate.delivery.pinned_request import Answer, Limits, parse_target, post
from ossgate.delivery.retry_after import parse_retry_after
from ossgate.delivery.signatures import WebhookSigner
from ossgate.ledger import Delivery

GONE = 410
SLOW_DOWN = frozenset({429, 502, 504})
_QUOTED_CHARACTERS = 120


class WebhookSink:
    """Posts each event to one URL.

    Args:
        secrets: Oldest first; all of them sign.
        tls: By default the system's authorities are trusted.

    Raises:
        SinkInvalid: The URL or a secret cannot be used.
    """

    def __init__(
        self,
        name: str,
        url: str,
        secrets: Sequence[str],
        *,
        envelope: Envelope | None = None,
        allow_private: bool = False,
        timeout: float = 15.0,
        concurrency: int = 4,
        resolve: Resolve = resolve_host,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self.concurrency = concurrency
        self.prefetch = 2 * concurrency
        self._target = parse_target(url)
        self._signer = WebhookSigner(secrets)
        self._envelope = envelope or Envelope()
        self._allow_private = allow_private
        self._limits = Limits(connect=min(5.0, timeout), read=timeout, total=timeout)
        # Resolving comes before the request and has its own bound.
        self.timeout = timeout + self._limits.connect
        self._resolve = resolve
        self._tls = tls

    def send(self, delivery: Delivery, *, now: datetime) -> None:
        """Post a delivery.

        Raises:
            DeliveryFailed: It was not received, or nobody can tell.
        """
        addresses = choose_addresses(
            self._target.host,
            self._target.port,
            allow_private=self._allow_private,
            resolve=self._resolve,
            timeout=self._limits.connect,
        )
        body = self._envelope.encode(delivery)
        headers = {
            "Content-Type": self._envelope.content_type,
            "User-Agent": "ossgate",
            "Accept-Encoding": "identity",
            **self._signer.sign(delivery.delivery_id, body, now=now),
        }
        if self._target.scheme == "https" and self._tls is None:
            # Reading the authorities takes longer than a request, so once will do.
            self._tls = ssl.create_default_context()
        answer = post(self._target, addresses, headers=headers, body=body, limits=self._limits, tls=self._tls)
        _judge(answer, now)

    def close(self) -> None:
        """Keep nothing open between deliveries."""


def _judge(answer: Answer, now: datetime) -> None:
    status = answer.status
    if 200 <= status < 300:
        return
    reason = f"answered {status}"
    if 300 <= status < 400:
        reason += ", and redirects are not followed"
    elif answer.body:
        reason += f": {answer.body.decode('utf-8', 'replace')[:_QUOTED_CHARACTERS]!r}"
    raise DeliveryFailed(
        reason,
        retry_after=parse_retry_after(answer.headers.get("retry-after"), now=now),
        is_slow=status in SLOW_DOWN,
        is_gone=status == GONE,
    )
