"""``[access]`` and ``[limits]`` become the gate and the rate limits; libraries of ways that are not switched on stay unloaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from ossgate.access import Access, ApiKey
from ossgate.access.bearers import BearerKeys
from ossgate.access.callers import JWT, PROXY, SESSION, WAYS
from ossgate.access.gate import RequestJudge, TokenJudge
from ossgate.access.key_file import KeyFile, may_be_written_by_others
from ossgate.access.keys import is_key_hash, is_key_name
from ossgate.access.origins import ANY, OriginRules, check_origin
from ossgate.access.proxies import TrustedProxy
from ossgate.access.rate_counters import MEMORY, REDIS_SCHEMES, MemoryCounter, RedisCounter
from ossgate.access.rates import ACTIONS, Counter, RateLimits, parse_rate
from ossgate.access.requests import note_standing
from ossgate.access.sessions import SessionCookie
from ossgate.access_settings import JwtSettings, ProxySettings, SessionSettings
from ossgate.logs import log_event
from ossgate.problems import Location, Problem
from ossgate.settings import LoadedSettings, Override

MIN_SESSION_SECRET_BYTES = 16
"""Flask's documentation makes keys of 32 characters; some have half of that, and fewer can be guessed."""


@dataclass(frozen=True, slots=True)
class ProblemBook:
    """Where the assembly notes what cannot work.

    Attributes:
        add: Notes a problem.
        at: Notes what is raised within as a problem there.
        require: Notes a problem (place, message, fix) unless its override is among those of the settings.
    """

    add: Callable[[Problem], None]
    at: Callable[[Location], AbstractContextManager[None]]
    require: Callable[[Override, Location, str, str], None]


