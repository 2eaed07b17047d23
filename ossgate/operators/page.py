"""``GET /console``: a page that holds nothing. What it shows is asked for by its script, with the key that an operator pastes."""

from __future__ import annotations

import json
from functools import cache

from flask import Blueprint, Response, render_template

from ossgate.ledger import State, Verdict
from ossgate.pages import Messages, choose_messages, read_static, set_page_headers

bp = Blueprint("console", __name__)
PERIODS = (3600, 86400, 7 * 86400, 30 * 86400)


@cache
def load_console_messages(language: str) -> Messages:
    """Load the console's texts of a language."""
    texts = json.loads(read_static(f"messages/console/{language}.json"))
    return Messages(language, texts, texts)


@bp.get("/console")
def show_console() -> Response:
    """Show the operators' page."""
    messages = load_console_messages(choose_messages().language)
    client = {"messages": messages.client, "language": messages("html_lang")}
    states = [state.value for state in State]
    verdicts = [verdict.value for verdict in Verdict]
    page = render_template(
        "console.html", t=messages, client=client, states=states, verdicts=verdicts, periods=PERIODS
    )
    response = Response(page)
    set_page_headers(response)
    return response
