r"""The RSA key that signs callbacks, and the signature.

OSS signs `url_decode(path) + query + "\n" + body` with PKCS #1 v1.5 and MD5, under a 512-bit key. That key is not
ours: the emulator makes one of 2048 bits, or takes any that it is given. Source: "Callback",
https://help.aliyun.com/zh/oss/developer-reference/callback
"""

import base64
import os
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote_to_bytes

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_FILE = "callback-key.pem"
ROTATED_KEY_FILE = "callback-key-2.pem"


class CallbackSigner(Protocol):
    """Signs callbacks."""

    def sign(self, target: str, body: bytes) -> str:
        """Tell the signature of a target and a body, base64."""


@lru_cache(maxsize=8)
def _read_key(private_pem: str) -> rsa.RSAPrivateKey:
    # Checking a key takes longer than starting an emulator; tests start hundreds with one key.
    key = serialization.load_pem_private_key(private_pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the callback key must be an RSA key")
    return key


class CallbackKey:
    """Signs callbacks.

    Args:
        private_pem: An RSA private key without passphrase.

    Raises:
        ValueError: The text holds no RSA private key.
    """

    def __init__(self, private_pem: str) -> None:
        key = self._key = _read_key(private_pem)
        self.public_pem = (
            key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    def sign(self, target: str, body: bytes) -> str:
        """Sign a callback: base64 over the decoded path, the raw query and the raw body."""
        path, mark, query = target.partition("?")
        message = unquote_to_bytes(path) + (mark + query).encode() + b"\n" + body
        # MD5 is what receivers verify with.
        signature = self._key.sign(message, padding.PKCS1v15(), hashes.MD5())  # noqa: S303
        return base64.b64encode(signature).decode()


class CallbackKeyRing:
    """The key in use, and the one that it may be rotated to.

    Args:
        make_rotated: Makes or reads the other key, when it is first needed.
        rotated_url: Where the other key is found under a URL of its own.
    """

    def __init__(self, key: CallbackKey, make_rotated: Callable[[], CallbackKey], rotated_url: str) -> None:
        self.key = key
        self.rotated_url = rotated_url
        self._make_rotated = make_rotated
        self._rotated: CallbackKey | None = None
        self._served = key
        self._lock = threading.Lock()

    @property
    def rotated(self) -> CallbackKey:
        """The other key."""
        with self._lock:
            if self._rotated is None:
                self._rotated = self._make_rotated()
            return self._rotated

    @property
    def served_pem(self) -> str:
        """The public key that is found under the usual URL: of the key that signed last under it."""
        return self._served.public_pem

    def serve(self, key: CallbackKey) -> None:
        """Have another key found under the usual URL."""
        self._served = key


def load_callback_key(data_dir: Path, file_name: str = KEY_FILE) -> CallbackKey:
    """Read the folder's key, or make one that only its owner may read.

    Raises:
        ValueError: The file holds no RSA private key.
    """
    path = data_dir / file_name
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return CallbackKey(path.read_text("ascii"))
