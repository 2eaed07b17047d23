"""The caller of the request being answered, and where they stand with the rates."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request

from ossgate.access.callers import Caller
from ossgate.access.gate import Access
from ossgate.access.rates import Standing
from ossgate.answering import Environ, find_environ

_STANDINGS = "ossgate.standings"


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


def note_standing(standing: Standing) -> None:
    """Keep where the caller stands, for the answer's fields."""
    environ = find_environ()
    if environ is not None:
        environ.setdefault(_STANDINGS, []).append(standing)


def noted_standings(environ: Environ) -> Sequence[Standing]:
    """Return what was noted for a request."""
    found: Sequence[Standing] = environ.get(_STANDINGS, ())
    return found
