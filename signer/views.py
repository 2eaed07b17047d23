"""``POST /v1/uploads``, ``GET /v1/uploads/{id}``, ``GET /v1/profiles``."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, request

from ossgate.access.headers import Environ
from ossgate.access.requests import identify_request
from ossgate.ledger import LedgerBusy, LedgerUnavailable, QuotaExceeded
from ossgate.wire import error_response, json_bytes_response, json_response
from signer import errors
from signer.credentials import CredentialsUnavailable
from signer.file_names import choose_extension
from signer.issue_request import FieldInvalid, RequestMalformed, parse_issue_request
from signer.profiles import Profile
from signer.services import ProfileUnknown, SignerServices, UploadUnknown, signer_services
from signer.upload_ids import is_upload_id

bp = Blueprint("signer", __name__)

# The first class that fits decides.
STATUSES: tuple[tuple[type[errors.SignerError], int], ...] = (
    (RequestMalformed, 400),
    (ProfileUnknown, 404),
    (UploadUnknown, 404),
    (CredentialsUnavailable, 503),
    (errors.SizeOverLimit, 413),
    (errors.ContentTypeNotAllowed, 415),
    (errors.GrantRefused, 422),
    (errors.PartsRefused, 422),
    (errors.GrantExpired, 410),
    (errors.UploadNotOpen, 409),
    (FieldInvalid, 422),
)


@bp.post("/v1/uploads")
def issue_uploads() -> Response:
    """Issue one grant, or a list of them."""
    return json_bytes_response(*answer_issue(signer_services(), request.environ, request.get_data()))


def answer_issue(services: SignerServices, environ: Environ, body: bytes) -> tuple[bytes, int]:
    """Return the JSON of one grant, or of a list of them, and its status; without Flask, since many are asked for."""
    caller = services.access.identify(environ)
    wanted = parse_issue_request(body)
    grants = [grant.to_json() for grant in services.issue_grants(wanted, caller)]
    return orjson.dumps({"grants": grants} if wanted.is_list else grants[0]), 201


@bp.get("/v1/uploads/<upload_id>")
def show_upload(upload_id: str) -> Response:
    """Tell an upload's state to who may see it."""
    services = signer_services()
    caller = identify_request(services.access)
    upload = services.fetch_upload(upload_id, caller) if is_upload_id(upload_id) else None
    if upload is None:
        return upload_unknown()
    return json_response(services.describe_upload(upload))


@bp.get("/v1/profiles")
def list_profiles() -> Response:
    """Tell what the caller may upload, so that a page can say it before a mistake."""
    services = signer_services()
    profiles = services.list_profiles(identify_request(services.access))
    return json_response({"profiles": [describe_profile(profile) for profile in profiles]})


def describe_profile(profile: Profile) -> dict[str, Any]:
    """Return a profile's limits in the shape that clients read."""
    known = [
        choose_extension("", media_type) for media_type in profile.content_types if "*" not in media_type
    ]
    return {
        "name": profile.name,
        "title": profile.title or profile.name,
        "titles": dict(profile.titles),
        "min_size": profile.min_size,
        "max_size": profile.max_size,
        "content_types": list(profile.content_types),
        "via": list(profile.via),
        "keep_days": profile.keep_days or None,
        "extensions": [extension for extension in known if extension],
    }


def upload_unknown() -> Response:
    """Answer for an upload that does not exist, or that the caller may not see: the two look alike."""
    return error_response(
        404, "upload_unknown", "there is no such upload", "check the id; it is the grant's upload_id"
    )


@bp.errorhandler(errors.SignerError)
def refuse(error: errors.SignerError) -> Response:
    """Answer a refusal of the core with its status."""
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 422)
    response = error_response(status, error.code, error.message, error.hint)
    if status == 503:
        response.headers["Retry-After"] = "2"
    return response


# Links in replies are signed, too.
bp.app_errorhandler(CredentialsUnavailable)(refuse)


@bp.app_errorhandler(QuotaExceeded)
def refuse_quota(error: QuotaExceeded) -> Response:
    """Answer a caller who has too much on the way."""
    response = error_response(
        429,
        error.code,
        str(error),
        "finish or wait for the uploads that are under way, then ask again",
    )
    response.headers["Retry-After"] = "60"
    return response


@bp.app_errorhandler(LedgerBusy)
@bp.app_errorhandler(LedgerUnavailable)
def refuse_without_ledger(error: LedgerBusy | LedgerUnavailable) -> Response:
    """Answer that nothing could be recorded, so nothing was granted or believed."""
    response = error_response(
        503, error.code, "the ledger cannot record this now", "nothing was lost; ask again in a moment"
    )
    response.headers["Retry-After"] = "2"
    return response
