"""The signing core beside the bare cost of the HMACs, Base64 and encryption that one grant must do."""

from __future__ import annotations

import hmac
import os
import statistics
import time
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.aims import Row
from bench.rounds import Tell
from signer import Credentials, Grant, GrantIssuer, GrantRequest, Profile, SealKeys, TicketKeys
from signer.callback_body import DEFAULT_JSON_IMAGE, compile_body
from signer.callback_param import define_callback
from signer.facts import encode_facts
from signer.object_keys import compile_key_template
from signer.places import define_place
from signer.upload_ids import new_upload_id

GRANTS = 400
PASSES = 15


def measure_signing(rounds: int, tell: Tell) -> list[Row]:
    """Return the line of a whole grant over its floor, interleaved; the fastest pass of each round counts."""
    grant = _make_issuing()
    floor = _make_floor(grant())
    ratios, grants, floors = [], [], []
    for number in range(rounds):
        tell(f"signing, round {number + 1} of {rounds}")
        spent = [(_time(grant), _time(floor)) for _ in range(PASSES)]
        grants.append(min(whole for whole, _ in spent))
        floors.append(min(bare for _, bare in spent))
        ratios.append(grants[-1] / floors[-1])
    detail = f"{statistics.median(grants) * 1e6:.1f} µs, floor {statistics.median(floors) * 1e6:.1f} µs"
    return [
        Row(
            "signing",
            "signing core over its HMACs, Base64, encryption",
            statistics.median(ratios),
            None,
            detail,
        )
    ]


def _make_issuing() -> Callable[[], Grant]:
    profile = Profile(
        name="photo",
        place=define_place("demo-bucket", "cn-hangzhou", endpoint="http://127.0.0.1:9000"),
        object_key=compile_key_template("photos/{subject}/{date}/{upload_id}{ext}"),
        callback=define_callback(
            ["http://127.0.0.1:8000/callback"], compile_body(DEFAULT_JSON_IMAGE, "json")
        ),
        content_types=("image/jpeg", "image/png", "image/webp"),
    )
    credentials = Credentials("bench-access-key-id", "s" * 30)
    issuer = GrantIssuer(TicketKeys([b"t" * 32]), SealKeys([b"s" * 32]), lambda: credentials, new_upload_id)
    wanted = GrantRequest("a photograph.jpg", 1_234_567, "image/jpeg")

    def issue() -> Grant:
        now = datetime.now(UTC)
        return issuer.issue_grant(profile, wanted, issuer="api_key:backend", subject="user-7", now=now)

    return issue


def _make_floor(grant: Grant) -> Callable[[], None]:
    """Return the work on bytes that lie ready: ticket, callback parameter, seal, policy."""
    facts = encode_facts(grant.facts)
    payload = urlsafe_b64encode(facts).rstrip(b"=")
    callback = b64decode(grant.fields["callback"])
    policy = b64decode(grant.fields["policy"])
    encoded_policy = grant.fields["policy"].encode()
    key, cipher, purpose = b"k" * 32, AESGCM(b"k" * 32), b"ossgate.seal.v1"

    def work() -> None:
        urlsafe_b64encode(facts)
        urlsafe_b64encode(hmac.digest(key, payload, "sha256"))
        b64encode(callback)
        nonce = os.urandom(12)
        urlsafe_b64encode(nonce + cipher.encrypt(nonce, facts, purpose))
        b64encode(policy)
        hmac.digest(key, encoded_policy, "sha256").hex()

    return work


def _time(work: Callable[[], object]) -> float:
    started = time.process_time()
    for _ in range(GRANTS):
        work()
    return (time.process_time() - started) / GRANTS
