"""``POST /v1/credentials``: temporary credentials for one file or one prefix."""

from __future__ import annotations

from flask import Blueprint, Response, request

from ossgate.access.requests import identify_request
from ossgate.bucket.sts import StsUnavailable
from ossgate.wire import error_response, json_response
from signer.credential_request import parse_credential_request
from signer.credential_services import credential_services
from signer.errors import SignerError
from signer.services import signer_services
from signer.views import refuse

bp = Blueprint("credentials", __name__)
bp.register_error_handler(SignerError, refuse)


@bp.post("/v1/credentials")
def issue_credentials() -> Response:
    """Hand out credentials with the callback ready made."""
    caller = identify_request(signer_services().access)
    wanted = parse_credential_request(request.get_data())
    return json_response(credential_services().issue(wanted, caller), 201)


@bp.app_errorhandler(StsUnavailable)
def refuse_without_sts(error: StsUnavailable) -> Response:
    """Answer that STS gave none; why is the operator's affair."""
    signer_services().log("sts_unavailable", reason=error.reason)
    response = error_response(
        503,
        error.code,
        "STS gives no credentials now",
        "ask again in a moment; the log tells the operator why",
    )
    response.headers["Retry-After"] = "2"
    return response
