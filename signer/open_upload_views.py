"""``POST`` and ``GET /v1/uploads/{id}/parts``, ``POST /v1/uploads/{id}/complete``, ``DELETE /v1/uploads/{id}``."""

from __future__ import annotations

from flask import Blueprint, Response, request

from ossgate.access.rates import CONFIRM
from ossgate.access.requests import identify_request
from ossgate.ledger import Upload
from ossgate.wire import json_bytes_response, json_response
from signer.errors import SignerError
from signer.part_requests import parse_complete, parse_part_numbers
from signer.services import signer_services
from signer.upload_ids import is_upload_id
from signer.views import refuse, upload_unknown

bp = Blueprint("open_uploads", __name__)
bp.register_error_handler(SignerError, refuse)


@bp.post("/v1/uploads/<upload_id>/parts")
def sign_parts(upload_id: str) -> Response:
    """Sign URLs for parts, one or many."""
    upload = _find(upload_id)
    if upload is None:
        return upload_unknown()
    return json_response(
        signer_services().open_uploads.sign_parts(upload, parse_part_numbers(request.get_data()))
    )


@bp.get("/v1/uploads/<upload_id>/parts")
def list_parts(upload_id: str) -> Response:
    """Tell which parts have arrived, so that an upload can go on."""
    upload = _find(upload_id, asks_bucket=True)
    if upload is None:
        return upload_unknown()
    return json_response(signer_services().open_uploads.list_parts(upload))


@bp.post("/v1/uploads/<upload_id>/complete")
def complete_upload(upload_id: str) -> Response:
    """Make the object of its parts, or sign the request by which the client does."""
    upload = _find(upload_id, asks_bucket=True)
    if upload is None:
        return upload_unknown()
    wanted = parse_complete(request.get_data())
    uploads = signer_services().open_uploads
    if wanted.presign:
        return json_response(uploads.presign_complete(upload))
    return json_bytes_response(uploads.complete(upload, wanted))


@bp.delete("/v1/uploads/<upload_id>")
def abort_upload(upload_id: str) -> Response:
    """Give an upload up that has not arrived, and tell how it stands then."""
    upload = _find(upload_id, asks_bucket=True)
    if upload is None:
        return upload_unknown()
    services = signer_services()
    services.open_uploads.abort(upload)
    return json_response(services.describe_upload(services.ledger.fetch_upload(upload_id) or upload))


def _find(upload_id: str, *, asks_bucket: bool = False) -> Upload | None:
    services = signer_services()
    caller = identify_request(services.access)
    if asks_bucket:
        services.limits.hit(CONFIRM, caller)
    return services.fetch_upload(upload_id, caller) if is_upload_id(upload_id) else None
