"""The caller of the request being answered."""

from __future__ import annotations

from flask import request

from ossgate.access.callers import Access, Caller


def identify_request(access: Access) -> Caller:
    """Return who sent the request being answered.

    Raises:
        AccessDenied: Its credentials are wrong.
    """
    environ = request.environ
    return access.identify(environ.get("HTTP_AUTHORIZATION", ""), environ.get("REMOTE_ADDR", ""))
