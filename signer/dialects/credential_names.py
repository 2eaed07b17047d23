"""Temporary credentials under the names that STS gives them, and the fields that we add for clients that must know more.

Rules: *AssumeRole*, https://help.aliyun.com/zh/ram/developer-reference/api-sts-2015-04-01-assumerole. Times are ``2026-01-02T03:04:05Z``: the
mobile SDKs read a fraction or an offset as another time, or as none.
"""

from __future__ import annotations

from typing import Any

from signer.dialects.contract import DialectRequest
from signer.dialects.handed import HandedCredentials
from signer.dialects.wishes import TemporaryCredentials
from signer.times import format_seconds

LEAST_SECONDS = 900
"""The mobile SDKs ask again 300 seconds before the end: what lives that short is fetched for every request."""


def want_credentials(request: DialectRequest, seconds: int = 3600) -> TemporaryCredentials:
    """Return the wish for credentials: new ones, or fresh ones for what the client holds."""
    return TemporaryCredentials(request.query.get("grant", ""), seconds)


def name_credentials(handed: HandedCredentials) -> dict[str, Any]:
    """Return the four fields that STS names so."""
    return {
        "AccessKeyId": handed.credentials.access_key_id,
        "AccessKeySecret": handed.credentials.access_key_secret,
        "SecurityToken": handed.credentials.security_token or "",
        "Expiration": format_end(handed),
    }


def name_extras(handed: HandedCredentials) -> dict[str, Any]:
    """Return what a client must know besides: where its keys begin, what to send for fresh ones, and the callback to attach."""
    return {
        "dir": handed.prefix,
        "grant": handed.grant,
        "bucket": handed.bucket,
        "region": handed.region,
        "endpoint": handed.endpoint,
        "callbackParam": dict(handed.callback),
        "callbackVars": dict(handed.callback_variables),
    }


def format_end(handed: HandedCredentials) -> str:
    """Return when they end, in the one form that every SDK reads alike."""
    return format_seconds(handed.expires_at) + "Z"
