"""``GET /openapi.json`` for programs, ``GET /docs`` for people."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from ossgate.pages import choose_messages, set_page_headers

bp = Blueprint("openapi", __name__)


@bp.get("/openapi.json")
def show_document() -> Response:
    """Give the document; who has it already is told so."""
    # Built on first use: a server that nobody asks for it pays nothing.
    from ossgate.openapi.document import encode_document

    encoded, etag = encode_document()
    response = Response(encoded, mimetype="application/json")
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(etag)
    response.make_conditional(request)
    return response


@bp.get("/docs")
def show_docs() -> Response:
    """Show the document as a page."""
    from ossgate.openapi.page import build_page

    response = Response(render_template("docs.html", t=choose_messages(), **build_page()))
    set_page_headers(response)
    return response
