"""The two hot routes, answered before Flask: it cost more than the grant that was asked for.

The rule: here is answered what is ordinary and succeeds, and nothing else. What is unusual goes to Flask untouched. What is refused goes to Flask
with the refusal, which is raised there, so that each has one implementation and nobody can tell by which door a request came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any

from flask import Flask, request

from ossgate.access.rates import format_policies, format_standings
from ossgate.access.requests import noted_standings
from ossgate.answering import Environ, begin_answer, end_answer, read_request_id

Door = Callable[[Environ, bytes], tuple[bytes, int]]
"""From a request and its body to JSON and a status; refusals are raised."""

LARGEST_BODY_BYTES = 64 * 1024
_REFUSAL = "ossgate.refusal"
_LENGTH = re.compile(r"[1-9][0-9]{0,5}")
_STATUS_LINES = {200: "200 OK", 201: "201 CREATED"}
# Pages of browsers, whatever is sent in pieces or packed, and addresses that carry a bearer.
_UNUSUAL = (
    "HTTP_ORIGIN",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_CONTENT_ENCODING",
    "HTTP_EXPECT",
)


class Front:
    """A WSGI application around Flask's own.

    Args:
        doors: What is answered here, by its exact path; only POST is.
    """

    def __init__(self, app: Flask, doors: Mapping[str, Door]) -> None:
        self._flask = app.wsgi_app
        self._doors = dict(doors)
        app.before_request(_raise_refusal)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        token = begin_answer(environ)
        try:
            door = self._doors.get(environ.get("PATH_INFO", ""))
            if door is None or not _is_ordinary(environ):
                return self._flask(environ, start_response)
            length, body = int(environ["CONTENT_LENGTH"]), b""
            try:
                body = environ["wsgi.input"].read(length)
                answer = door(environ, body) if len(body) == length else None
            except Exception as refusal:
                environ[_REFUSAL] = refusal
                answer = None
            if answer is None:
                environ["wsgi.input"] = BytesIO(body)
                return self._flask(environ, start_response)
            encoded, status = answer
            start_response(_STATUS_LINES[status], _list_headers(environ, encoded))
            return (encoded,)
        finally:
            end_answer(token)


def _is_ordinary(environ: Environ) -> bool:
    return (
        environ["REQUEST_METHOD"] == "POST"
        and _LENGTH.fullmatch(environ.get("CONTENT_LENGTH", "")) is not None
        and int(environ["CONTENT_LENGTH"]) <= LARGEST_BODY_BYTES
        and environ.keys().isdisjoint(_UNUSUAL)
        and "token=" not in environ.get("QUERY_STRING", "")
    )


def _list_headers(environ: Environ, encoded: bytes) -> list[tuple[str, str]]:
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(encoded))),
        ("Cache-Control", "no-store"),
    ]
    standings = noted_standings(environ)
    if standings:
        headers += [
            ("RateLimit-Policy", format_policies(standings)),
            ("RateLimit", format_standings(standings)),
        ]
    headers.append(("X-Request-ID", read_request_id(environ)))
    return headers


def _raise_refusal() -> None:
    refusal: Exception | None = request.environ.pop(_REFUSAL, None)
    if refusal is not None:
        raise refusal
