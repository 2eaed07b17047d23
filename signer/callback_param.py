"""The callback parameter: the Base64 JSON that tells OSS whom to call and with what.

Rules: *Callback*, https://help.aliyun.com/zh/oss/developer-reference/callback: at most five URLs, at most 5 KB of Base64.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from signer.base64_text import encode_base64
from signer.callback_body import BodyTemplate
from signer.errors import ConfigurationError, quote

MAX_PARAM_LENGTH = 5120
MAX_URLS = 5
# A semicolon separates URLs in the definition.
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,=%]+")
_HOST = re.compile(r"[A-Za-z0-9._-]+(?::[0-9]{1,5})?")
BODY_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class CallbackDefinition:
    """Whom OSS calls, encoded once; only the ticket differs from grant to grant."""

    before_ticket: bytes
    after_ticket: bytes

    def build_callback_param(self, ticket: str) -> str:
        """Return the ``callback`` field of one grant."""
        return encode_base64(self.before_ticket + ticket.encode("ascii") + self.after_ticket)

    def longest_ticket(self) -> int:
        """Return how many characters a ticket may have, so that the parameter stays within OSS's 5 KB."""
        return MAX_PARAM_LENGTH // 4 * 3 - len(self.before_ticket) - len(self.after_ticket)


def define_callback(
    urls: Sequence[str], body: BodyTemplate, *, host: str | None = None, sni: bool | None = None
) -> CallbackDefinition:
    """Check and encode a callback definition.

    Args:
        urls: Tried by OSS in turn, five seconds each, until one answers.
        host: The Host header that OSS sends; by default the URL's own.
        sni: Whether OSS names the host in TLS; by default true where any URL is https, since shared front ends need it.

    Raises:
        ConfigurationError: No URL, more than five, or one that OSS or our verification cannot use.
    """
    if not 1 <= len(urls) <= MAX_URLS:
        raise ConfigurationError(
            f"OSS calls one to five URLs, not {len(urls)}", hint="shorten [callback] url"
        )
    for url in urls:
        check_callback_url(url)
    head = {"callbackUrl": ";".join(urls)}
    if host:
        _check_host(host)
        head["callbackHost"] = host
    tail: dict[str, str | bool] = {"callbackBodyType": BODY_TYPES[body.body_type]}
    if sni is not None:
        tail["callbackSNI"] = sni
    elif any(urlsplit(url).scheme == "https" for url in urls):
        tail["callbackSNI"] = True
    # JSON escapes a text character by character, so its two halves may be written apart, with the ticket between them.
    return CallbackDefinition(
        orjson.dumps(head)[:-1] + b',"callbackBody":' + orjson.dumps(body.before_ticket)[:-1],
        orjson.dumps(body.after_ticket)[1:] + b"," + orjson.dumps(tail)[1:],
    )


def check_callback_url(url: str) -> None:
    """Refuse a callback URL that OSS cannot call, or whose signature could not be verified.

    Raises:
        ConfigurationError: With the reason and the fix.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(
            f"the callback URL {quote(url)} has an unusable port", hint="a port is a number from 1 to 65535"
        ) from error
    problem = ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        problem, hint = "is no http or https URL", "write it as https://uploads.example.com/callback"
    elif not _URL.fullmatch(url):
        problem, hint = "holds characters that OSS does not take", "percent-encode them"
    elif parts.username is not None or parts.fragment or "#" in url:
        problem, hint = "holds a user name or a fragment", "leave them out"
    elif ":" in parts.hostname:
        problem, hint = "names an IPv6 address, which OSS does not call", "use a host name"
    elif "+" in parts.path:
        problem, hint = (
            "has a + in its path, which is read in two ways when the signature is checked",
            "leave it out",
        )
    elif url.endswith("?"):
        problem, hint = "ends in a bare ?, which is signed in two ways", "leave the ? out"
    elif port == 0:
        problem, hint = "has port 0", "a port is a number from 1 to 65535"
    if problem:
        raise ConfigurationError(f"the callback URL {quote(url)} {problem}", hint=hint)


def _check_host(host: str) -> None:
    if not _HOST.fullmatch(host):
        raise ConfigurationError(
            f"the callback host {quote(host)} is no host name", hint='write it as "uploads.example.com"'
        )
