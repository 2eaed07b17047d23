"""Layer 1: OSS signed these bytes for this target.

Rules: *Callback*, https://help.aliyun.com/zh/oss/developer-reference/callback, "verify the signature":
RSASSA-PKCS1-v1_5 with MD5 over the percent-decoded path, the raw query with its question mark,
a line feed, and the body as received. It proves that some OSS tenant made OSS send this, and nothing more.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from urllib.parse import unquote_to_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import MD5

from callback.errors import SignatureInvalid
from callback.public_keys import PinnedKeys

_PADDING = PKCS1v15()
_HASH = MD5()  # noqa: S303 - OSS's choice; the layers after this one do not rest on it
MAX_SIGNATURE_LENGTH = 2048


def build_string_to_sign(raw_target: str, body: bytes) -> bytes:
    """Return what OSS signs.

    Args:
        raw_target: The request line's path and query, undecoded; one character a byte.
    """
    path, question_mark, query = raw_target.partition("?")
    return unquote_to_bytes(path) + (question_mark + query).encode("latin-1") + b"\n" + body


def verify_signature(
    raw_target: str, body: bytes, *, authorization: str, public_key_url: str, keys: PinnedKeys
) -> None:
    """Refuse a request that OSS did not sign.

    Args:
        authorization: The header's value as received: Base64 without a scheme word.
        public_key_url: The value of ``x-oss-pub-key-url``, still Base64.

    Raises:
        PublicKeyUrlRejected: The header names a key that is not pinned; answered with 403.
        SignatureInvalid: No signature, or one of other bytes; answered with 403.
    """
    if not authorization or not public_key_url:
        raise SignatureInvalid(
            "the request is not signed by OSS: it lacks Authorization or x-oss-pub-key-url",
            hint="if OSS did send it, a proxy in between drops the headers",
        )
    key = keys.find_key(public_key_url)
    try:
        signature = b64decode(authorization[:MAX_SIGNATURE_LENGTH], validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureInvalid("the Authorization header is not Base64") from error
    try:
        key.verify(signature, build_string_to_sign(raw_target, body), _PADDING, _HASH)
    except (InvalidSignature, ValueError) as error:
        raise SignatureInvalid(
            "the signature is not one of these bytes and this path",
            hint="a proxy that changes the path or the body breaks it; compare with `[callback] url`",
        ) from error
