"""The two signatures that STS takes.

RPC, HMAC-SHA1 over all parameters: https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism ;
V3, ACS3-HMAC-SHA256 over headers, query and body:
https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ossgate.emulator.sts.call import Call
from ossgate.emulator.sts.sts_errors import (
    SIGNATURE_INCOMPLETE,
    SIGNATURE_METHOD_INVALID,
    SIGNATURE_MISMATCH,
    SIGNATURE_VERSION_INVALID,
    StsError,
    missing,
)

ACS3 = "ACS3-HMAC-SHA256"
# Whoever could change one of these could change the call.
_DEMANDED_HEADERS = ("x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce")


@dataclass(frozen=True, slots=True)
class SignedCall:
    """What a call says of itself, before its signature is checked.

    Args:
        timestamp: As it was sent.
        signature: As it was sent.
        signed_headers: Names of the headers that an ACS3 signature covers; None in an RPC call.
    """

    call: Call
    action: str
    version: str
    access_key_id: str
    security_token: str
    timestamp: str
    nonce: str
    signature: str
    signed_headers: tuple[str, ...] | None

    def check(self, access_key_secret: str) -> None:
        """Verify the signature.

        Raises:
            StsError: It is not the one that the secret makes.
        """
        if self.signed_headers is None:
            self._check_rpc(access_key_secret)
        else:
            self._check_acs3(access_key_secret, self.signed_headers)

    def _check_rpc(self, access_key_secret: str) -> None:
        text = build_rpc_string_to_sign(self.call.method, self.call.parameters)
        if not _same(compute_rpc_signature(access_key_secret, text), self.signature):
            raise StsError(SIGNATURE_MISMATCH, " server string to sign is:" + self._mask(text))

    def _check_acs3(self, access_key_secret: str, signed_headers: tuple[str, ...]) -> None:
        call = self.call
        text = canonical = ""
        for host in (call.header("host"), call.host):
            canonical = build_canonical_request(
                method=call.method,
                path=call.raw_path,
                query=call.query,
                headers={**call.headers, "host": host},
                signed_headers=signed_headers,
                body=call.body,
            )
            text = build_acs3_string_to_sign(canonical)
            if _same(compute_acs3_signature(access_key_secret, text), self.signature):
                return
        raise StsError(
            SIGNATURE_MISMATCH,
            f" server StringToSign is [{text}] server CanonicalRequest is [{self._mask(canonical)}]",
        )

    def _mask(self, text: str) -> str:
        token = self.security_token
        for form in (quote(_encode(token), safe=""), _encode(token), token):
            text = text.replace(form, "***") if token else text
        return text


def read_signature(call: Call) -> SignedCall:
    """Tell how a call is signed, and by whom.

    Raises:
        StsError: A part of the signature is missing or malformed.
    """
    if call.header("authorization").startswith(ACS3):
        return _read_acs3(call)
    for name in ("Action", "Version", "AccessKeyId", "Timestamp", "SignatureNonce", "Signature"):
        if not call.parameter(name):
            raise missing(name)
    if call.parameter("SignatureMethod") != "HMAC-SHA1":
        raise StsError(SIGNATURE_METHOD_INVALID)
    if call.parameter("SignatureVersion") != "1.0":
        raise StsError(SIGNATURE_VERSION_INVALID)
    return SignedCall(
        call=call,
        action=call.parameter("Action"),
        version=call.parameter("Version"),
        access_key_id=call.parameter("AccessKeyId"),
        security_token=call.parameter("SecurityToken"),
        timestamp=call.parameter("Timestamp"),
        nonce=call.parameter("SignatureNonce"),
        signature=call.parameter("Signature"),
        signed_headers=None,
    )


def build_rpc_string_to_sign(method: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Write the text that an RPC call signs: method, `/`, and all parameters but the signature, sorted."""
    pairs = sorted((_encode(name), _encode(value)) for name, value in parameters if name != "Signature")
    canonical = "&".join(f"{name}={value}" for name, value in pairs)
    return f"{method}&%2F&{_encode(canonical)}"


def compute_rpc_signature(access_key_secret: str, message: str) -> str:
    """Sign a text: base64 of its HMAC-SHA1 under the secret and an ampersand."""
    digest = hmac.digest(f"{access_key_secret}&".encode(), message.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


def build_canonical_request(
    *,
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    signed_headers: Sequence[str],
    body: bytes,
) -> str:
    """Write the canonical request of V3.

    Args:
        path: Undecoded.
        headers: By lower-case name.
        signed_headers: Lower-case names, sorted.
    """
    pairs = sorted((_encode(name), _encode(value)) for name, value in query)
    return "\n".join(
        [
            method,
            path,
            "&".join(f"{name}={value}" for name, value in pairs),
            "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in signed_headers),
            ";".join(signed_headers),
            hashlib.sha256(body).hexdigest(),
        ]
    )


def build_acs3_string_to_sign(canonical_request: str) -> str:
    """Write the two lines that V3 signs."""
    digest = hashlib.sha256(canonical_request.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{ACS3}\n{digest}"


def compute_acs3_signature(access_key_secret: str, message: str) -> str:
    """Sign a text: lower-case hex of its HMAC-SHA256 under the secret itself."""
    return hmac.digest(access_key_secret.encode(), message.encode(), hashlib.sha256).hex()


def _read_acs3(call: Call) -> SignedCall:
    items = [item.strip().partition("=") for item in call.header("authorization")[len(ACS3) :].split(",")]
    fields = {name: value for name, _, value in items}
    if set(fields) != {"Credential", "SignedHeaders", "Signature"} or not all(fields.values()):
        raise StsError(SIGNATURE_INCOMPLETE)
    signed_headers = tuple(sorted(set(fields["SignedHeaders"].lower().split(";"))))
    for name, wanted in (
        ("x-acs-action", "Action"),
        ("x-acs-version", "Version"),
        ("x-acs-date", "Timestamp"),
        ("x-acs-signature-nonce", "SignatureNonce"),
    ):
        if not call.header(name):
            raise missing(wanted)
    unsigned = [name for name in call.headers if name.startswith("x-acs-") and name not in signed_headers]
    if unsigned or not set(_DEMANDED_HEADERS) <= set(signed_headers):
        raise StsError(SIGNATURE_INCOMPLETE)
    return SignedCall(
        call=call,
        action=call.header("x-acs-action"),
        version=call.header("x-acs-version"),
        access_key_id=fields["Credential"],
        security_token=call.header("x-acs-security-token"),
        timestamp=call.header("x-acs-date"),
        nonce=call.header("x-acs-signature-nonce"),
        signature=fields["Signature"],
        signed_headers=signed_headers,
    )


def _encode(text: str) -> str:
    return quote(text, safe="~", errors="surrogateescape")


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode("utf-8", "surrogateescape"))
