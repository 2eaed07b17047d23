"""Signature version 4 (OSS4-HMAC-SHA256): policies, request headers and URLs.

Rules: *Signature version 4*, https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend, *Include a V4 signature in the
Authorization header* and *in the URL*, https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4.

The canonical URI always names the bucket (``/bucket/key``), however the request addresses it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

from signer.credentials import Credentials
from signer.errors import SignerError
from signer.times import format_seconds

ALGORITHM = "OSS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
PRODUCT = "oss"
"""What the scope names; ``oss-cloudbox`` for OSS in a customer's own data centre."""
MAX_EXPIRES = 7 * 24 * 3600
MAX_EXPIRES_STS = 12 * 3600

QueryPairs = Iterable[tuple[str, str]]


def format_date(moment: datetime) -> str:
    """Return a time as ``x-oss-date`` writes it, such as ``20260102T030405Z``."""
    return format_seconds(moment).replace("-", "").replace(":", "") + "Z"


def build_scope(date: str, region: str, product: str = PRODUCT) -> str:
    """Return ``day/region/oss/aliyun_v4_request`` for an ``x-oss-date``."""
    return f"{date[:8]}/{region}/{product}/aliyun_v4_request"


@lru_cache(maxsize=64)
def derive_signing_key(secret: str, day: str, region: str, product: str = PRODUCT) -> bytes:
    """Return the signing key of one day and region; kept, since it costs four HMACs."""
    key = ("aliyun_v4" + secret).encode()
    for step in (day, region, product, "aliyun_v4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def sign_policy(encoded_policy: str, credentials: Credentials, *, date: str, region: str) -> str:
    """Return the signature of a policy's Base64 text, in lower-case hex."""
    key = derive_signing_key(credentials.access_key_secret, date[:8], region)
    return hmac.digest(key, encoded_policy.encode("ascii"), "sha256").hex()


def encode_component(text: str) -> str:
    """Percent-encode everything but RFC 3986's unreserved characters."""
    return quote(text, safe="-_.~")


def encode_object_key(object_key: str) -> str:
    """Percent-encode an object key for a URL path, slashes kept."""
    return quote(object_key, safe="/-_.~")


def build_canonical_query(query: QueryPairs) -> str:
    """Return the query sorted by encoded name; an empty value leaves the bare name."""
    encoded = sorted((encode_component(name), encode_component(value)) for name, value in query)
    return "&".join(f"{name}={value}" if value else name for name, value in encoded)


def build_canonical_request(
    method: str,
    bucket: str,
    object_key: str,
    *,
    query: QueryPairs,
    headers: Mapping[str, str],
    additional_headers: Iterable[str] = (),
) -> str:
    """Return the text whose hash is signed.

    Args:
        headers: Names in any case; only ``content-type``, ``content-md5``, ``x-oss-*`` and the additional ones count.
        additional_headers: Names of further headers to sign; those that are absent or signed anyway are left out.
    """
    lowered = {name.lower(): value.strip() for name, value in headers.items()}
    additional = _keep_additional(additional_headers, lowered)
    signed = sorted(name for name in lowered if _is_signed_always(name) or name in additional)
    path = "/" + (f"{bucket}/{object_key}" if bucket else "")
    return "\n".join(
        (
            method,
            encode_object_key(path),
            build_canonical_query(query),
            "".join(f"{name}:{lowered[name]}\n" for name in signed),
            ";".join(additional),
            lowered.get("x-oss-content-sha256", UNSIGNED_PAYLOAD),
        )
    )


def build_string_to_sign(canonical_request: str, *, date: str, scope: str) -> str:
    """Return the four lines that are signed."""
    return f"{ALGORITHM}\n{date}\n{scope}\n{sha256(canonical_request.encode()).hexdigest()}"


def sign_request(
    method: str,
    bucket: str,
    object_key: str,
    *,
    credentials: Credentials,
    region: str,
    now: datetime,
    query: QueryPairs = (),
    headers: Mapping[str, str] | None = None,
    additional_headers: Iterable[str] = (),
    product: str = PRODUCT,
) -> dict[str, str]:
    """Return the headers of a signed request, names in lower case: those given, and those that the signature needs."""
    date = format_date(now)
    scope = build_scope(date, region, product)
    # In lower case, so that one given as X-Oss-Date is replaced and not sent twice.
    signed = {name.lower(): value for name, value in (headers or {}).items()}
    signed |= {"x-oss-date": date, "x-oss-content-sha256": UNSIGNED_PAYLOAD}
    if credentials.security_token:
        signed["x-oss-security-token"] = credentials.security_token
    canonical = build_canonical_request(
        method, bucket, object_key, query=query, headers=signed, additional_headers=additional_headers
    )
    signature = _sign(canonical, credentials, date, scope)
    additional = _keep_additional(additional_headers, signed)
    listed = f"AdditionalHeaders={';'.join(additional)}," if additional else ""
    signed["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key_id}/{scope},{listed}Signature={signature}"
    )
    return signed


def presign_query(
    method: str,
    bucket: str,
    object_key: str,
    *,
    credentials: Credentials,
    region: str,
    now: datetime,
    expires: int,
    query: QueryPairs = (),
    headers: Mapping[str, str] | None = None,
    additional_headers: Iterable[str] = (),
    product: str = PRODUCT,
) -> list[tuple[str, str]]:
    """Return the whole query of a presigned URL, the signature last.

    Args:
        expires: Seconds from ``now``.
        headers: Those that the client will have to send just so.

    Raises:
        SignerError: The lifetime is outside what OSS accepts for this kind of key.
    """
    limit = MAX_EXPIRES_STS if credentials.security_token else MAX_EXPIRES
    if not 1 <= expires <= limit:
        raise SignerError(f"a presigned URL lives 1 to {limit} seconds, not {expires}")
    date = format_date(now)
    scope = build_scope(date, region, product)
    sent = headers or {}
    additional = _keep_additional(additional_headers, {name.lower(): "" for name in sent})
    pairs = [
        *query,
        ("x-oss-signature-version", ALGORITHM),
        ("x-oss-date", date),
        ("x-oss-expires", str(expires)),
        ("x-oss-credential", f"{credentials.access_key_id}/{scope}"),
    ]
    if credentials.security_token:
        pairs.append(("x-oss-security-token", credentials.security_token))
    if additional:
        pairs.append(("x-oss-additional-headers", ";".join(additional)))
    canonical = build_canonical_request(
        method, bucket, object_key, query=pairs, headers=sent, additional_headers=additional
    )
    pairs.append(("x-oss-signature", _sign(canonical, credentials, date, scope)))
    return pairs


def presign_url(url: str, query: QueryPairs) -> str:
    """Return an object's URL with a presigned query."""
    return (
        url
        + "?"
        + "&".join(
            f"{encode_component(name)}={encode_component(value)}" if value else encode_component(name)
            for name, value in query
        )
    )


def _sign(canonical: str, credentials: Credentials, date: str, scope: str) -> str:
    day, region, product, _ = scope.split("/")
    key = derive_signing_key(credentials.access_key_secret, day, region, product)
    text = build_string_to_sign(canonical, date=date, scope=scope)
    return hmac.digest(key, text.encode(), "sha256").hex()


def _is_signed_always(name: str) -> bool:
    return name in ("content-type", "content-md5") or name.startswith("x-oss-")


def _keep_additional(names: Iterable[str], present: Mapping[str, str]) -> list[str]:
    lowered = {name.lower() for name in names}
    return sorted(name for name in lowered if name in present and not _is_signed_always(name))
