"""Who asks, and what they may see. The default is deny."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import IPv6Address, ip_address

from ossgate.access.keys import ApiKey, hash_api_key

ANONYMOUS = "anonymous"
API_KEY = "api_key"
WAYS = (ANONYMOUS, API_KEY)


class AccessDenied(Exception):
    """A caller who may not do this; ``authenticate`` tells that other credentials could."""

    def __init__(self, code: str, message: str, *, hint: str, authenticate: bool) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.authenticate = authenticate


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks."""

    way: str
    name: str
    address: str
    operator: bool = False

    @property
    def issuer(self) -> str:
        """What the ledger keeps of who asked: ``anonymous`` or ``api_key:NAME``."""
        return self.way if self.way == ANONYMOUS else f"{self.way}:{self.name}"

    def quota_key(self, subject: str) -> str:
        """Return whose quota an upload counts against: an address, or a key's subject."""
        return f"address:{network_of(self.address)}" if self.way == ANONYMOUS else f"{self.issuer}:{subject}"

    def may_see(self, issuer: str) -> bool:
        """Tell whether an upload may be shown: to operators, to its issuer; when anonymous, to who holds its id."""
        return self.operator or issuer == ANONYMOUS or issuer == self.issuer


class Access:
    """Knows the API keys."""

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = tuple(keys)

    def identify(self, authorization: str, address: str) -> Caller:
        """Return who sends this Authorization header from this address.

        Raises:
            AccessDenied: The header is there and wrong; a wrong key is never taken for none.
        """
        if not authorization:
            return Caller(ANONYMOUS, "", address)
        scheme, _, presented = authorization.partition(" ")
        if scheme.lower() != "bearer" or not presented.strip():
            raise AccessDenied(
                "credentials_invalid",
                "the Authorization header is no bearer key",
                hint="send Authorization: Bearer and the API key",
                authenticate=True,
            )
        hashed = hash_api_key(presented.strip())
        found = None
        # Each is compared, in constant time: how long it takes tells nothing about which one was near.
        for key in self._keys:
            if compare_digest(key.hash, hashed):
                found = key
        if found is None:
            raise AccessDenied(
                "credentials_invalid",
                "this API key is not known",
                hint="make one with `ossgate keys new` and add its hash to [access.api_keys]",
                authenticate=True,
            )
        return Caller(API_KEY, found.name, address, found.operator)


def require_way(caller: Caller, allowed: Sequence[str], profile: str) -> None:
    """Refuse a caller whom a profile does not name.

    Raises:
        AccessDenied: 401 when credentials could help, else 403.
    """
    if caller.way in allowed:
        return
    if caller.way == ANONYMOUS:
        raise AccessDenied(
            "credentials_missing",
            f"the profile {profile} is not open to everybody",
            hint="send Authorization: Bearer and an API key",
            authenticate=True,
        )
    raise AccessDenied(
        "profile_forbidden",
        f"the profile {profile} is not open to API keys",
        hint='add "api_key" to its allow list',
        authenticate=False,
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
