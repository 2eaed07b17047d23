"""The signing core beside the bare cost of the HMACs, Base64 and encryption that a grant must do, and beside the official SDKs.

The SDKs sign a URL and nothing more; ours holds ticket, callback and seal as well. Signing keys are derived once on both sides of the floor.
"""

from __future__ import annotations

import hmac
import os
import statistics
import time
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.aims import Row
from bench.rounds import Tell
from bench.sdks import ACCESS_KEY_ID, ACCESS_KEY_SECRET, presign_parts, presign_puts
from signer import Credentials, Grant, GrantIssuer, GrantRequest, Profile, SealKeys, TicketKeys
from signer.callback_body import DEFAULT_JSON_IMAGE, compile_body
from signer.callback_param import define_callback
from signer.facts import Facts, encode_facts
from signer.multipart_grants import MultipartGrant, sign_parts
from signer.object_keys import compile_key_template
from signer.places import define_place
from signer.post_form import SignatureVersion
from signer.presign import UrlSigner
from signer.put_grants import PutGrant
from signer.upload_ids import new_upload_id

GRANTS = 400
PASSES = 15
PARTS = 100
SIZE = 123_456_700
WANTED = GrantRequest("a photograph.jpg", 1_234_567, "image/jpeg")


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of grant, the bare cost of what it must do, and the SDKs' nearest."""

    name: str
    label: str
    issue: Callable[[], object]
    floor: Callable[[], object]
    sdks: Mapping[str, Callable[[], object]]
    calls: int = GRANTS


def measure_signing(rounds: int, tell: Tell) -> list[Row]:
    """Return a line for each kind of grant over its floor, and one for each SDK; the fastest pass of each round counts."""
    rows = []
    for kind in _make_kinds():
        works = {"": kind.issue, "floor": kind.floor, **kind.sdks}
        fastest: dict[str, list[float]] = {name: [] for name in works}
        for number in range(rounds):
            tell(f"signing, round {number + 1} of {rounds}: {kind.label}")
            passes = [{name: _time(work, kind.calls) for name, work in works.items()} for _ in range(PASSES)]
            for name in works:
                fastest[name].append(min(one[name] for one in passes))
        rows += _summarize(kind, fastest)
    return rows


def _summarize(kind: _Kind, fastest: Mapping[str, list[float]]) -> list[Row]:
    medians = {name: statistics.median(spent) for name, spent in fastest.items()}

    def compare(one: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(fastest[one], fastest[other], strict=True))

    own = f"{1 / medians['']:,.0f}/s, {medians[''] * 1e6:.1f} µs"
    rows = [
        Row(
            kind.name,
            f"{kind.label} over its HMACs, Base64, encryption",
            compare("", "floor"),
            None,
            f"{own}, floor {medians['floor'] * 1e6:.1f} µs",
        )
    ]
    for sdk in kind.sdks:
        detail = f"{own}, {sdk} {1 / medians[sdk]:,.0f}/s, {medians[sdk] * 1e6:.1f} µs"
        rows.append(
            Row(f"{kind.name}_{sdk}", f"{kind.label}: faster than {sdk}", compare(sdk, ""), None, detail)
        )
    return rows


