"""The Post Policy document: its JSON, and the Base64 text that is signed and sent.

Rules: *PostObject*, https://help.aliyun.com/zh/oss/developer-reference/postobject. What is signed is the Base64 text itself,
so the same string must reach OSS; encoding the JSON again changes the signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from signer.base64_text import encode_base64
from signer.conditions import Condition
from signer.errors import ConditionError
from signer.times import format_seconds


def build_policy(conditions: Sequence[Condition], *, expires_at: datetime) -> bytes:
    """Return the policy document as UTF-8 JSON.

    Args:
        expires_at: Aware time; written to the second, since OSS judges it when the whole form has arrived.

    Raises:
        ConditionError: No conditions; OSS refuses such a policy.
    """
    if not conditions:
        raise ConditionError("a policy needs a condition", hint="name at least the bucket")
    return orjson.dumps({"expiration": format_expiration(expires_at), "conditions": conditions})


def encode_policy(policy: bytes) -> str:
    """Return the Base64 text of a policy document."""
    return encode_base64(policy)


def format_expiration(moment: datetime) -> str:
    """Return a time as policies write it, such as ``2026-01-02T03:04:05.000Z``."""
    return format_seconds(moment) + ".000Z"
