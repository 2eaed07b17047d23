"""The caller of the request being answered."""

from __future__ import annotations

from flask import request

from ossgate.access.callers import Caller
from ossgate.access.gate import Access


def identify_request(access: Access, *, allow_query_bearer: bool = False) -> Caller:
    """Return who sent the request being answered.

    Args:
        access: The gate.
        allow_query_bearer: Whether the route is one of those whose clients cannot send headers, so that ``?token=`` counts.

    Raises:
        AccessDenied: Its credentials are wrong.
        KeysUnavailable: Its token cannot be judged now.
    """
    return access.identify(request.environ, allow_query_bearer=allow_query_bearer)
