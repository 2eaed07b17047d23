"""The tables ``[access]`` and ``[limits]``: who may ask, and how often."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ossgate.section import OneOrMore, Section


class ApiKeySettings(Section):
    """One trusted backend."""

    hash: str = Field(description="what `ossgate keys new` prints, such as sha256:9f86…")
    operator: bool = Field(False, description="whether the key may see every upload")


class JwtSettings(Section):
    """JSON Web Tokens: exactly one of jwks_url, secret and public_key."""

    jwks_url: OneOrMore = Field(
        (),
        description="https URL of the issuer's key set, or a list of URLs of one issuer; fetched on first use",
    )
    secret: OneOrMore = Field(
        (), description="env:NAME or file:path of a shared secret, or a list, for HS256 and the like"
    )
    public_key: OneOrMore = Field((), description="file:path of a public key in PEM form, or a list")
    algorithms: OneOrMore = Field(
        description="accepted signature algorithms; a token's header never adds to them"
    )
    issuer: str = Field("", description="what iss must be")
    audience: OneOrMore = Field((), description="what aud must be or hold; demanded with jwks_url")
    subject_claim: str = Field("sub", min_length=1, description="claim that names the person")
    leeway: int = Field(30, ge=0, le=600, description="seconds by which clocks may differ")
    cache_seconds: int = Field(
        600,
        ge=60,
        le=86400,
        description="age at which a key set is fetched anew; at once when a token names a new key",
    )
    operator_claim: str = Field(
        "", description='claim that makes operators, dots for what is inside, such as "realm_access.roles"'
    )
    operator_value: str = Field("", description="what operator_claim must be or hold")


class ProxySettings(Section):
    """A reverse proxy that has asked who people are."""

    header: str = Field(
        description='header with the user\'s name, such as "X-User"; the proxy must replace what clients send'
    )
    peers: OneOrMore = Field(
        alias="from",
        description='addresses or networks of the proxies that are believed, by their TCP connection; "unix" for Unix sockets',
    )


class SessionSettings(Section):
    """The session of a Flask application beside us."""

    cookie: str = Field("session", description="the session cookie's name")
    secret: OneOrMore = Field(
        description="env:NAME or file:path of the application's SECRET_KEY, or a list, newest last"
    )
    subject_key: str = Field("user_id", min_length=1, description="key of the session that names the person")
    lifetime: int = Field(
        31 * 86400, ge=60, le=366 * 86400, description="seconds that a cookie counts after it was signed"
    )


class AccessSettings(Section):
    """Who may ask."""

    api_keys: dict[str, ApiKeySettings] = Field(default_factory=dict, description="API keys by name")
    api_keys_file: str = Field(
        "secrets/api-keys.toml",
        description="file of further API keys, which `ossgate keys` writes and a running server notices",
    )
    jwt: JwtSettings | None = Field(None, description="JSON Web Tokens")
    proxy: ProxySettings | None = Field(None, description="a header of a trusted proxy")
    session: SessionSettings | None = Field(None, description="the session of an application beside us")


class LimitsSettings(Section):
    """How often somebody may ask."""

    issue: str = Field(
        "120/minute", description='grants, such as "60/minute" or "100/5 minutes"; "" for no limit'
    )
    confirm: str = Field("240/minute", description="confirmations, and what else asks the bucket, likewise")
    parts: str = Field("6000/minute", description="URLs of parts, likewise; each one counts")
    bearers: str = Field("60/minute", description="query bearers made, likewise")
    per: tuple[Literal["anonymous", "subject", "address"], ...] = Field(
        ("anonymous",),
        description='whom to count: "anonymous" callers by network, named ones by "subject", all but API keys by "address"',
    )
    storage: str = Field(
        "memory",
        description='"memory" of each process, or redis://host:6379/0 for all together; also env:NAME or file:path',
    )
