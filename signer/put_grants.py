"""Grants of one presigned PUT: a URL, and the very headers that must go with it.

Rules: *PutObject*, https://help.aliyun.com/zh/oss/developer-reference/putobject, *Add signatures to URLs*,
https://help.aliyun.com/zh/oss/developer-reference/add-signatures-to-urls, *Callback*, https://help.aliyun.com/zh/oss/developer-reference/callback.
A PUT cannot carry a range of sizes. V4 signs the exact length instead; V1 cannot, and a wrong size is then found by the callback's layers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from signer.facts import Facts
from signer.object_headers import build_object_headers
from signer.presign import UrlSigner
from signer.profiles import Profile
from signer.times import format_seconds

CALLBACK_HEADER = "x-oss-callback"
CALLBACK_PARAMETER = "callback"
LENGTH_HEADER = "Content-Length"
DIGEST_HEADER = "Content-MD5"
SIGNED_BESIDES = ("content-disposition", "content-length")
"""What V4 signs as additional headers."""


@dataclass(frozen=True, slots=True)
class PutGrant:
    """One PUT. ``headers`` are exactly those that the client must send; the length goes by itself."""

    facts: Facts
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    expires_at: datetime
    method: str = "PUT"

    def to_json(self) -> dict[str, Any]:
        """Return the grant in the shape that clients read."""
        return {
            "upload_id": self.facts.upload_id,
            "method": self.method,
            "url": self.url,
            "headers": self.headers,
            "content_length": self.facts.size_max,
            "object_key": self.facts.object_key,
            "expires_at": format_seconds(self.expires_at) + "Z",
            "profile": self.facts.profile,
        }


def sign_put(
    profile: Profile, facts: Facts, *, seal: str, callback_param: str, signer: UrlSigner, expires: int
) -> PutGrant:
    """Return the grant of one PUT.

    Args:
        callback_param: Bound by the signature wherever it travels: a header that is missing or changed breaks it just as a parameter does.
        expires: Seconds from now.
    """
    headers = build_object_headers(profile, facts, seal)
    if facts.content_md5:
        headers[DIGEST_HEADER] = facts.content_md5
    query = []
    if profile.put_callback == "header":
        headers[CALLBACK_HEADER] = callback_param
    else:
        query.append((CALLBACK_PARAMETER, callback_param))
    # Every client sets the length by itself, and pages are not allowed to; so it is signed, and not among what is to be sent.
    url = signer.sign(
        "PUT",
        facts.object_key,
        expires=expires,
        query=query,
        headers=headers | {LENGTH_HEADER: str(facts.size_max)},
        additional_headers=SIGNED_BESIDES,
    )
    return PutGrant(facts=facts, url=url, headers=headers, expires_at=facts.expires)
