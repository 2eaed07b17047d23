"""``GET /metrics``, for this machine and for operators."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import NotFound

from ossgate.access import Access
from ossgate.access.requests import identify_request
from ossgate.metrics.counting import Metrics
from ossgate.operators.views import require_operator

bp = Blueprint("metrics", __name__)
LOOPBACK = "loopback"
_PORT = re.compile(r":[0-9]{1,5}\Z")
# A proxy on this machine connects from it, too; it says for whom.
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA", "HTTP_X_FORWARDED_HOST")


@dataclass(frozen=True, slots=True)
class MetricsServices:
    """What the view works with; nothing is counted where ``metrics`` is none."""

    metrics: Metrics | None
    reach: str
    access: Access


@bp.get("/metrics")
def show_metrics() -> Response:
    """Tell the numbers of all worker processes."""
    services: MetricsServices = current_app.extensions["metrics"]
    if services.metrics is None:
        raise NotFound
    if services.reach != LOOPBACK or not is_from_this_machine(request.environ):
        require_operator(identify_request(services.access))
    from ossgate.metrics.instruments import CONTENT_TYPE

    response = Response(services.metrics.render(), content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def is_from_this_machine(environ: Mapping[str, Any]) -> bool:
    """Tell whether a request came straight from this machine.

    Not by a proxy that runs here; and not from a page in a browser here, whose name for us would be its own.
    """
    if any(name in environ for name in _FORWARDED):
        return False
    name = _PORT.sub("", environ.get("HTTP_HOST", ""))
    return _is_loopback(environ.get("REMOTE_ADDR", "")) and (name == "localhost" or _is_loopback(name))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False
