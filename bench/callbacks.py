"""Uploads that were issued and have not arrived, and the callbacks that OSS would send for them."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import MD5

from bench.bucket_stub import build_head
from bench.workplace import CALLBACK_PATH, PUBLIC_KEY_URL, Workplace
from callback.arrived import to_new_upload
from ossgate.assembly import assemble
from ossgate.ledger import Ledger, NewUpload, QuotaLimit
from signer import Grant, GrantIssuer, GrantRequest, Profile
from signer.upload_ids import new_upload_id
from signer.v4 import encode_object_key

SIZE = 1_234_567
ETAG = "9E107D9D372BB6826BD81D3542A419D6"
SUBJECTS = 50
ISSUER = "api_key:backend"
_ROWS_AT_ONCE = 100
_QUOTA = QuotaLimit(pending_uploads=10**9, bytes=10**15, period="day")


@dataclass(frozen=True, slots=True)
class Prepared:
    """One upload that waits for its callback."""

    row: NewUpload
    request: bytes
    head_path: str
    head_answer: str


class CallbackMaker:
    """Issues grants as the server does, and answers them as OSS does."""

    def __init__(self, workplace: Workplace) -> None:
        parts = assemble(workplace.load_settings())
        parts.ledger.close()
        self._profiles = {name: receiving.profile for name, receiving in parts.profiles.items()}
        self._issuer = GrantIssuer(parts.ticket_keys, parts.seal_keys, parts.credentials, new_upload_id)
        self._key = workplace.callback_key

    def prepare(self, profile: str, count: int) -> Iterator[Prepared]:
        """Return so many uploads with their callbacks."""
        for number in range(count):
            yield self._prepare(self._profiles[profile], f"user-{number % SUBJECTS}")

    def _prepare(self, profile: Profile, subject: str) -> Prepared:
        grant = self.issue(profile, subject)
        facts = grant.facts
        row = replace(to_new_upload(facts), quota_key=f"{ISSUER}:{subject}")
        path = f"/{facts.bucket}/{encode_object_key(facts.object_key)}"
        seal = grant.fields["x-oss-meta-ossgate-seal"]
        head = build_head(size=SIZE, etag=ETAG, content_type=facts.content_type, seal=seal)
        return Prepared(row, build_callback(grant, self._key), path, head)

    def issue(self, profile: Profile, subject: str) -> Grant:
        """Return one grant."""
        wanted = GrantRequest("a photograph.jpg", SIZE, "image/jpeg")
        return self._issuer.issue_grant(
            profile, wanted, issuer=ISSUER, subject=subject, now=datetime.now(UTC)
        )


def build_callback(grant: Grant, key: RSAPrivateKey) -> bytes:
    """Return the request that OSS would send once a grant's object has been stored."""
    definition = json.loads(b64decode(grant.fields["callback"]))
    known = {
        "bucket": grant.facts.bucket,
        "object": grant.facts.object_key,
        "etag": ETAG,
        "mimeType": grant.facts.content_type,
        "size": SIZE,
    }
    body: str = definition["callbackBody"]
    for name, value in known.items():
        body = body.replace(f"${{{name}}}", json.dumps(value))
    for name in ("width", "height"):
        body = body.replace(f"${{imageInfo.{name}}}", "800")
    encoded = body.encode()
    signature = key.sign(CALLBACK_PATH.encode() + b"\n" + encoded, PKCS1v15(), MD5())
    head = (
        f"POST {CALLBACK_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n"
        f"Content-Type: {definition['callbackBodyType']}\r\nContent-Length: {len(encoded)}\r\n"
        "User-Agent: http-client/0.0.1\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\nContent-MD5: nhB9nTcrtoJr2B01QqQZ1g==\r\n"
        f"Authorization: {b64encode(signature).decode()}\r\n"
        f"x-oss-pub-key-url: {b64encode(PUBLIC_KEY_URL.encode()).decode()}\r\n"
        "x-oss-request-id: 5F1E8B2C3A4D5E6F70819203\r\nx-oss-bucket: demo-bucket\r\nx-oss-signature-version: 1.0\r\n\r\n"
    )
    return head.encode() + encoded


def record_issued(database_url: str, uploads: Sequence[Prepared], tell: Callable[[int], None]) -> None:
    """Record uploads as issued, as their grants would have been, and reserve their quota."""
    ledger = Ledger(database_url)
    try:
        for start in range(0, len(uploads), _ROWS_AT_ONCE):
            rows = [upload.row for upload in uploads[start : start + _ROWS_AT_ONCE]]
            ledger.record_issued(rows, quota=_QUOTA, now=datetime.now(UTC), timeout=30)
            tell(start + len(rows))
    finally:
        ledger.close()


def build_issue_requests(api_key: str, profile: str) -> list[bytes]:
    """Return requests for grants, one a subject."""
    requests = []
    for number in range(SUBJECTS):
        wanted = {
            "profile": profile,
            "filename": "a photograph.jpg",
            "size": SIZE,
            "content_type": "image/jpeg",
            "subject": f"user-{number}",
        }
        body = json.dumps(wanted).encode()
        head = (
            "POST /v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nAccept: */*\r\n"
            f"User-Agent: bench\r\nAuthorization: Bearer {api_key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


def build_bare_request() -> bytes:
    """Return the request of the yardstick."""
    return b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n"
