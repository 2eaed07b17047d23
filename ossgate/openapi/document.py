"""The document itself."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import Any

import orjson

from ossgate import __version__
from ossgate.openapi.paths import TAGS, render_paths
from ossgate.openapi.schemas import SCHEMAS

_ABOUT = (
    "ossgate lets browsers and apps upload straight to Alibaba Cloud OSS: it signs what a client may do, and believes OSS's callback "
    "only for three independent reasons. Every error has the one shape `Error`; its `code` stays, message and hint are for people. "
    "Each answer carries `X-Request-ID`, yours when you send one of at most 64 letters, digits, `.`, `_` and `-`. "
    "Unknown fields and parameters are refused. Dialects, which speak as other servers do, are not among these operations."
)
_SECURITY = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key, `ossgate_…`, of a trusted backend or an operator."},
    "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A JSON Web Token, where `[access.jwt]` is set up."},
    "proxy": {
        "type": "apiKey", "in": "header", "name": "X-User",
        "description": "Set by a trusted reverse proxy alone, under the name that `[access.proxy]` gives.",
    },
    "session": {
        "type": "apiKey", "in": "cookie", "name": "session",
        "description": "The session of a Flask application of the same origin, where `[access.session]` is set up.",
    },
    "oss": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "OSS's signature over path, query and body."},
}  # fmt: skip


@cache
def build_document() -> dict[str, Any]:
    """Return the document; it is the same for every set of settings."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "ossgate", "version": __version__, "description": _ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": "/", "description": "this server"}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": render_paths(),
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": _SECURITY,
            "headers": {
                "RequestId": {
                    "description": "the request's id, which stands in the log",
                    "required": True,
                    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
                }
            },
        },
    }  # fmt: skip


@cache
def encode_document() -> tuple[bytes, str]:
    """Return the document as it is served, and its ETag."""
    encoded = orjson.dumps(build_document())
    return encoded, sha256(encoded).hexdigest()[:32]
