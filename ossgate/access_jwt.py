"""``[access.jwt]`` becomes a judge of tokens; imported only where it is set up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ossgate.access.jwks import JwksCache, JwksCaches
from ossgate.access.jwt_keys import (
    HMAC_BYTES,
    PUBLIC_KEY_ALGORITHMS,
    FixedKeys,
    KeySource,
    read_public_key,
    read_secret_key,
)
from ossgate.access.jwt_tokens import JwtRules, JwtVerifier
from ossgate.access_settings import JwtSettings
from ossgate.logs import log_event
from ossgate.problems import Problem
from ossgate.settings import LoadedSettings

if TYPE_CHECKING:
    from ossgate.access_assembly import ProblemBook

HERE = ("access", "jwt")


def build_verifier(
    written: JwtSettings, source: str, loaded: LoadedSettings, book: ProblemBook
) -> JwtVerifier | None:
    """Return the judge of tokens, or nothing when it cannot work; why not is in the book.

    Args:
        written: The settings.
        source: Where keys come from: ``jwks_url``, ``secret`` or ``public_key``.
        loaded: Reads secrets and files.
        book: Where problems are noted.
    """
    if not _check_algorithms(written.algorithms, source, book):
        return None
    keys = _build_keys(written, source, loaded, book)
    if keys is None:
        return None
    return JwtVerifier(
        JwtRules(
            algorithms=written.algorithms,
            issuer=written.issuer,
            audience=written.audience,
            subject_claim=written.subject_claim,
            leeway=written.leeway,
            operator_claim=written.operator_claim,
            operator_value=written.operator_value,
        ),
        keys,
    )


def _check_algorithms(algorithms: Sequence[str], source: str, book: ProblemBook) -> bool:
    fitting = tuple(HMAC_BYTES) if source == "secret" else PUBLIC_KEY_ALGORITHMS
    wrong = [name for name in algorithms if name not in fitting]
    if algorithms and not wrong:
        return True
    message = "is empty"
    if wrong:
        known = wrong[0] in HMAC_BYTES or wrong[0] in PUBLIC_KEY_ALGORITHMS
        # With a public key taken for a secret, anybody could sign: everybody has it.
        message = (
            f"{wrong[0]!r} cannot go with {source}"
            if known
            else f"{wrong[0]!r} is no algorithm that is accepted"
        )
    book.add(Problem((*HERE, "algorithms"), message, f"with {source} list some of " + ", ".join(fitting)))
    return False


def _build_keys(
    written: JwtSettings, source: str, loaded: LoadedSettings, book: ProblemBook
) -> KeySource | None:
    with book.at((*HERE, source)):
        if source == "secret":
            return FixedKeys(
                [read_secret_key(loaded.read_secret(one), written.algorithms) for one in written.secret]
            )
        if source == "public_key":
            return FixedKeys([read_public_key(loaded.read_public(one)) for one in written.public_key])
        for url in written.jwks_url:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{url!r} is no URL of a key set")
            if parts.scheme == "http":
                book.require(
                    "http_jwks",
                    (*HERE, source),
                    f"{url} is fetched without TLS, so whoever is on the way can put keys in",
                    "use https",
                )
        if not written.audience:
            book.require(
                "jwt_without_audience",
                (*HERE, "audience"),
                "is not set, so a token that the issuer made for any other service would pass",
                "name what the issuer writes into aud for this service",
            )
        caches = [
            JwksCache(url, cache_seconds=written.cache_seconds, log=log_event) for url in written.jwks_url
        ]
        return caches[0] if len(caches) == 1 else JwksCaches(caches)
    return None
