"""Our own HTTP: JSON answers, and the one shape of every error."""

from __future__ import annotations

import re
import secrets
from typing import Any

import orjson
from flask import Response, g, request

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def json_response(data: Any, status: int = 200) -> Response:
    """Return data as JSON that nothing on the way keeps."""
    return json_bytes_response(orjson.dumps(data), status)


def json_bytes_response(encoded: bytes, status: int = 200) -> Response:
    """Return JSON that was encoded before, with its Content-Length, never chunked."""
    response = Response(encoded, status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def error_response(status: int, code: str, message: str, hint: str = "") -> Response:
    """Return an error in the shape that every one of ours has."""
    g.error_code = code
    return json_response(
        {"error": {"code": code, "message": message, "hint": hint, "request_id": request_id()}}, status
    )


def request_id() -> str:
    """Return the id of the request being answered: the client's own, or one that is made on first use."""
    found: str | None = g.get("request_id")
    if found is None:
        given = request.environ.get("HTTP_X_REQUEST_ID")
        found = g.request_id = given if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    return found