class AccessAssembler:
    """Builds what `[access]`, `[limits]` and the lists of origins describe."""

    def __init__(self, loaded: LoadedSettings, book: ProblemBook) -> None:
        self._loaded = loaded
        self._settings = loaded.settings
        self._book = book

    def build_access(self, ticket_keys: Sequence[bytes]) -> Access:
        """Return the gate; what cannot work is in the book."""
        access = self._settings.access
        self._check_profiles()
        judges = (self._build_proxy(access.proxy), self._build_session(access.session))
        return Access(
            self._build_keys(),
            jwt=self._build_jwt(access.jwt),
            ambient=[judge for judge in judges if judge is not None],
            bearers=BearerKeys(ticket_keys) if ticket_keys else None,
            origins=self._build_origins(),
        )

    def build_limits(self) -> RateLimits:
        """Return the rate limits; what cannot work is in the book."""
        limits = self._settings.limits
        rates = {}
        for action in ACTIONS:
            written = getattr(limits, action)
            if written:
                with self._book.at(("limits", action)):
                    rates[action] = parse_rate(written)
        return RateLimits(rates, per=limits.per, counter=self._build_counter(), note=note_standing)

    def _build_counter(self) -> Counter:
        url = self._settings.limits.storage
        location = ("limits", "storage")
        if url.startswith(("env:", "file:")):
            with self._book.at(location):
                url = self._loaded.read_secret(url).decode()
        if url == MEMORY:
            return MemoryCounter()
        if not url.startswith(REDIS_SCHEMES):
            self._book.add(
                Problem(
                    location,
                    "is no place where rates can be counted",
                    'write "memory" or "redis://host:6379/0"',
                )
            )
            return MemoryCounter()
        with self._book.at(location):
            _check_redis(url)
        return RedisCounter(url, log=log_event)

    def _build_keys(self) -> Sequence[ApiKey] | Callable[[], Sequence[ApiKey]]:
        keys = []
        for name, key in self._settings.access.api_keys.items():
            if not is_key_hash(key.hash):
                self._book.add(
                    Problem(
                        ("access", "api_keys", name, "hash"),
                        "is no hash of an API key",
                        "make key and hash with `ossgate keys new`",
                    )
                )
            if not is_key_name(name):
                self._book.add(
                    Problem(
                        ("access", "api_keys", name),
                        "cannot name a key",
                        "use at most 64 letters, digits, _ and -",
                    )
                )
            keys.append(ApiKey(name, key.hash, key.operator))
        file = self._settings.access.api_keys_file
        if not file:
            return keys
        here, path = ("access", "api_keys_file"), self._loaded.resolve_path(file)
        if may_be_written_by_others(path):
            self._book.require(
                "readable_secrets",
                here,
                f"{path} can be written by others than its owner, who could add keys",
                "chmod 600 the file",
            )
        with self._book.at(here):
            lax = "readable_secrets" in self._settings.allow_insecure
            found = KeyFile(path, keys, log=log_event, lax=lax)
            names = [key.name for key in found.list_keys()]
            for name in dict.fromkeys(name for name in names if names.count(name) > 1):
                self._book.add(
                    Problem(
                        ("access", "api_keys", name),
                        f"the file {file} has a key of this name, too",
                        f"take it out here, or there with `ossgate keys revoke {name}`",
                    )
                )
            return found.list_keys
        return keys

    def _build_jwt(self, written: JwtSettings | None) -> TokenJudge | None:
        if written is None:
            return None
        here = ("access", "jwt")
        given = [name for name in ("jwks_url", "secret", "public_key") if getattr(written, name)]
        if len(given) != 1:
            self._book.add(
                Problem(
                    here,
                    f"has {' and '.join(given)}" if given else "has no key",
                    "set exactly one of jwks_url, secret and public_key",
                )
            )
            return None
        if bool(written.operator_claim) != bool(written.operator_value):
            self._book.add(
                Problem(
                    (*here, "operator_claim"),
                    "makes operators only together with operator_value",
                    "set both, or neither",
                )
            )
        # Only here, since reading keys loads a library that most do not need.
        from ossgate.access_jwt import build_verifier

        return build_verifier(written, given[0], self._loaded, self._book)

    def _build_proxy(self, written: ProxySettings | None) -> RequestJudge | None:
        if written is None:
            return None
        here = ("access", "proxy")
        if not written.peers:
            self._book.add(
                Problem((*here, "from"), "is empty, so nobody is believed", "list the proxy's own addresses")
            )
        with self._book.at((*here, "from")):
            TrustedProxy("X-User", written.peers)
            with self._book.at((*here, "header")):
                return TrustedProxy(written.header, written.peers)
        return None

    def _build_session(self, written: SessionSettings | None) -> RequestJudge | None:
        if written is None:
            return None
        here = ("access", "session")
        secrets = []
        with self._book.at((*here, "secret")):
            secrets = [self._loaded.read_secret(one) for one in written.secret]
        for secret in secrets:
            if len(secret) < MIN_SESSION_SECRET_BYTES:
                self._book.require(
                    "short_keys",
                    (*here, "secret"),
                    f"the application's SECRET_KEY has {len(secret)} bytes, which can be guessed",
                    "let the application use one of secrets.token_hex()",
                )
        with self._book.at((*here, "cookie")):
            return SessionCookie(written.cookie, secrets, written.subject_key, lifetime=written.lifetime)
        return None

    def _build_origins(self) -> OriginRules:
        profiles = self._settings.profiles
        lists: list[tuple[Location, Sequence[str]]] = [(("server", "origins"), self._settings.server.origins)]
        lists += [(("profiles", name, "origins"), written.origins) for name, written in profiles.items()]
        for location, origins in lists:
            for origin in origins:
                if origin == ANY and location[0] == "server":
                    continue
                with self._book.at(location):
                    check_origin(origin)
        return OriginRules(
            self._settings.server.origins, {name: written.origins for name, written in profiles.items()}
        )

    def _check_profiles(self) -> None:
        access = self._settings.access
        sections = {JWT: access.jwt, PROXY: access.proxy, SESSION: access.session}
        for name, written in self._settings.profiles.items():
            for way in written.allow:
                location = ("profiles", name, "allow")
                if way not in WAYS:
                    self._book.add(
                        Problem(location, f"{way!r} is no way to ask", "one of " + ", ".join(WAYS))
                    )
                elif way in sections and sections[way] is None:
                    self._book.add(
                        Problem(
                            location, f"nobody can come by {way!r}", f"set up [access.{way}], or take it out"
                        )
                    )


def _check_redis(url: str) -> None:
    if not urlsplit(url).hostname:
        raise ValueError("names no host, such as redis://127.0.0.1:6379/0")
    if find_spec("redis") is None:
        raise ValueError("needs the library redis: pip install 'ossgate[redis]'")
