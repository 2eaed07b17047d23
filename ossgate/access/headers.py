"""What an access rule reads of a request, taken from the WSGI environ (PEP 3333).

The environ rather than a request object: two look-ups decide for most callers, and they are half the price.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

Environ = Mapping[str, Any]
MAX_QUERY_FIELDS = 64


def read_peer(environ: Environ) -> str:
    """Return the address of the TCP peer, whatever X-Forwarded-For says; empty for a Unix socket."""
    original = environ.get("werkzeug.proxy_fix.orig")
    return str((original or environ).get("REMOTE_ADDR") or "")


def read_cookie(environ: Environ, name: str) -> str:
    """Return the first cookie of a name, or nothing."""
    for part in str(environ.get("HTTP_COOKIE", "")).split(";"):
        found, _, value = part.strip().partition("=")
        if found == name:
            return value.strip('"')
    return ""


def read_query_token(environ: Environ) -> str:
    """Return ``token`` of the query, or nothing."""
    query = str(environ.get("QUERY_STRING", ""))
    if "token=" not in query:
        return ""
    try:
        return parse_qs(query, max_num_fields=MAX_QUERY_FIELDS).get("token", [""])[0]
    except ValueError:
        return ""


def is_own_origin(environ: Environ, origin: str) -> bool:
    """Tell whether an Origin header names the host that the request was sent to."""
    try:
        return urlsplit(origin).netloc.lower() == str(environ.get("HTTP_HOST", "")).lower() != ""
    except ValueError:
        return False


def find_foreign_origin(environ: Environ) -> str:
    """Return the origin of the page that asks, when it is another's, or nothing.

    Sec-Fetch-Site is the browser's own word, which no page can set.
    """
    origin = str(environ.get("HTTP_ORIGIN", ""))
    if not origin or environ.get("HTTP_SEC_FETCH_SITE") == "same-origin" or is_own_origin(environ, origin):
        return ""
    return origin
