"""Webhook secrets and signatures by the Standard Webhooks specification; its own library signs.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: symmetric secrets are ``whsec_`` and the base64 of
24 to 64 bytes; with several, for rotation, the header holds a signature by each, separated by spaces.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks.webhooks import Webhook

from ossgate.delivery.errors import SinkInvalid

_PREFIX = "whsec_"
_HINT = "make one with `ossgate keys new --kind webhook`"
SHORTEST_SECRET, LONGEST_SECRET = 24, 64


def encode_secret(key: bytes) -> str:
    """Return a secret as receivers' libraries read it."""
    return _PREFIX + b64encode(key).decode()


class WebhookSigner:
    """Signs with every secret; the newest, which is given last, signs first.

    Raises:
        SinkInvalid: There is no secret, or one cannot be read. The message never shows it.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise SinkInvalid("has no secret", hint=_HINT)
        for secret in secrets:
            _verify_secret(secret)
        self._webhooks = [Webhook(secret) for secret in reversed(secrets)]

    def sign(self, delivery_id: str, body: bytes, *, now: datetime) -> dict[str, str]:
        """Return the three headers of an attempt."""
        text = body.decode()
        return {
            "webhook-id": delivery_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(
                webhook.sign(msg_id=delivery_id, timestamp=now, data=text) for webhook in self._webhooks
            ),
        }


def _verify_secret(secret: str) -> None:
    if not secret.startswith(_PREFIX):
        raise SinkInvalid(f"a secret does not begin with {_PREFIX}", hint=_HINT)
    try:
        key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SinkInvalid("a secret is not base64 after its prefix", hint=_HINT) from None
    if not SHORTEST_SECRET <= len(key) <= LONGEST_SECRET:
        raise SinkInvalid(
            f"a secret has {len(key)} bytes, not {SHORTEST_SECRET} to {LONGEST_SECRET}", hint=_HINT
        )
