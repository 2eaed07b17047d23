"""Which foreign pages may use which profile.

A preflight cannot know the profile, which stands in the body of the request that follows; so preflights allow the union of all
origins, and the request itself is refused when its page is foreign to the profile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ossgate.access.callers import Caller
from ossgate.access.denied import request_forbidden

ANY = "*"
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?|null")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def check_origin(written: str) -> None:
    """Refuse what no browser sends as an Origin.

    Raises:
        ValueError: With what is wrong.
    """
    scheme, _, rest = written.partition("://")
    if not _ORIGIN.fullmatch(written):
        raise ValueError(f"{written!r} is no origin; write scheme, host and port alone, in small letters")
    if rest.rpartition(":")[2] == _DEFAULT_PORTS.get(scheme):
        raise ValueError(f"{written!r} names the port that browsers leave out; leave it out as well")


class OriginRules:
    """Exact origins: those that count for every profile, and those of single ones."""

    def __init__(
        self, shared: Sequence[str] = (), by_profile: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._by_profile = {name: frozenset(origins) for name, origins in (by_profile or {}).items()}
        self._shared = frozenset(shared)
        self.union = tuple(
            dict.fromkeys([*shared, *(one for own in self._by_profile.values() for one in own)])
        )

    def allows(self, origin: str, profile: str) -> bool:
        """Tell whether a page may use a profile; where no origin is listed at all, CORS has kept foreign pages out."""
        if not origin or not self.union or ANY in self._shared:
            return True
        return origin in self._shared or origin in self._by_profile.get(profile, ())

    def list_origins(self, profile: str) -> tuple[str, ...]:
        """Return the pages that may use a profile: those of all profiles, and its own."""
        return tuple(
            one for one in self.union if one in self._shared or one in self._by_profile.get(profile, ())
        )

    def require_origin(self, caller: Caller, profile: str) -> None:
        """Refuse a caller on a page that is foreign to a profile.

        Raises:
            AccessDenied: 403 ``origin_forbidden``.
        """
        if not self.allows(caller.origin, profile):
            raise request_forbidden(
                "origin_forbidden",
                f"pages of this origin may not use the profile {profile}",
                f"add the origin to [profiles.{profile}] origins, or to [server] origins for all profiles",
            )
