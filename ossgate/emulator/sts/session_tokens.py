"""Temporary credentials: what a security token holds, and how it is sealed.

A token carries its whole session, encrypted under a key in the data folder, and the secret follows from the key ID.
So nothing is remembered: tokens outlive a restart, and any number of them costs no memory. The service's own tokens
are opaque as well; theirs too begin with "CAIS", and hold characters that must be percent-encoded in URLs.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import string
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ossgate.emulator.credentials import Credentials

KEY_FILE = "sts.key"
KEY_ID_PREFIX = "STS."
_KEY_BYTES = 32
_NONCE_BYTES = 12
# In base64: "CAIS".
_TOKEN_HEAD = b"\x08\x02\x12"
_MAX_TOKEN = 16 * 1024
_LETTERS = string.ascii_letters + string.digits


class TokenMalformed(ValueError):
    """The text is no token at all."""


class TokenForged(ValueError):
    """A token that was not issued here, or was altered."""


@dataclass(frozen=True, slots=True)
class Session:
    """A role that was assumed.

    Args:
        policy: The session policy's text; empty when there is none.
    """

    access_key_id: str
    role_arn: str
    session_name: str
    expires_at: datetime
    policy: str = ""


@dataclass(frozen=True, slots=True)
class SessionCredentials(Credentials):
    """Temporary credentials with the session that they stand for."""

    session: Session = field(kw_only=True)


def make_access_key_id() -> str:
    """Make the ID of a temporary AccessKey."""
    return KEY_ID_PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(25))


class TokenSeal:
    """Writes and reads tokens.

    Args:
        key: 32 random bytes.
    """

    def __init__(self, key: bytes) -> None:
        # Two purposes, two keys.
        self._cipher = AESGCM(hmac.digest(key, b"token", hashlib.sha256))
        self._secrets_key = hmac.digest(key, b"secret", hashlib.sha256)

    def issue(self, session: Session) -> SessionCredentials:
        """Make the credentials of a session."""
        return SessionCredentials(
            session.access_key_id,
            self._derive_secret(session.access_key_id),
            self._seal(session),
            session.expires_at,
            session=session,
        )

    def open(self, token: str) -> SessionCredentials:
        """Read a token back, expired or not.

        Raises:
            TokenMalformed: It does not look like a token.
            TokenForged: It looks like one and is none of ours.
        """
        session = self._unseal(token)
        return SessionCredentials(
            session.access_key_id,
            self._derive_secret(session.access_key_id),
            token,
            session.expires_at,
            session=session,
        )

    def _derive_secret(self, access_key_id: str) -> str:
        digest = hmac.digest(self._secrets_key, access_key_id.encode("utf-8", "replace"), hashlib.sha256)
        return base64.b64encode(digest, altchars=b"xz").decode().rstrip("=")

    def _seal(self, session: Session) -> str:
        document = [
            session.access_key_id,
            session.role_arn,
            session.session_name,
            session.expires_at.timestamp(),
            session.policy,
        ]
        nonce = os.urandom(_NONCE_BYTES)
        packed = zlib.compress(json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        return base64.b64encode(
            _TOKEN_HEAD + nonce + self._cipher.encrypt(nonce, packed, _TOKEN_HEAD)
        ).decode()

    def _unseal(self, token: str) -> Session:
        if not token.isascii() or len(token) > _MAX_TOKEN:
            raise TokenMalformed
        try:
            sealed = base64.b64decode(token, validate=True)
        except ValueError as error:
            raise TokenMalformed from error
        head, sealed = sealed[: len(_TOKEN_HEAD)], sealed[len(_TOKEN_HEAD) :]
        if head != _TOKEN_HEAD or len(sealed) <= _NONCE_BYTES:
            raise TokenMalformed
        try:
            packed = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _TOKEN_HEAD)
        except InvalidTag as error:
            raise TokenForged from error
        key_id, role_arn, session_name, expires_at, policy = json.loads(
            zlib.decompress(packed).decode("utf-8", "surrogatepass")
        )
        return Session(key_id, role_arn, session_name, datetime.fromtimestamp(expires_at, UTC), policy)


def load_seal(data_dir: Path) -> TokenSeal:
    """Read the folder's key, or make one that only its owner may read.

    Raises:
        ValueError: The file holds no key.
    """
    path = data_dir / KEY_FILE
    if not path.exists():
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(_KEY_BYTES).hex().encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    key = bytes.fromhex(path.read_text("ascii"))
    if len(key) != _KEY_BYTES:
        raise ValueError(f"{path} holds no key of {_KEY_BYTES} bytes")
    return TokenSeal(key)
