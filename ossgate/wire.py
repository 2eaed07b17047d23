"""Our own HTTP: JSON answers, and the one shape of every error."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, g, request

from ossgate.answering import read_request_id


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
    return read_request_id(request.environ)
