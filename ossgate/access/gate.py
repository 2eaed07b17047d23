"""The gate: each way to tell who asks, tried in one order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from ossgate.access.bearers import BearerKeys
from ossgate.access.callers import ANONYMOUS, API_KEY, Caller, require_way
from ossgate.access.denied import AccessDenied, credentials_refused
from ossgate.access.headers import Environ, find_foreign_origin, read_query_token
from ossgate.access.keys import ApiKey, find_api_key
from ossgate.access.origins import OriginRules


class TokenJudge(Protocol):
    """Tells who holds a JSON Web Token."""

    def identify(self, token: str, address: str) -> Caller:
        """Return who holds the token. Raises AccessDenied and KeysUnavailable."""
        ...


class RequestJudge(Protocol):
    """Tells who asks by something else that a request carries."""

    def identify(self, environ: Environ, address: str) -> Caller | None:
        """Return who asks, or nothing when the request does not say. Raises AccessDenied."""
        ...


class Access:
    """Knows every way to ask that the settings switch on.

    Args:
        keys: The API keys; a callable where they can change while the server runs.
        jwt: Judge of JSON Web Tokens.
        ambient: Judges of what comes by itself, in their order: the proxy's header, then the session.
        bearers: Judge of query bearers.
        origins: Which foreign pages may use which profile.
    """

    def __init__(
        self,
        keys: Sequence[ApiKey] | Callable[[], Sequence[ApiKey]] = (),
        *,
        jwt: TokenJudge | None = None,
        ambient: Sequence[RequestJudge] = (),
        bearers: BearerKeys | None = None,
        origins: OriginRules | None = None,
    ) -> None:
        self._list_keys = keys if callable(keys) else lambda: keys
        self._jwt = jwt
        self._ambient = tuple(ambient)
        self.bearers = bearers
        self.origins = origins or OriginRules()

    def identify(self, environ: Environ, *, allow_query_bearer: bool = False) -> Caller:
        """Return who sends a request.

        The Authorization header counts before what proxies and browsers send by themselves, and that before the query.

        Args:
            environ: The request as WSGI has it.
            allow_query_bearer: Whether ``?token=`` counts here.

        Raises:
            AccessDenied: Credentials are there and wrong; wrong ones are never taken for none.
            KeysUnavailable: A token cannot be judged now.
        """
        caller = self._identify(environ, allow_query_bearer)
        if "HTTP_ORIGIN" in environ and self.origins.union:
            return replace(caller, origin=find_foreign_origin(environ))
        return caller

    def require_profile(self, caller: Caller, profile: str, allowed: Sequence[str]) -> None:
        """Refuse a caller whom a profile does not name, or whose page is foreign to it.

        Raises:
            AccessDenied: 401 when credentials could help, else 403.
        """
        require_way(caller, allowed, profile)
        self.origins.require_origin(caller, profile)

    def may_use(self, caller: Caller, profile: str, allowed: Sequence[str]) -> bool:
        """Tell whether a profile is open to a caller."""
        return (
            caller.way in allowed
            and caller.profile in ("", profile)
            and self.origins.allows(caller.origin, profile)
        )

    def _identify(self, environ: Environ, allow_query_bearer: bool) -> Caller:
        address = environ.get("REMOTE_ADDR") or ""
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        scheme, _, presented = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return self._identify_token(presented.strip(), address)
        for judge in self._ambient:
            caller = judge.identify(environ, address)
            if caller is not None:
                return caller
        if authorization:
            # Not before the proxy: one that asks for a password hands the header on.
            raise credentials_refused(
                "credentials_invalid",
                "the Authorization header is no bearer key",
                "send Authorization: Bearer and the API key or token",
            )
        if allow_query_bearer and self.bearers is not None:
            token = read_query_token(environ)
            if token:
                return self.bearers.identify(token, address, knows_key=self._knows_key)
        return Caller(ANONYMOUS, "", address)

    def _identify_token(self, token: str, address: str) -> Caller:
        # API keys hold no dot, and every JSON Web Token two.
        if self._jwt is not None and "." in token:
            return self._jwt.identify(token, address)
        key = find_api_key(self._list_keys(), token)
        if key is None:
            raise self._refuse_key(token)
        return Caller(API_KEY, key.name, address, key.operator)

    def _refuse_key(self, token: str) -> AccessDenied:
        if token.count(".") == 2:
            return credentials_refused(
                "credentials_invalid",
                "JSON Web Tokens are not taken here",
                "switch them on with [access.jwt]",
            )
        return credentials_refused(
            "credentials_invalid",
            "this API key is not known" if token else "the Authorization header holds no key",
            "make one with `ossgate keys new --add`",
        )

    def _knows_key(self, name: str) -> bool:
        return any(key.name == name for key in self._list_keys())
