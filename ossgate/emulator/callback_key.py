r"""The RSA key that signs callbacks, and the signature.

OSS signs `url_decode(path) + query + "\n" + body` with PKCS #1 v1.5 and MD5, under a 512-bit key. That key is not
ours: the emulator makes one of 2048 bits, or takes any that it is given. Source: "Callback",
https://help.aliyun.com/zh/oss/developer-reference/callback
"""

import base64
import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_FILE = "callback-key.pem"


class CallbackKey:
    """Signs callbacks.

    Args:
        private_pem: An RSA private key without passphrase.

    Raises:
        ValueError: The text holds no RSA private key.
    """

    def __init__(self, private_pem: str) -> None:
        key = serialization.load_pem_private_key(private_pem.encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("the callback key must be an RSA key")
        self._key = key
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


def load_callback_key(data_dir: Path) -> CallbackKey:
    """Read the folder's key, or make one that only its owner may read.

    Raises:
        ValueError: The file holds no RSA private key.
    """
    path = data_dir / KEY_FILE
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
