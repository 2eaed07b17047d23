"""The public keys that callbacks may be signed with: a pinned set, nothing is fetched.

Rules: *Callback*, https://help.aliyun.com/zh/oss/developer-reference/callback.
The header ``x-oss-pub-key-url`` is chosen by whoever sends the request, so it only selects
among keys that we hold already. OSS's own key is 512-bit RSA: a weak filter, which is why two more layers follow.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from importlib.resources import files

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from callback.errors import PublicKeyUrlRejected

OSS_KEY_URLS = (
    "https://gosspublic.alicdn.com/callback_pub_key_v1.pem",
    "http://gosspublic.alicdn.com/callback_pub_key_v1.pem",
)
MAX_HEADER_LENGTH = 1024


class PublicKeyInvalid(ValueError):
    """A PEM in the settings that holds no RSA public key."""


def load_oss_key() -> bytes:
    """Return the PEM of OSS's callback key, which is shipped with this package."""
    return files("callback").joinpath("keys", "callback_pub_key_v1.pem").read_bytes()


class PinnedKeys:
    """Public keys by the URL under which a request may name them."""

    def __init__(self, extra: Mapping[str, bytes] | None = None) -> None:
        """Load OSS's key under both of its URLs, and those of the settings.

        Args:
            extra: URL to PEM.

        Raises:
            PublicKeyInvalid: A PEM that holds no RSA public key.
        """
        oss_key = load_public_key(load_oss_key())
        self._keys = dict.fromkeys(OSS_KEY_URLS, oss_key)
        self._keys |= {url: load_public_key(pem) for url, pem in (extra or {}).items()}
        # Requests name a key by the Base64 of its URL; the usual spelling of each is found without decoding.
        self._by_header: dict[str, RSAPublicKey] = {}

    def find_key(self, header: str) -> RSAPublicKey:
        """Return the key that the value of ``x-oss-pub-key-url`` names.

        Raises:
            PublicKeyUrlRejected: Not Base64, or the URL of no pinned key; answered with 403.
        """
        kept = self._by_header.get(header)
        if kept is not None:
            return kept
        if len(header) > MAX_HEADER_LENGTH:
            raise PublicKeyUrlRejected("the public key URL is too long to be OSS's")
        try:
            url = b64decode(header, validate=True).decode("ascii")
        except (binascii.Error, ValueError) as error:
            raise PublicKeyUrlRejected(
                "the header x-oss-pub-key-url is not the Base64 of a URL",
                hint="does something between OSS and this server change headers?",
            ) from error
        key = self._keys.get(url)
        if key is None:
            raise PublicKeyUrlRejected(
                f"the request names a public key that is not pinned: {url[:120]!r}",
                hint="an emulator's key is added under [callback.public_keys]; any other URL is an attack",
            )
        # Bounded by the pinned set: Base64 of one URL has only few spellings that decode strictly.
        if len(self._by_header) < 2 * len(self._keys):
            self._by_header[header] = key
        return key


def load_public_key(pem: bytes) -> RSAPublicKey:
    """Return the RSA public key of a PEM.

    Raises:
        PublicKeyInvalid: It holds none.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError) as error:
        raise PublicKeyInvalid("this is no PEM of a public key") from error
    if not isinstance(key, RSAPublicKey):
        raise PublicKeyInvalid("OSS signs callbacks with RSA; this key is of another kind")
    return key
