"""Signature ACS3-HMAC-SHA256, by which Alibaba Cloud's other services are asked; we ask STS.

Rules: *Request structure and signature V3*, https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature. The secret
itself is the key, the body's hash is signed, and a nonce makes each request good for once.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from signer.credentials import Credentials
from signer.times import format_seconds
from signer.v4 import encode_component

ALGORITHM = "ACS3-HMAC-SHA256"


def build_canonical_request(
    method: str, *, query: Iterable[tuple[str, str]], headers: Iterable[tuple[str, str]], body_hash: str
) -> str:
    """Return the text whose hash is signed; the path is always ``/``, and every header that is given counts."""
    encoded = sorted((encode_component(name), encode_component(value)) for name, value in query)
    ordered = sorted((name, value.strip()) for name, value in headers)
    return "\n".join(
        (
            method,
            "/",
            "&".join(f"{name}={value}" for name, value in encoded),
            "".join(f"{name}:{value}\n" for name, value in ordered),
            ";".join(name for name, _ in ordered),
            body_hash,
        )
    )


def sign_call(
    method: str,
    host: str,
    *,
    action: str,
    version: str,
    query: Iterable[tuple[str, str]],
    credentials: Credentials,
    now: datetime,
    nonce: str,
    body: bytes = b"",
) -> dict[str, str]:
    """Return the headers of a signed call, names in lower case."""
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": sha256(body).hexdigest(),
        "x-acs-date": format_seconds(now) + "Z",
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    if credentials.security_token:
        headers["x-acs-security-token"] = credentials.security_token
    canonical = build_canonical_request(
        method, query=query, headers=headers.items(), body_hash=headers["x-acs-content-sha256"]
    )
    text = f"{ALGORITHM}\n{sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(credentials.access_key_secret.encode(), text.encode(), "sha256").hex()
    signed = ";".join(sorted(headers))
    headers["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key_id},SignedHeaders={signed},Signature={signature}"
    )
    return headers
