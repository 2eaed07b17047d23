"""``GET /v1/uploads``, ``…/{id}/history``, ``GET /v1/callbacks``, ``…/{id}``, ``GET /v1/counts``: for operators alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from flask import Blueprint, Response, request

from ossgate.access.callers import ANONYMOUS, Caller
from ossgate.access.denied import credentials_refused, request_forbidden
from ossgate.access.requests import identify_request
from ossgate.ledger import CallbackFilter, State, Verdict
from ossgate.operators.queries import (
    QueryInvalid,
    encode_cursor,
    first_id_of,
    parse_count_query,
    parse_inbox_query,
    parse_upload_query,
)
from ossgate.operators.shapes import (
    MAX_CHANGES,
    describe_callback,
    describe_change,
    describe_for_operators,
    describe_request,
)
from ossgate.wire import error_response, json_response
from signer.services import SignerServices, signer_services
from signer.times import format_seconds
from signer.upload_ids import is_upload_id
from signer.views import upload_unknown

bp = Blueprint("operators", __name__)
Row = TypeVar("Row")


@bp.get("/v1/uploads")
def list_uploads() -> Response:
    """List uploads, newest first, by filter and words."""
    services = operator_services()
    wanted, limit = parse_upload_query(request.args)
    uploads, more = _cut(services.ledger.find_uploads(wanted, limit=limit + 1), limit)
    described = [
        describe_for_operators(services.describe_upload(upload, with_link=False), upload)
        for upload in uploads
    ]
    return json_response(
        {"uploads": described, "next_cursor": encode_cursor(uploads[-1].upload_id) if more else None}
    )


@bp.get("/v1/uploads/<upload_id>/history")
def show_history(upload_id: str) -> Response:
    """Tell every change of an upload, oldest first."""
    services = operator_services()
    upload = services.ledger.fetch_upload(upload_id) if is_upload_id(upload_id) else None
    if upload is None:
        return upload_unknown()
    changes, more = _cut(services.ledger.fetch_history(upload_id, limit=MAX_CHANGES + 1), MAX_CHANGES)
    return json_response(
        {
            "upload": describe_for_operators(services.describe_upload(upload), upload),
            "changes": [describe_change(change) for change in changes],
            "truncated": more,
        }
    )


@bp.get("/v1/callbacks")
def list_callbacks() -> Response:
    """List callbacks as they came, newest first, by filter."""
    services = operator_services()
    wanted, limit = parse_inbox_query(request.args)
    callbacks, more = _cut(services.ledger.inbox.find_callbacks(wanted, limit=limit + 1), limit)
    return json_response(
        {
            "callbacks": [describe_callback(kept) for kept in callbacks],
            "next_cursor": encode_cursor(callbacks[-1].request.callback_id) if more else None,
        }
    )


@bp.get("/v1/callbacks/<callback_id>")
def show_callback(callback_id: str) -> Response:
    """Tell all that is kept of one callback, without its secrets."""
    services = operator_services()
    kept = services.ledger.inbox.fetch_callback(callback_id) if is_upload_id(callback_id) else None
    if kept is None:
        return error_response(
            404, "callback_unknown", "no such callback is kept", "GET /v1/callbacks lists those that are"
        )
    return json_response(describe_request(kept))


@bp.get("/v1/counts")
def show_counts() -> Response:
    """Count uploads by state and refused callbacks, by default of the last day."""
    services = operator_services()
    begin = parse_count_query(request.args, now=services.now())
    from_id = first_id_of(begin)
    counted = services.ledger.count_states(from_id=from_id)
    return json_response(
        {
            "created_from": format_seconds(begin) + "Z",
            "states": {state.value: counted.get(state, 0) for state in State},
            "refusals": services.ledger.inbox.count_callbacks(
                CallbackFilter(verdict=Verdict.REFUSED, from_id=from_id)
            ),
        }
    )


def operator_services() -> SignerServices:
    """Return the services of the application that answers, when an operator asks.

    Raises:
        AccessDenied: 401 for nobody in particular, 403 for somebody else.
    """
    services = signer_services()
    caller = identify_request(services.access)
    require_operator(caller)
    if not services.access.origins.allows(caller.origin, ""):
        raise request_forbidden(
            "origin_forbidden",
            "pages of this origin may not show what operators see",
            "add the origin to [server] origins",
        )
    return services


def require_operator(caller: Caller) -> None:
    """Refuse all but operators.

    Raises:
        AccessDenied: 401 for nobody in particular, 403 for somebody else.
    """
    if caller.operator:
        return
    hint = "send Authorization: Bearer and a key with operator = true, or an operator's token"
    if caller.way == ANONYMOUS:
        raise credentials_refused("credentials_missing", "this is for operators", hint)
    raise request_forbidden("operator_required", "this is for operators", hint)


@bp.errorhandler(QueryInvalid)
def refuse(error: QueryInvalid) -> Response:
    """Answer a query that cannot be read."""
    return error_response(422, error.code, error.message, error.hint)


def _cut(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], bool]:
    """Return at most so many rows, and whether there are more."""
    return rows[:limit], len(rows) > limit
