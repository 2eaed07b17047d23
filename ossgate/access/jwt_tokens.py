"""JSON Web Tokens: https://www.rfc-editor.org/rfc/rfc7519, judged after the advice of https://www.rfc-editor.org/rfc/rfc8725.

The operator lists the algorithms; a token's header can choose among them and never widen them. Signature first, claims after.
"""

from __future__ import annotations

import binascii
import json
import re
import time
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import (
    ClaimError,
    ExpiredTokenError,
    JoseError,
    MissingClaimError,
    SecurityWarning,
)
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from ossgate.access.callers import JWT, Caller
from ossgate.access.denied import AccessDenied, credentials_refused
from ossgate.access.jwt_keys import KeySource
from ossgate.access.subjects import read_subject

MAX_TOKEN_LENGTH = 8192
MAX_HEADER_LENGTH = 2048
_FORM = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_CLAIM_CODES = {
    "iss": ("jwt_issuer_wrong", "the token is from another issuer"),
    "aud": ("jwt_audience_wrong", "the token is for another audience"),
    "nbf": ("jwt_not_yet_valid", "the token is not valid yet"),
    "iat": ("jwt_not_yet_valid", "the token was issued in the future"),
}
_TIMES = ("exp", "nbf", "iat")


@dataclass(frozen=True, slots=True)
class JwtRules:
    """What a token must say."""

    algorithms: tuple[str, ...]
    issuer: str = ""
    audience: tuple[str, ...] = ()
    subject_claim: str = "sub"
    leeway: int = 30
    operator_claim: str = ""
    operator_value: str = ""


class JwtVerifier:
    """Tells who holds a token."""

    def __init__(self, rules: JwtRules, keys: KeySource, *, clock: Callable[[], float] = time.time) -> None:
        self._rules = rules
        self._keys = keys
        self._clock = clock
        # Unknown header members are passed over, as RFC 7515 has it; critical ones are refused before.
        self._registry = JWSRegistry(algorithms=list(rules.algorithms), strict_check_header=False)
        self._registry.max_header_length = MAX_HEADER_LENGTH
        if "EdDSA" in rules.algorithms:
            # The library calls the name deprecated at every use; the operator listed it, and providers still sign with it.
            warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)

    def identify(self, token: str, address: str) -> Caller:
        """Return who holds a token.

        Raises:
            AccessDenied: 401, with a code for each reason.
            KeysUnavailable: The provider's keys were never fetched; answered with 503.
        """
        claims = self._verify_claims(self._verify_signature(token))
        rules = self._rules
        subject = read_subject(
            claims.get(rules.subject_claim),
            code="jwt_subject_invalid",
            source=f"the token's claim {rules.subject_claim}",
        )
        return Caller(JWT, subject, address, self._is_operator(claims), subject=subject)

    def _verify_signature(self, token: str) -> bytes:
        kid, algorithm = self._read_header(token)
        keys = self._keys.find_keys(kid, algorithm)
        if not keys:
            raise credentials_refused(
                "jwt_key_unknown",
                "the token is signed with a key that its issuer does not publish",
                "is it from the issuer that [access.jwt] names? keys just published are seen within a minute",
            )
        for key in keys:
            try:
                payload = deserialize_compact(token, key, registry=self._registry).payload
            except (JoseError, ValueError, TypeError):
                continue
            return payload or b""
        raise credentials_refused(
            "jwt_signature_invalid", "the token's signature is wrong", "was it cut or changed on the way?"
        )

    def _read_header(self, token: str) -> tuple[str | None, str]:
        form = _FORM.fullmatch(token) if len(token) <= MAX_TOKEN_LENGTH else None
        header = _read_object(_decode(form[1])) if form and len(form[1]) <= MAX_HEADER_LENGTH else None
        if header is None:
            raise _malformed("it is not three parts of Base64 with a JSON object in front")
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._rules.algorithms:
            raise credentials_refused(
                "jwt_algorithm_forbidden",
                "the token is signed with an algorithm that is not accepted here",
                "accepted are " + ", ".join(self._rules.algorithms),
            )
        if "crit" in header:
            raise credentials_refused(
                "jwt_crit_unsupported",
                "the token demands extensions that are not known here",
                "issue it without crit",
            )
        if kid is not None and not isinstance(kid, str):
            raise _malformed("its kid is no text")
        return kid, algorithm

    def _verify_claims(self, payload: bytes) -> dict[str, Any]:
        claims = _read_object(payload)
        if claims is None:
            raise _malformed("its payload is no JSON object")
        rules = self._rules
        options: dict[str, ClaimsOption] = {"exp": {"essential": True}}
        if rules.issuer:
            options["iss"] = {"essential": True, "value": rules.issuer}
        if rules.audience:
            options["aud"] = {"essential": True, "values": list(rules.audience)}
        # Only what is judged is handed over, so that no claim of another name meets a rule of the library's.
        judged = {name: claims[name] for name in ("iss", "aud", *_TIMES) if name in claims}
        for name in _TIMES:
            if name in judged and not _is_time(judged[name]):
                raise _claim_wrong(name)
        try:
            JWTClaimsRegistry(int(self._clock()), rules.leeway, **options).validate(judged)
        except ExpiredTokenError as error:
            raise credentials_refused("jwt_expired", "the token has expired", "log in again") from error
        except MissingClaimError as error:
            raise credentials_refused(
                "jwt_claim_missing",
                f"the token lacks {error.claim}",
                "issue it with exp, and what [access.jwt] demands",
            ) from error
        except ClaimError as error:
            if error.claim not in _CLAIM_CODES:
                raise _claim_wrong(error.claim) from error
            code, message = _CLAIM_CODES[error.claim]
            raise credentials_refused(code, message, "compare the token with [access.jwt]") from error
        return claims

    def _is_operator(self, claims: Mapping[str, Any]) -> bool:
        if not self._rules.operator_claim:
            return False
        found: Any = claims
        for part in self._rules.operator_claim.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        # Lists hold roles, and text holds them with blanks between, as OAuth's scope does.
        values = found.split() if isinstance(found, str) else found if isinstance(found, list) else []
        return self._rules.operator_value in values


def _decode(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (ValueError, binascii.Error):
        return b""


def _read_object(encoded: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(encoded)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _is_time(value: object) -> bool:
    return type(value) is int or (type(value) is float and value == value and abs(value) != float("inf"))


def _malformed(why: str) -> AccessDenied:
    return credentials_refused(
        "jwt_malformed", f"this is no JSON Web Token: {why}", "send the token as its issuer gave it"
    )


def _claim_wrong(name: str) -> AccessDenied:
    return credentials_refused(
        "jwt_claim_wrong", f"the token's {name} is of another type", "see RFC 7519 for its form"
    )
