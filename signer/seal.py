"""The seal: the facts of a grant, encrypted, kept as the object's own metadata.

An object whose callback was lost still proves what it is. The seal is encrypted because whoever may read an object may read its metadata,
and of another purpose than the ticket, so that it can never pass for one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signer.base64_text import decode_base64url, encode_base64url
from signer.errors import SealError
from signer.facts import Facts, FactsMalformed, encode_facts, parse_facts
from signer.ticket import MIN_KEY_BYTES, check_keys

PURPOSE = b"ossgate.seal.v1"
METADATA_NAME = "x-oss-meta-ossgate-seal"
NONCE_BYTES = 12
MAX_SEAL_LENGTH = 8192
"""OSS keeps at most 8 KB of metadata."""


class SealKeys:
    """Makes and opens seals with a list of keys: the newest, last one seals, all open."""

    def __init__(
        self,
        keys: Sequence[bytes],
        *,
        at_least: int = MIN_KEY_BYTES,
        new_nonce: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """Derive the encryption keys.

        Raises:
            ConfigurationError: No key, or one that is too short.
        """
        check_keys(keys, "seal", at_least=at_least)
        self._ciphers = [AESGCM(HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(key)) for key in keys]
        self._new_nonce = new_nonce

    def issue_seal(self, facts: Facts) -> str:
        """Return the seal of a grant: text of the URL-safe Base64 alphabet."""
        return self.encrypt(encode_facts(facts))

    def encrypt(self, encoded_facts: bytes) -> str:
        """Return the seal of facts that were encoded before."""
        nonce = self._new_nonce(NONCE_BYTES)
        sealed = nonce + self._ciphers[-1].encrypt(nonce, encoded_facts, PURPOSE)
        return encode_base64url(sealed)

    def open_seal(self, seal: str) -> Facts:
        """Return the facts that a seal proves.

        Raises:
            SealError: None of our keys made it.
        """
        if not seal.isascii() or len(seal) > MAX_SEAL_LENGTH:
            raise SealError("the object's seal is not one of ours")
        try:
            sealed = decode_base64url(seal)
        except ValueError as error:
            raise SealError("the object's seal is not one of ours") from error
        nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        for cipher in reversed(self._ciphers):
            try:
                return parse_facts(cipher.decrypt(nonce, ciphertext, PURPOSE))
            except (InvalidTag, ValueError):
                continue
            except FactsMalformed as error:
                raise SealError("a seal of ours holds no facts that this version knows") from error
        raise SealError("none of our keys made the object's seal")