def _make_kinds() -> list[_Kind]:
    v4, v1 = _make_issuer("v4"), _make_issuer("v1")
    form, old_form, put, old_put = v4.issue_form, v1.issue_form, v4.issue_put, v1.issue_put
    return [
        _Kind("signing", "form, V4", form, _make_form_floor(form(), "sha256"), {}),
        _Kind("signing_v1", "form, V1", old_form, _make_form_floor(old_form(), "sha1"), {}),
        _Kind("signing_put", "presigned PUT, V4", put, _make_put_floor(put(), "sha256"), presign_puts("v4")),
        _Kind("signing_put_v1", "presigned PUT, V1", old_put, _make_put_floor(old_put(), "sha1"), presign_puts("v1")),
        _Kind(
            "signing_parts", f"URLs of {PARTS} parts, V4", v4.sign_parts, _make_parts_floor(v4.sign_parts()),
            presign_parts(PARTS), 4,
        ),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Issuer:
    """Issues grants of one signature version, as the server does."""

    profile: Profile
    issuer: GrantIssuer

    def issue_form(self) -> Grant:
        """Return one form."""
        return self.issuer.issue_grant(
            self.profile, WANTED, issuer="api_key:backend", subject="user-7", now=datetime.now(UTC)
        )

    def issue_put(self) -> PutGrant:
        """Return one presigned PUT."""
        return self.issuer.issue_put(
            self.profile, WANTED, issuer="api_key:backend", subject="user-7", now=datetime.now(UTC)
        )

    def sign_parts(self) -> dict[str, Any]:
        """Return the URLs of parts of an upload that is under way."""
        now = datetime.now(UTC)
        facts = Facts(
            "once", "01KDYAK348000000000000016J", "photo", "api_key:backend", "user-7", self.profile.place.bucket,
            "photos/user-7/2026-01-02/01KDYAK348000000000000016J.jpg", SIZE, SIZE, "image/jpeg", "a photograph.jpg",
            issued_at=int(now.timestamp()), expires_at=int(now.timestamp()) + 3600, via="multipart",
        )  # fmt: skip
        grant = MultipartGrant(facts, "0004B9894A22E5B1888A1E29F8236E2D", SIZE // PARTS, facts.expires)
        signer = UrlSigner(self.profile.place, self.profile.signature, self.issuer.credentials(), now)
        return sign_parts(grant, list(range(1, PARTS + 1)), signer)


def _make_issuer(version: SignatureVersion) -> _Issuer:
    profile = Profile(
        name="photo",
        place=define_place("demo-bucket", "cn-hangzhou", endpoint="http://127.0.0.1:9000"),
        object_key=compile_key_template("photos/{subject}/{date}/{upload_id}{ext}"),
        callback=define_callback(
            ["http://127.0.0.1:8000/callback"], compile_body(DEFAULT_JSON_IMAGE, "json")
        ),
        content_types=("image/jpeg", "image/png", "image/webp"),
        via=("post", "put", "multipart"),
        signature=version,
    )
    credentials = Credentials(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    return _Issuer(
        profile,
        GrantIssuer(TicketKeys([b"t" * 32]), SealKeys([b"s" * 32]), lambda: credentials, new_upload_id),
    )


def _make_proofs_floor(facts: bytes, callback: bytes) -> Callable[[], None]:
    """Return what ticket, callback parameter and seal cost, on bytes that lie ready."""
    payload = urlsafe_b64encode(facts).rstrip(b"=")
    key, cipher, purpose = b"k" * 32, AESGCM(b"k" * 32), b"ossgate.seal.v1"

    def work() -> None:
        urlsafe_b64encode(facts)
        urlsafe_b64encode(hmac.digest(key, payload, "sha256"))
        b64encode(callback)
        nonce = os.urandom(12)
        urlsafe_b64encode(nonce + cipher.encrypt(nonce, facts, purpose))

    return work


def _make_form_floor(grant: Grant, digest: str) -> Callable[[], None]:
    """Return the work of a form: the proofs, and the policy's Base64 and HMAC."""
    proofs = _make_proofs_floor(encode_facts(grant.facts), b64decode(grant.fields["callback"]))
    policy = b64decode(grant.fields["policy"])
    encoded_policy, key = grant.fields["policy"].encode(), b"k" * 32

    def work() -> None:
        proofs()
        b64encode(policy)
        _encode(hmac.digest(key, encoded_policy, digest), digest)

    return work


def _make_put_floor(grant: PutGrant, digest: str) -> Callable[[], None]:
    """Return the work of a PUT: the proofs, and what its URL is signed by."""
    proofs = _make_proofs_floor(encode_facts(grant.facts), b64decode(grant.headers["x-oss-callback"]))
    sign = _make_signature_floor(grant.url.encode() + "".join(grant.headers.values()).encode(), digest)

    def work() -> None:
        proofs()
        sign()

    return work


def _make_parts_floor(signed: Mapping[str, Any]) -> Callable[[], None]:
    """Return the work of many URLs, each signed by itself."""
    signs = [_make_signature_floor(part["url"].encode(), "sha256") for part in signed["parts"]]

    def work() -> None:
        for sign in signs:
            sign()

    return work


def _make_signature_floor(canonical: bytes, digest: str) -> Callable[[], None]:
    key, scope = (
        b"k" * 32,
        b"OSS4-HMAC-SHA256\n20260102T030405Z\n20260102/cn-hangzhou/oss/aliyun_v4_request\n",
    )

    def work() -> None:
        if digest == "sha1":
            _encode(hmac.digest(key, canonical, digest), digest)
            return
        _encode(hmac.digest(key, scope + sha256(canonical).hexdigest().encode(), digest), digest)

    return work


def _encode(signature: bytes, digest: str) -> str:
    return b64encode(signature).decode() if digest == "sha1" else signature.hex()


def _time(work: Callable[[], object], calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - started) / calls
