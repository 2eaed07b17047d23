"""The request that is being answered, whichever door it came by: what its answer and its log lines tell of it.

It is kept beside Flask, because the front answers some requests without it.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar, Token
from typing import Any

Environ = dict[str, Any]
_REQUEST_ID = "ossgate.request_id"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_environ: ContextVar[Environ | None] = ContextVar("ossgate_environ", default=None)


def begin_answer(environ: Environ) -> Token[Environ | None]:
    """Take a request up; what this returns is for `end_answer`."""
    return _environ.set(environ)


def end_answer(token: Token[Environ | None]) -> None:
    """Let the request go that `begin_answer` took up."""
    _environ.reset(token)


def find_environ() -> Environ | None:
    """Return the request as WSGI has it; nothing where none is being answered."""
    return _environ.get()


def find_request_id() -> str | None:
    """Return the id of the request; nothing where none is being answered."""
    environ = _environ.get()
    return None if environ is None else read_request_id(environ)


def read_request_id(environ: Environ) -> str:
    """Return the id of a request: the client's own, or one that is made on first use."""
    found: str | None = environ.get(_REQUEST_ID)
    if found is None:
        given = environ.get("HTTP_X_REQUEST_ID")
        found = environ[_REQUEST_ID] = given if given and _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
    return found
