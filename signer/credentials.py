"""The keys that requests to OSS are signed with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from signer.errors import SignerError


class CredentialsUnavailable(SignerError):
    """There is nothing to sign with at the moment."""

    code = "credentials_unavailable"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An AccessKey pair, with a security token when it came from STS."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    """When the token ends, as far as that is known; what is signed with it ends no later."""
