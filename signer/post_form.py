"""The signed part of an upload form, V4 and V1.

Rules: *PostObject*, https://help.aliyun.com/zh/oss/developer-reference/postobject, and *Signature version 4*,
https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend: a V4 policy must name ``x-oss-signature-version``,
``x-oss-credential``, ``x-oss-date`` and, with STS, ``x-oss-security-token``, and the form must send the same values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from signer import v1, v4
from signer.conditions import Condition, eq, pin
from signer.credentials import Credentials
from signer.policy import build_policy, encode_policy

SignatureVersion = Literal["v4", "v1"]


def sign_form(
    fields: Mapping[str, str],
    conditions: Sequence[Condition],
    *,
    version: SignatureVersion,
    credentials: Credentials,
    region: str,
    now: datetime,
    expires_at: datetime,
) -> dict[str, str]:
    """Return form fields in the order in which they are posted; the file follows them.

    Args:
        fields: What the form holds beside the signature; kept in this order, in front.
        conditions: What the policy demands; the signature's own conditions are added here.
        region: Without ``oss-``; only V4 signs it.
        now: Aware time.
    """
    sign = _sign_v4 if version == "v4" else _sign_v1
    return sign(fields, conditions, credentials, region, now, expires_at)


def _sign_v4(
    fields: Mapping[str, str],
    conditions: Sequence[Condition],
    credentials: Credentials,
    region: str,
    now: datetime,
    expires_at: datetime,
) -> dict[str, str]:
    date = v4.format_date(now)
    credential = f"{credentials.access_key_id}/{v4.build_scope(date, region)}"
    own = {"x-oss-signature-version": v4.ALGORITHM, "x-oss-credential": credential, "x-oss-date": date}
    if credentials.security_token:
        own["x-oss-security-token"] = credentials.security_token
    encoded_policy = encode_policy(build_policy([*conditions, *pin(own)], expires_at=expires_at))
    signature = v4.sign_policy(encoded_policy, credentials, date=date, region=region)
    return {**fields, **own, "policy": encoded_policy, "x-oss-signature": signature}


def _sign_v1(
    fields: Mapping[str, str],
    conditions: Sequence[Condition],
    credentials: Credentials,
    region: str,
    now: datetime,
    expires_at: datetime,
) -> dict[str, str]:
    own = {"OSSAccessKeyId": credentials.access_key_id}
    demanded = list(conditions)
    if credentials.security_token:
        # OSS does not demand this condition of V1; without it a client could post under another token of the same key.
        own["x-oss-security-token"] = credentials.security_token
        demanded.append(eq("x-oss-security-token", credentials.security_token))
    encoded_policy = encode_policy(build_policy(demanded, expires_at=expires_at))
    return {
        **fields,
        **own,
        "policy": encoded_policy,
        "Signature": v1.sign_policy(encoded_policy, credentials),
    }
