"""Valid things of the callback's world, each part of which a test may spoil."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import MD5

from callback.public_keys import PinnedKeys
from callback.request import CallbackRequest
from callback.signature import build_string_to_sign
from signer.facts import Facts
from signer.prefix_grants import PrefixKeys
from signer.seal import SealKeys
from signer.ticket import TicketKeys

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY_URL = "http://127.0.0.1:9000/_emulator/callback.pem"
VECTORS = Path(__file__).parent.parent / "vectors"


@pytest.fixture(scope="session")
def now():
    return NOW


@pytest.fixture(scope="session")
def rsa_key():
    """One key of a stand-in for OSS."""
    return generate_private_key(public_exponent=65537, key_size=1024)


@pytest.fixture(scope="session")
def public_keys(rsa_key):
    pem = rsa_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return PinnedKeys({KEY_URL: pem})


@pytest.fixture(scope="session")
def ticket_keys():
    return TicketKeys([b"t" * 32])


@pytest.fixture(scope="session")
def seal_keys():
    return SealKeys([b"s" * 32])


@pytest.fixture(scope="session")
def prefix_keys():
    return PrefixKeys([b"s" * 32])


@pytest.fixture
def make_facts():
    def make(**changes):
        return Facts(
            **{
                "use": "once",
                "upload_id": "01KE00000000000000000000AA",
                "profile": "photo",
                "issuer": "anonymous",
                "subject": "anonymous",
                "bucket": "examplebucket",
                "object_key": "photos/a.jpg",
                "size_min": 1,
                "size_max": 100,
                "content_type": "image/jpeg",
                "file_name": "a.jpg",
                "issued_at": int(NOW.timestamp()),
                "expires_at": int((NOW + timedelta(minutes=5)).timestamp()),
            }
            | changes
        )

    return make


@pytest.fixture
def make_body(ticket_keys, make_facts):
    """A callback body as OSS fills it in."""

    def make(facts=None, **changes):
        fields = {
            "bucket": "examplebucket",
            "object": "photos/a.jpg",
            "etag": "900150983CD24FB0D6963F7D28E17F72",
            "size": 3,
            "mimeType": "image/jpeg",
            "ticket": ticket_keys.issue_ticket(facts or make_facts()),
        } | changes
        return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()

    return make


@pytest.fixture
def sign(rsa_key):
    """Sign as OSS signs."""

    def make(raw_target, body):
        return b64encode(rsa_key.sign(build_string_to_sign(raw_target, body), PKCS1v15(), MD5())).decode()

    return make


@pytest.fixture
def make_callback_request(sign, make_body):
    """A request that all of layer 1 and 2 believe; a test spoils one part of it."""

    def make(body=None, raw_target="/callback", **changes):
        body = make_body() if body is None else body
        parts = {
            "raw_target": raw_target,
            "body": body,
            "content_type": "application/json",
            "authorization": sign(raw_target, body),
            "public_key_url": b64encode(KEY_URL.encode()).decode(),
        } | changes
        return CallbackRequest(**parts)

    return make
