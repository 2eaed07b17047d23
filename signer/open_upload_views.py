"""``POST`` and ``GET /v1/uploads/{id}/parts``, ``POST /v1/uploads/{id}/complete``, ``DELETE /v1/uploads/{id}``."""

from __future__ import annotations

from flask import Blueprint, Response, request

from ossgate.access import Caller
from ossgate.access.rates import CONFIRM, PARTS
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
    services = signer_services()
    caller, upload = _look(upload_id)
    if upload is None:
        services.limits.hit(PARTS, caller)
        return upload_unknown()
    numbers = parse_part_numbers(request.get_data())
    services.limits.hit(PARTS, caller, upload.subject, cost=max(1, len(numbers)))
    return json_response(services.open_uploads.sign_parts(upload, numbers))


@bp.get("/v1/uploads/<upload_id>/parts")
def list_parts(upload_id: str) -> Response:
    """Tell which parts have arrived, so that an upload can go on."""
    upload = _find(upload_id)
    if upload is None:
        return upload_unknown()
    return json_response(signer_services().open_uploads.list_parts(upload))


@bp.post("/v1/uploads/<upload_id>/complete")
def complete_upload(upload_id: str) -> Response:
    """Make the object of its parts, or sign the request by which the client does."""
    upload = _find(upload_id)
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
    upload = _find(upload_id)
    if upload is None:
        return upload_unknown()
    services = signer_services()
    services.open_uploads.abort(upload)
    return json_response(services.describe_upload(services.ledger.fetch_upload(upload_id) or upload))


def _look(upload_id: str) -> tuple[Caller, Upload | None]:
    services = signer_services()
    caller = identify_request(services.access)
    return caller, services.fetch_upload(upload_id, caller) if is_upload_id(upload_id) else None


def _find(upload_id: str) -> Upload | None:
    """Look for an upload of which the bucket will be asked, and count that."""
    caller, upload = _look(upload_id)
    # Of a backend each of its people is counted.
    signer_services().limits.hit(CONFIRM, caller, upload.subject if upload else "")
    return upload
