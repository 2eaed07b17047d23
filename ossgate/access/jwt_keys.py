"""Keys that JSON Web Tokens are verified with, and which of them may serve an algorithm.

https://www.rfc-editor.org/rfc/rfc7518#section-3.1 (algorithms), https://www.rfc-editor.org/rfc/rfc7517 (keys)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

HMAC_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""Each HMAC algorithm with the shortest secret that RFC 7518 lets it have."""
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
EC_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
EDWARDS_ALGORITHMS = ("EdDSA", "Ed25519")
PUBLIC_KEY_ALGORITHMS = (*RSA_ALGORITHMS, *EC_CURVES, *EDWARDS_ALGORITHMS)
MIN_RSA_BITS = 2048


class KeySource(Protocol):
    """Where verification keys come from."""

    def find_keys(self, kid: str | None, algorithm: str) -> Sequence[Key]:
        """Return the keys that a token of this header may be signed with. Raises KeysUnavailable."""
        ...


class FixedKeys:
    """Keys from the settings; they have no ids, so a token's ``kid`` says nothing."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = tuple(keys)

    def find_keys(self, kid: str | None, algorithm: str) -> Sequence[Key]:
        """Return the keys that suit an algorithm."""
        return [key for key in self._keys if suits(key, algorithm)]


def suits(key: Key, algorithm: str) -> bool:
    """Tell whether a key may verify an algorithm: its kind, its curve, and what it says of itself."""
    if key.get("use") not in (None, "sig") or key.get("alg") not in (None, algorithm):
        return False
    if algorithm in HMAC_BYTES:
        return isinstance(key, OctKey)
    if algorithm in RSA_ALGORITHMS:
        return isinstance(key, RSAKey)
    if algorithm in EC_CURVES:
        return isinstance(key, ECKey) and key.curve_name == EC_CURVES[algorithm]
    return isinstance(key, OKPKey) and key.get("crv") == "Ed25519"


def select_keys(keys: Sequence[Key], kid: str | None, algorithm: str) -> list[Key]:
    """Return the keys of a set that a token's header leaves open; one that names no id may be of any."""
    return [key for key in keys if (kid is None or key.kid == kid) and suits(key, algorithm)]


def read_secret_key(secret: bytes, algorithms: Sequence[str]) -> OctKey:
    """Return a shared secret as a key.

    Raises:
        ValueError: Too short for an algorithm, or really a public key.
    """
    for algorithm in algorithms:
        least = HMAC_BYTES[algorithm]
        if len(secret) < least:
            raise ValueError(
                f"{algorithm} needs a secret of at least {least} bytes, and this one has {len(secret)}"
            )
    if b"-----BEGIN" in secret:
        raise ValueError("a key in PEM form is no shared secret; name it in public_key")
    return OctKey.import_key(secret)


def read_public_key(pem: bytes) -> Key:
    """Return a public key of a PEM file.

    Raises:
        ValueError: No public key of a kind that signs tokens, or a weak one.
    """
    if b"PRIVATE KEY" in pem:
        raise ValueError("this is a private key; keep it where tokens are made, and name its public half")
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            key = kind.import_key(pem)
        except (JoseError, ValueError, TypeError):
            continue
        check_strength(key)
        return key
    raise ValueError("this is no RSA, EC or Ed25519 public key in PEM form")


def read_published_key(data: Mapping[str, Any]) -> Key:
    """Return a key of a published set.

    Raises:
        ValueError: A shared secret, which nobody publishes on purpose, a weak key, or none of a kind that signs tokens.
        JoseError, TypeError, KeyError: Members that are missing or of other types.
    """
    kinds: dict[object, type[Key]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    kind = kinds.get(data.get("kty"))
    if kind is None:
        raise ValueError("a key of no kind that signs tokens with a public half")
    key = kind.import_key(dict(data))
    check_strength(key)
    return key


def check_strength(key: Key) -> None:
    """Refuse a key that could be broken.

    Raises:
        ValueError: An RSA key below 2,048 bits.
    """
    if isinstance(key, RSAKey) and key.public_key.key_size < MIN_RSA_BITS:
        raise ValueError(f"an RSA key of {key.public_key.key_size} bits is below {MIN_RSA_BITS}")
