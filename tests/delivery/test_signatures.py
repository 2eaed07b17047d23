"""Webhook signatures: the specification's computation done by hand, its library's own check, and rotation."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from ossgate.delivery.errors import SinkInvalid
from ossgate.delivery.signatures import WebhookSigner, encode_secret


def sign_by_hand(secret, delivery_id, timestamp, body):
    """v1,base64(HMAC-SHA256(secret, id.timestamp.body)), as the specification writes it."""
    key = b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{delivery_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + b64encode(digest).decode()


def test_signature_known_answer():
    """The published example of the libraries gives the published signature."""
    signer = WebhookSigner(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    body = b'{"test": 2432232314}'

    headers = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", body, now=datetime.fromtimestamp(1614265330, UTC))

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_signature_is_what_the_specification_computes(secret, now):
    """An independent computation, over a body that is not ASCII, gives the same signature."""
    body = '{"name":"猫"}'.encode()

    headers = WebhookSigner([secret]).sign("dl_1", body, now=now)

    assert headers["webhook-signature"] == sign_by_hand(secret, "dl_1", headers["webhook-timestamp"], body)


def test_signature_is_accepted_by_the_library(secret):
    """A receiver that uses the specification's library accepts it, and refuses a changed body."""
    now = datetime.now(UTC)
    headers = WebhookSigner([secret]).sign("dl_1", b'{"size":1}', now=now)

    assert Webhook(secret).verify(b'{"size":1}', headers) == {"size": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(b'{"size":2}', headers)


def test_rotation_signs_with_each_secret(secret):
    """While a secret is changed, receivers of the old and of the new one both accept; the newest stands first."""
    new = encode_secret(b"n" * 32)
    headers = WebhookSigner([secret, new]).sign("dl_1", b"{}", now=datetime.now(UTC))

    first, second = headers["webhook-signature"].split(" ")

    assert first == sign_by_hand(new, "dl_1", headers["webhook-timestamp"], b"{}")
    assert second == sign_by_hand(secret, "dl_1", headers["webhook-timestamp"], b"{}")
    assert Webhook(secret).verify(b"{}", headers) == Webhook(new).verify(b"{}", headers) == {}


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ([], "has no secret"),
        (["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "does not begin with whsec_"),
        (["whsec_not base64"], "is not base64"),
        (["whsec_" + b64encode(b"s" * 23).decode()], "has 23 bytes"),
        (["whsec_" + b64encode(b"s" * 65).decode()], "has 65 bytes"),
        (["whsec_"], "has 0 bytes"),
        (["whsec_猫"], "is not base64"),
        (["whsk_" + b64encode(b"s" * 32).decode()], "does not begin"),
    ],
)
def test_secret_that_cannot_be_used(secrets, message):
    """Each malformed secret is refused with its reason and the way to make one, and is not shown."""
    with pytest.raises(SinkInvalid) as caught:
        WebhookSigner(secrets)

    assert message in str(caught.value)
    assert "ossgate keys new --kind webhook" in caught.value.hint
    assert not any(each in str(caught.value) for each in secrets if len(each) > 6)
