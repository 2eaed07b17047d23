"""Grants of temporary credentials: to one key or one prefix, with the callback ready made.

Rules: *Callback*, https://help.aliyun.com/zh/oss/developer-reference/callback, *Use temporary credentials from STS to access OSS*,
https://help.aliyun.com/zh/oss/developer-reference/use-temporary-access-credentials-provided-by-sts-to-access-oss. What such a client sends is
its own affair within the session policy: `docs/locks.md` tells which locks it lacks.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

import orjson

from signer.credentials import Credentials
from signer.facts import Facts
from signer.file_names import build_content_disposition
from signer.profiles import Profile
from signer.seal import METADATA_NAME
from signer.times import format_seconds


@dataclass(frozen=True, slots=True)
class StsGrant:
    """Credentials for one upload, or for many below one prefix."""

    facts: Facts
    profile: Profile
    credentials: Credentials
    seal: str = field(repr=False)
    callback_param: str = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return the grant in the shape that clients read."""
        is_prefix = self.facts.use == "prefix"
        place = self.profile.place
        ends = self.credentials.expires_at or self.facts.expires
        expiration = format_seconds(min(ends, self.facts.expires)) + "Z"
        return {
            "grant_id" if is_prefix else "upload_id": self.facts.upload_id,
            "credentials": {
                "access_key_id": self.credentials.access_key_id,
                "access_key_secret": self.credentials.access_key_secret,
                "security_token": self.credentials.security_token,
                "expiration": expiration,
            },
            "bucket": place.bucket,
            "region": place.region,
            "endpoint": place.endpoint,
            "host": place.host,
            "cname": place.is_cname,
            "key_prefix" if is_prefix else "object_key": self.facts.object_key,
            "headers": self.build_headers(),
            "callback": orjson.loads(b64decode(self.callback_param)),
            "callback_vars": {},
            "callback_param": self.callback_param,
            "min_size": self.facts.size_min,
            "max_size": self.facts.size_max,
            "expires_at": expiration,
            "profile": self.facts.profile,
        }

    def build_headers(self) -> dict[str, str]:
        """Return the headers that the client is asked to send with the object; nothing makes it."""
        headers: dict[str, str] = {}
        if self.facts.use == "once":
            headers["Content-Type"] = self.facts.content_type
            headers["Content-Disposition"] = build_content_disposition(
                self.profile.disposition, self.facts.file_name
            )
        headers |= {
            "x-oss-forbid-overwrite": "true",
            "x-oss-storage-class": self.profile.storage_class,
            METADATA_NAME: self.seal,
        }
        # Setting an ACL needs a permission of its own, which would let the client choose any.
        return headers
