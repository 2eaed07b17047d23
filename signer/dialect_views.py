"""The routes of client contracts: wherever the settings put them, answered and refused as each client reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, g, request

from ossgate.access import Caller
from ossgate.access.callers import PROXY, SESSION
from ossgate.access.csrf import require_own_page
from ossgate.access.requests import identify_request
from ossgate.wire import error_response
from signer.dialect_services import DialectServices
from signer.dialects.contract import ConfiguredDialect, DialectAnswer, DialectRequest, Refusal, Route
from signer.dialects.wishes import Explain
from signer.errors import SignerError
from signer.grants import check_subject
from signer.issue_request import FieldInvalid
from signer.services import choose_subject
from signer.views import refuse

SUBJECT_HEADER = "X-Ossgate-Subject"
SUBJECT_VARIABLE = "HTTP_X_OSSGATE_SUBJECT"


def dialect_services() -> DialectServices:
    """Return the services of the application that answers."""
    services: DialectServices = current_app.extensions["dialects"]
    return services


def build_blueprint(spoken: Sequence[ConfiguredDialect]) -> Blueprint:
    """Return the routes of these tables of the settings."""
    bp = Blueprint("dialects", __name__)
    bp.register_error_handler(SignerError, refuse)
    bp.after_request(dress_refusal)
    for one in spoken:
        for at, path in enumerate(one.paths):
            for number, route in enumerate(one.dialect.routes):
                bp.add_url_rule(
                    path + route.suffix,
                    endpoint=f"{one.name}-{at}-{number}",
                    view_func=partial(answer, one, route),
                    methods=route.methods,
                )
    return bp


def answer(spoken: ConfiguredDialect, route: Route, **arguments: str) -> Response:
    """Read a request as its contract does, have its wish granted, and write the outcome down."""
    g.dialect = spoken
    if request.method == "HEAD":
        # Who looks whether there is something is handed nothing.
        return to_response(DialectAnswer(b""))
    services = dialect_services()
    caller = identify_request(services.signer.access, allow_query_bearer=spoken.dialect.query_bearer)
    if caller.way in (SESSION, PROXY):
        # These contracts hand out grants by GET, which a script or an image of any page can send.
        require_own_page(request.environ, also_without_browser=True, every_method=True)
    caller = name_subject(caller, request.environ)
    asked = read_request(arguments, request.get_data())
    wish = route.read(asked, spoken.options)
    if isinstance(wish, Explain):
        return error_response(wish.status, wish.code, wish.message, wish.hint)
    handed = services.grant(wish, caller, spoken)
    return to_response(route.render(handed, asked, spoken.options))


def name_subject(caller: Caller, environ: Mapping[str, Any]) -> Caller:
    """Return a caller who asks for whom the header names; a header, since it stands in no contract's way and in no log.

    Raises:
        FieldInvalid: It is not UTF-8, or the caller is no API key; answered with 422.
        SubjectInvalid: It is too long, or holds hidden characters; answered with 422.
    """
    written = environ.get(SUBJECT_VARIABLE, "")
    if not written:
        return caller
    try:
        # WSGI hands over each byte as a character.
        subject = choose_subject(written.encode("latin-1").decode("utf-8").strip(), caller)
    except UnicodeError as error:
        raise FieldInvalid(f"the header {SUBJECT_HEADER} is not UTF-8") from error
    check_subject(subject)
    return replace(caller, subject=subject)


def read_request(arguments: Mapping[str, str], body: bytes) -> DialectRequest:
    """Return the request being answered as contracts read it: of a name that is there twice the first counts."""
    return DialectRequest(
        method=request.method,
        query=request.args.to_dict(),
        arguments=arguments,
        body=body,
        content_type=request.environ.get("CONTENT_TYPE", ""),
        accept=request.environ.get("HTTP_ACCEPT", ""),
    )


def to_response(answer: DialectAnswer) -> Response:
    """Return an answer as it goes out: with its length, never chunked, kept by nobody on the way."""
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    response.headers.update(answer.headers)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def dress_refusal(response: Response) -> Response:
    """Write an error of ours as the client reads errors, whichever part of the application it came from."""
    spoken: ConfiguredDialect | None = g.get("dialect")
    if spoken is None or response.status_code < 400 or g.get("error_code") is None:
        return response
    error: Mapping[str, Any] = orjson.loads(response.get_data())["error"]
    refusal = Refusal(response.status_code, error["code"], error["message"], error["hint"])
    # Without its body, which may be the very thing that was refused.
    asked = read_request(request.view_args or {}, b"")
    dressed = to_response(spoken.dialect.refuse(refusal, asked, spoken.options))
    for name in ("Retry-After", "WWW-Authenticate"):
        if name in response.headers and dressed.status_code == response.status_code:
            dressed.headers[name] = response.headers[name]
    if dressed.status_code < 400:
        # Nobody else would tell of it: to the log it looks like a success.
        dialect_services().signer.log(
            "refused",
            method=request.method,
            path=request.path[:200],
            status=response.status_code,
            code=refusal.code,
        )
    return dressed
