"""Signature version 1 (HMAC-SHA1): policies, request headers and URLs.

Rules: *Signature version 1*, https://help.aliyun.com/zh/oss/developer-reference/signature-version-1, *Add signatures to URLs*,
https://help.aliyun.com/zh/oss/developer-reference/add-signatures-to-urls. Closed to new accounts since 2025-03-01 and to new buckets since
2025-09-01; kept for old clients on old buckets.

It signs ``Content-MD5``, ``Content-Type`` and every ``x-oss-*`` header, of the query only what is listed below, and no other header:
``Content-Length`` and ``Content-Disposition`` cannot be pinned by it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime

from signer.base64_text import encode_base64
from signer.credentials import Credentials
from signer.errors import SignerError
from signer.times import to_utc

QueryPairs = Iterable[tuple[str, str]]

SUBRESOURCES = frozenset(
    {
        "accessPoint", "accessPointPolicy", "acl", "append", "asyncFetch", "bucketArchiveDirectRead", "bucketInfo",
        "callback", "callback-var", "cloudboxes", "cname", "comp", "continuation-token", "cors", "delete", "dir",
        "encryption", "endTime", "group", "httpsConfig", "img", "inventory", "inventoryId", "lifecycle", "link", "live",
        "location", "logging", "metaQuery", "objectInfo", "objectMeta", "partNumber", "policy", "policyStatus",
        "position", "processConfiguration", "publicAccessBlock", "qos", "qosInfo", "qosRequester",
        "redundancyTransition", "referer", "regionList", "rename", "replication", "replicationLocation",
        "replicationProgress", "requestPayment", "requesterQosInfo", "resourceGroup", "resourcePool",
        "resourcePoolBuckets", "resourcePoolInfo", "response-cache-control", "response-content-disposition",
        "response-content-encoding", "response-content-language", "response-content-type", "response-expires",
        "restore", "security-token", "seal", "sequential", "startTime", "stat", "status", "style", "styleName",
        "symlink", "tagging", "transferAcceleration", "uploadId", "uploads", "versionId", "versioning", "versions",
        "vod", "website", "worm", "wormExtend", "wormId",
    }
)  # fmt: skip
"""Query parameters that are signed: those documented, and those that the official SDKs sign beside them."""


def sign_policy(encoded_policy: str, credentials: Credentials) -> str:
    """Return the Base64 signature of a policy's Base64 text."""
    return _sign(encoded_policy, credentials)


def build_string_to_sign(
    method: str,
    bucket: str | None,
    object_key: str | None,
    *,
    query: QueryPairs,
    headers: Mapping[str, str],
    date: str,
) -> str:
    """Return the text that is signed.

    Args:
        bucket: None for a request to the service itself, which has no bucket.
        object_key: None for a request to the bucket itself.
        headers: Names in any case; only ``Content-MD5``, ``Content-Type`` and ``x-oss-*`` count.
        date: What ``x-oss-date`` says, else ``Date``; the ``Expires`` of a URL.
    """
    lowered = {name.lower(): value.strip() for name, value in headers.items()}
    oss_headers = [f"{name}:{lowered[name]}" for name in sorted(lowered) if name.startswith("x-oss-")]
    return "\n".join(
        (
            method,
            lowered.get("content-md5", ""),
            lowered.get("content-type", ""),
            date,
            *oss_headers,
            _build_resource(bucket, object_key, query),
        )
    )


def sign_request(
    method: str,
    bucket: str | None,
    object_key: str | None,
    *,
    credentials: Credentials,
    now: datetime,
    query: QueryPairs = (),
    headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the headers of a signed request, names in lower case: those given, and those that the signature needs."""
    # In lower case, so that one given as X-Oss-Date is replaced and not sent twice.
    signed = {name.lower(): value for name, value in (headers or {}).items()}
    # Browsers and some libraries set Date by themselves; x-oss-date outranks it.
    signed["x-oss-date"] = format_date(now)
    if credentials.security_token:
        signed["x-oss-security-token"] = credentials.security_token
    text = build_string_to_sign(
        method, bucket, object_key, query=query, headers=signed, date=signed["x-oss-date"]
    )
    signed["Authorization"] = f"OSS {credentials.access_key_id}:{_sign(text, credentials)}"
    return signed


def presign_query(
    method: str,
    bucket: str,
    object_key: str,
    *,
    credentials: Credentials,
    now: datetime,
    expires: int,
    query: QueryPairs = (),
    headers: Mapping[str, str] | None = None,
) -> list[tuple[str, str]]:
    """Return the whole query of a presigned URL, the signature last.

    Args:
        expires: Seconds from ``now``.
        headers: Those that the client will have to send just so.

    Raises:
        SignerError: The lifetime is none.
    """
    if expires < 1:
        raise SignerError(f"a presigned URL lives at least a second, not {expires}")
    until = str(int((to_utc(now) + timedelta(seconds=expires)).timestamp()))
    pairs = list(query)
    if credentials.security_token:
        pairs.append(("security-token", credentials.security_token))
    text = build_string_to_sign(method, bucket, object_key, query=pairs, headers=headers or {}, date=until)
    return [
        *pairs,
        ("OSSAccessKeyId", credentials.access_key_id),
        ("Expires", until),
        ("Signature", _sign(text, credentials)),
    ]


def format_date(moment: datetime) -> str:
    """Return a time as HTTP and ``x-oss-date`` of this version write it, such as ``Fri, 02 Jan 2026 03:04:05 GMT``."""
    return format_datetime(to_utc(moment), usegmt=True)


def _build_resource(bucket: str | None, object_key: str | None, query: QueryPairs) -> str:
    # The key and the values stand here as they are, not percent-encoded.
    resource = "/" if bucket is None else f"/{bucket}/{object_key or ''}"
    signed = sorted((name, value) for name, value in query if _is_subresource(name))
    return (
        resource
        + "?" * bool(signed)
        + "&".join(f"{name}={value}" if value else name for name, value in signed)
    )


def _is_subresource(name: str) -> bool:
    return name in SUBRESOURCES or name.startswith("x-oss-")


def _sign(text: str, credentials: Credentials) -> str:
    digest = hmac.digest(credentials.access_key_secret.encode(), text.encode(), "sha1")
    return encode_base64(digest)
