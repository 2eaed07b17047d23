"""Temporary credentials: AssumeRole, asked of STS by ourselves.

Rules: *AssumeRole*, https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole. The official package for this
one call brings 28 distributions and 65 MB.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from ossgate.bucket.pools import Pools
from signer.acs3 import sign_call
from signer.credentials import Credentials
from signer.v4 import presign_url

VERSION = "2015-04-01"
MIN_DURATION = 900
MAX_DURATION = 12 * 3600
MAX_ANSWER_BYTES = 64 * 1024
"""Tokens have no documented length; today's have about a kilobyte."""
SECONDS = 5.0


class StsUnavailable(Exception):
    """STS gave no credentials; ``reason`` is its own code, or what went wrong on the way, for the log."""

    code = "sts_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"STS gave no credentials: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AssumedRole:
    """Whose credentials are asked for."""

    role_arn: str
    endpoint: str
    session_name: str = "ossgate"
    duration: int = 3600
    external_id: str = ""


class StsClient:
    """Asks STS for credentials cut to a policy; connections are kept, and opened on first use."""

    def __init__(
        self,
        role: AssumedRole,
        credentials: Callable[[], Credentials],
        *,
        now: Callable[[], datetime],
        new_nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self.role = role
        self._credentials = credentials
        self._now = now
        self._new_nonce = new_nonce
        self._pools = Pools()

    def assume_role(self, policy: str) -> Credentials:
        """Return credentials that may do what the role and this policy allow.

        Raises:
            StsUnavailable: No answer in time, a refusal, or an answer that is not STS's.
        """
        query = [
            ("DurationSeconds", str(self.role.duration)),
            ("Policy", policy),
            ("RoleArn", self.role.role_arn),
            ("RoleSessionName", self.role.session_name),
        ]
        if self.role.external_id:
            query.append(("ExternalId", self.role.external_id))
        headers = sign_call(
            "POST",
            urlsplit(self.role.endpoint).netloc,
            action="AssumeRole",
            version=VERSION,
            query=query,
            credentials=self._credentials(),
            now=self._now(),
            nonce=self._new_nonce(),
        )
        headers["Accept"] = "application/json"
        pool, path = self._pools.find(self.role.endpoint)
        try:
            response = pool.urlopen(
                "POST",
                presign_url(path + "/", query),
                body=b"",
                headers=headers,
                timeout=urllib3.Timeout(total=SECONDS),
                redirect=False,
                retries=False,
                preload_content=False,
            )
            body = response.read(MAX_ANSWER_BYTES + 1)
            if len(body) > MAX_ANSWER_BYTES:
                response.close()
        except HTTPError as error:
            raise StsUnavailable(type(error).__name__) from error
        return _read_credentials(response.status, body)

    def close(self) -> None:
        """Close all kept connections."""
        self._pools.close()


def _read_credentials(status: int, body: bytes) -> Credentials:
    try:
        answer: dict[str, Any] = json.loads(body)
        if status != 200:
            # Its message may name the role and the account, which are nobody's affair but the operator's.
            raise StsUnavailable(f"{status} {str(answer['Code'])[:80]}")
        given = answer["Credentials"]
        credentials = Credentials(
            given["AccessKeyId"],
            given["AccessKeySecret"],
            given["SecurityToken"],
            datetime.strptime(given["Expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise StsUnavailable(f"{status} and an answer that is not STS's") from error
    if not all(
        isinstance(text, str) and text
        for text in (credentials.access_key_id, credentials.access_key_secret, credentials.security_token)
    ):
        raise StsUnavailable("an answer without credentials")
    return credentials
