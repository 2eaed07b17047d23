"""Signature version 1 (HMAC-SHA1) of a Post Policy.

Rules: *Signature version 1*, https://help.aliyun.com/zh/oss/developer-reference/signature-version-1. Closed to new accounts since 2025-03-01
and to new buckets since 2025-09-01; kept for old clients on old buckets.
"""

from __future__ import annotations

import hmac
from base64 import b64encode

from signer.credentials import Credentials


def sign_policy(encoded_policy: str, credentials: Credentials) -> str:
    """Return the Base64 signature of a policy's Base64 text."""
    digest = hmac.digest(credentials.access_key_secret.encode(), encoded_policy.encode("ascii"), "sha1")
    return b64encode(digest).decode("ascii")
