"""The session policy of temporary credentials: one key or one prefix, and the few actions that an upload needs.

Rules: *AssumeRole*, https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole: at most 2,048 characters; allowed
is what both it and the role allow. *RAM policy*, https://help.aliyun.com/zh/oss/user-guide/ram-policy-overview: ``oss:PutObject`` is also what
beginning, sending and completing an upload in parts need. No condition of a policy names a size, a type or a callback.
"""

from __future__ import annotations

from typing import Any

import orjson

from signer.errors import GrantTooLarge, SignerError, quote

MAX_POLICY_LENGTH = 2048
ACTIONS = ("oss:PutObject", "oss:AbortMultipartUpload", "oss:ListParts")
# In a resource the first two stand for any text, the last begins a variable.
_PATTERNS = frozenset("*?$")


def build_session_policy(bucket: str, object_key: str, *, is_prefix: bool, secure: bool) -> str:
    """Return the policy as JSON.

    Args:
        is_prefix: Whether all keys are meant that begin so.
        secure: Whether plain http is refused; an emulator speaks nothing else.

    Raises:
        SignerError: The key holds a character that policies read as a pattern, and would open more than itself.
        GrantTooLarge: The policy passes STS's limit; answered with 422.
    """
    if _PATTERNS & set(object_key):
        raise SignerError(
            f"no session policy can be cut to {quote(object_key)}", hint="keys without * ? and $"
        )
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": ACTIONS,
        "Resource": [f"acs:oss:*:*:{bucket}/{object_key}" + "*" * is_prefix],
    }
    if secure:
        statement["Condition"] = {"Bool": {"acs:SecureTransport": "true"}}
    policy = orjson.dumps({"Version": "1", "Statement": [statement]}).decode()
    if len(policy) > MAX_POLICY_LENGTH:
        raise GrantTooLarge("the object key is too long for a session policy", hint="shorten the key")
    return policy
