"""The callback definition: base64 of JSON, checked before anything is stored.

Source: "Callback", https://help.aliyun.com/zh/oss/developer-reference/callback ; its errors,
https://help.aliyun.com/en/oss/upload-callbacks-6 and the pages of EC 0007-00000001 to 105.
"""

import base64
import binascii
import ipaddress
import json
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ossgate.emulator.errors import (
    CALLBACK_BODY_EMPTY,
    CALLBACK_BODY_INVALID,
    CALLBACK_BODY_TYPE_INVALID,
    CALLBACK_BODY_TYPE_UNSUPPORTED,
    CALLBACK_BRACE_MISSING,
    CALLBACK_HEADERS_INVALID,
    CALLBACK_HOST_INVALID,
    CALLBACK_HOST_UNRESOLVED,
    CALLBACK_NOT_BASE64,
    CALLBACK_NOT_JSON,
    CALLBACK_PRIVATE_ADDRESS,
    CALLBACK_SIGNATURE_VERSION,
    CALLBACK_SNI_INVALID,
    CALLBACK_TOO_LONG,
    CALLBACK_TOO_MANY_URLS,
    CALLBACK_URL_INVALID,
    OssError,
)

MAX_ENCODED_BYTES = 5 * 1024
MAX_URLS = 5
FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"

Resolver = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class CallbackUrl:
    """One receiver.

    Args:
        address: The IPv4 address that the host resolved to.
        target: Path and query as they go on the request line.
    """

    text: str
    secure: bool
    host: str
    port: int
    address: str
    target: str

    @property
    def host_header(self) -> str:
        """The Host header: a default port is left out."""
        default = 443 if self.secure else 80
        return self.host if self.port == default else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class CallbackDefinition:
    """A valid definition."""

    urls: tuple[CallbackUrl, ...]
    host: str
    body: str
    body_type: str
    server_name_indication: bool
    additional_headers: tuple[tuple[str, str], ...] = ()


def resolve_ipv4(host: str) -> list[str]:
    """Ask the system for a host's IPv4 addresses; none when it is unknown."""
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(entry[4][0]) for entry in found]


def parse_callback(
    encoded: str, *, allow_private: bool, resolve: Resolver = resolve_ipv4
) -> CallbackDefinition:
    """Read and check an encoded definition.

    Raises:
        OssError: One of its members does not hold.
    """
    if len(encoded.encode("utf-8", "surrogateescape")) > MAX_ENCODED_BYTES:
        raise OssError(CALLBACK_TOO_LONG)
    document = _decode(encoded)
    host = document.get("callbackHost", "")
    if not isinstance(host, str) or any(character in host for character in "\r\n"):
        raise OssError(CALLBACK_HOST_INVALID)
    body = _check_body(document.get("callbackBody"))
    body_type = document.get("callbackBodyType", FORM_TYPE)
    if not isinstance(body_type, str):
        raise OssError(CALLBACK_BODY_TYPE_INVALID)
    # Java leaves blanks behind values.
    body_type = body_type.strip() or FORM_TYPE
    if body_type not in (FORM_TYPE, JSON_TYPE):
        raise OssError(CALLBACK_BODY_TYPE_UNSUPPORTED)
    indication = document.get("callbackSNI", False)
    if not isinstance(indication, bool):
        raise OssError(CALLBACK_SNI_INVALID)
    if document.get("signatureVersion", "1.0") != "1.0":
        raise OssError(CALLBACK_SIGNATURE_VERSION)
    headers = _check_additional_headers(document.get("additionalHeaders", {}))
    urls = _parse_urls(document.get("callbackUrl"), allow_private=allow_private, resolve=resolve)
    return CallbackDefinition(urls, host.strip(), body, body_type, indication, headers)


def _decode(encoded: str) -> dict[str, object]:
    try:
        # A line break at the end, or blanks within, do no harm to OSS.
        raw = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise OssError(CALLBACK_NOT_BASE64) from error
    text = raw.decode("utf-8", "replace")
    try:
        document = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise _not_json(text) from error
    if not isinstance(document, dict):
        raise _not_json(text)
    return document


def _not_json(text: str) -> OssError:
    return OssError(CALLBACK_NOT_JSON, extras=[("ArgumentName", "callback"), ("ArgumentValue", text)])


def _check_body(body: object) -> str:
    if body is None or body == "":
        raise OssError(CALLBACK_BODY_EMPTY)
    if not isinstance(body, str):
        raise OssError(CALLBACK_BODY_INVALID)
    if re.search(r"\$(?!\{)", body):
        raise OssError(
            CALLBACK_BRACE_MISSING,
            extras=[("ArgumentName", "ReplaceKeyPrefix"), ("ArgumentValue", body)],
        )
    return body


def _check_additional_headers(headers: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(headers, dict) or len(headers) > 10:
        raise OssError(CALLBACK_HEADERS_INVALID)
    for name, value in headers.items():
        named = re.fullmatch(r"[0-9a-z-]+", name, re.ASCII) and not name.startswith("x-oss-")
        if not named or not isinstance(value, str) or any(mark in value for mark in "\r\n"):
            raise OssError(CALLBACK_HEADERS_INVALID)
    return tuple(headers.items())


def _parse_urls(value: object, *, allow_private: bool, resolve: Resolver) -> tuple[CallbackUrl, ...]:
    if not isinstance(value, str) or not value.strip():
        raise OssError(CALLBACK_URL_INVALID)
    texts = [text.strip() for text in value.split(";")]
    if len(texts) > MAX_URLS:
        raise OssError(CALLBACK_TOO_MANY_URLS)
    return tuple(_parse_url(text, allow_private=allow_private, resolve=resolve) for text in texts)


def _parse_url(text: str, *, allow_private: bool, resolve: Resolver) -> CallbackUrl:
    absolute = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(absolute)
        port = parts.port
        host = parts.hostname or ""
    except ValueError as error:
        raise OssError(CALLBACK_URL_INVALID) from error
    scheme = parts.scheme.lower()
    unusable = (
        scheme not in ("http", "https")
        or not re.fullmatch(r"[a-z0-9._-]+", host, re.ASCII)
        or "@" in parts.netloc
        or port == 0
        or parts.netloc.endswith(":")
        # Reserved and non-ASCII characters must come percent-encoded.
        or not re.fullmatch(r"[!-~]*", parts.path + parts.query, re.ASCII)
    )
    if unusable:
        raise OssError(CALLBACK_URL_INVALID)
    addresses = [host] if _is_ipv4(host) else resolve(host)
    if not addresses:
        raise OssError(CALLBACK_HOST_UNRESOLVED)
    if not allow_private and not all(ipaddress.ip_address(address).is_global for address in addresses):
        raise OssError(
            CALLBACK_PRIVATE_ADDRESS, extras=[("ArgumentName", "callbackUrl"), ("ArgumentValue", text)]
        )
    secure = scheme == "https"
    # A lone question mark at the end goes out as it stands: the receiver sees the same target that is signed.
    target = parts.path or "/"
    if parts.query or absolute.partition("#")[0].endswith("?"):
        target += "?" + parts.query
    return CallbackUrl(text, secure, host, port or (443 if secure else 80), addresses[0], target)


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
