"""Who asks, and what they may see. The default is deny."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from ossgate.access.denied import AccessDenied, credentials_refused, request_forbidden

ANONYMOUS = "anonymous"
UNKNOWN = "unknown"
"""Stands for whoever was granted a prefix that nothing but an object's key tells of; nobody is called so, and operators alone see it."""
API_KEY = "api_key"
JWT = "jwt"
PROXY = "proxy"
SESSION = "session"
BEARER = "bearer"
WAYS = (ANONYMOUS, API_KEY, JWT, PROXY, SESSION, BEARER)
_WORDS = {
    API_KEY: "API keys",
    JWT: "JSON Web Tokens",
    PROXY: "people whom the proxy names",
    SESSION: "people with a session",
    BEARER: "query bearers",
}

__all__ = ["WAYS", "AccessDenied", "Caller", "network_of", "require_way"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks.

    Attributes:
        way: One of `WAYS`.
        name: The API key's name; for the other ways the subject.
        address: Whence they ask.
        subject: The person; empty for anonymous callers and for API keys, which name one with a request.
        profile: The only profile that a query bearer is good for.
        maker: The issuer that made a query bearer, in whose name it acts.
        origin: The page's origin, when it is foreign.
    """

    way: str
    name: str
    address: str
    operator: bool = False
    subject: str = ""
    profile: str = ""
    maker: str = ""
    origin: str = ""

    @property
    def issuer(self) -> str:
        """What the ledger keeps of who asked: ``anonymous``, ``api_key:NAME``, ``jwt:SUBJECT`` and the like; at most 128 bytes.

        A query bearer acts in the name of who made it, so that the two share uploads and quota.
        """
        if self.way == ANONYMOUS:
            return ANONYMOUS
        return self.maker or f"{self.way}:{self.name}"

    @property
    def default_subject(self) -> str:
        """For whom an upload is when the request does not say."""
        return self.subject or self.name or ANONYMOUS

    def quota_key(self, subject: str) -> str:
        """Return whose quota an upload counts against: an address, a person, or a key's subject."""
        if self.way == ANONYMOUS:
            return f"address:{network_of(self.address)}"
        return quota_key_of(self.issuer, subject)

    def may_see(self, issuer: str, subject: str) -> bool:
        """Tell whether an upload may be shown: to operators and to its issuer; when anonymous, to who holds its id.

        Args:
            issuer: Who asked for the upload.
            subject: For whom; a query bearer is shown those of its own person alone.
        """
        if self.operator or issuer == ANONYMOUS:
            return True
        return issuer == self.issuer and (self.way != BEARER or subject == self.subject)


def quota_key_of(issuer: str, subject: str) -> str:
    """Return whose quota an upload counts against, by what its ticket or seal tells: a person's, or an API key's subject's.

    Nobody's (an empty text) when it was issued to an anonymous caller, whose address neither holds, or to somebody unknown.
    """
    if issuer in (ANONYMOUS, UNKNOWN):
        return ""
    return f"{issuer}:{subject}" if issuer.startswith(API_KEY) else issuer


def require_way(caller: Caller, allowed: Sequence[str], profile: str) -> None:
    """Refuse a caller whom a profile does not name.

    Raises:
        AccessDenied: 401 when credentials could help, else 403.
    """
    if caller.profile and caller.profile != profile:
        raise request_forbidden(
            "profile_forbidden",
            f"this bearer is good for the profile {caller.profile} alone",
            "make another with `POST /v1/bearers`",
        )
    if caller.way in allowed:
        return
    if caller.way == ANONYMOUS:
        raise credentials_refused(
            "credentials_missing",
            f"the profile {profile} is not open to everybody",
            "log in, or send Authorization: Bearer and what the profile asks for",
        )
    raise request_forbidden(
        "profile_forbidden",
        f"the profile {profile} is not open to {_WORDS[caller.way]}",
        f'add "{caller.way}" to its allow list',
    )


def network_of(address: str) -> str:
    """Return the network that one person usually has: an IPv4 address, or an IPv6 /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64)) + "/64"
    return str(parsed)
