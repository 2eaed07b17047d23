"""``POST /callback`` and anything below it, for OSS alone; ``POST /v1/uploads/{id}/confirm`` for the uploader."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, current_app, request

from callback import errors
from callback.body import MAX_BODY_BYTES
from callback.deadline import Deadline
from callback.receive import Receiver
from callback.request import read_environ
from ossgate.access import Access
from ossgate.access.headers import Environ
from ossgate.access.rates import CONFIRM, RateLimits
from ossgate.access.requests import identify_request
from ossgate.bucket import BucketUnavailable
from ossgate.ledger import Ledger
from ossgate.wire import error_response, json_bytes_response
from signer.upload_ids import is_upload_id

bp = Blueprint("callback", __name__)

STATUSES: tuple[tuple[type[errors.CallbackRefused], int], ...] = (
    (errors.RequestMalformed, 400),
    (errors.BodyTooLarge, 413),
    (errors.ObjectMissing, 409),
    (errors.BucketDisagrees, 409),
    (errors.ChecksumMismatch, 409),
    (errors.UploadReplaced, 409),
    (errors.UploadClosed, 409),
    (errors.CallbackRefused, 403),
)


@dataclass(frozen=True, slots=True)
class CallbackServices:
    """What the views of this package work with: built once, hung on the application."""

    receiver: Receiver
    access: Access
    limits: RateLimits
    ledger: Ledger


def callback_services() -> CallbackServices:
    """Return the services of the application that answers."""
    services: CallbackServices = current_app.extensions["callback"]
    return services


@bp.post("/callback")
@bp.post("/callback/<path:_below>")
def receive_callback(_below: str = "") -> Response:
    """Believe a callback and answer OSS, or refuse it."""
    environ, size = request.environ, request.content_length or 0
    if size > MAX_BODY_BYTES:
        # Refused unread.
        return json_bytes_response(*answer_callback(callback_services(), environ, b"", body_size=size))
    return json_bytes_response(*answer_callback(callback_services(), environ, request.get_data()))


def answer_callback(
    services: CallbackServices, environ: Environ, body: bytes, *, body_size: int | None = None
) -> tuple[bytes, int]:
    """Return the reply to a callback that is believed, and its status; without Flask, since there are many.

    Args:
        body_size: The length of a body that was not read.
    """
    deadline = Deadline()
    return services.receiver.receive(read_environ(environ, body, body_size=body_size), deadline), 200


@bp.post("/v1/uploads/<upload_id>/confirm")
def confirm_upload(upload_id: str) -> Response:
    """Ask the bucket, and answer what the callback would have answered."""
    deadline = Deadline()
    services = callback_services()
    caller = identify_request(services.access)
    upload = services.ledger.fetch_upload(upload_id) if is_upload_id(upload_id) else None
    # Before it is told whether there is one, so that nobody looks for ids at leisure.
    services.limits.hit(CONFIRM, caller, upload.subject if upload else "")
    if upload is None or not caller.may_see(upload.issuer, upload.subject):
        return error_response(
            404, "upload_unknown", "there is no such upload", "check the id; it is the grant's upload_id"
        )
    services.access.origins.require_origin(caller, upload.profile)
    return json_bytes_response(services.receiver.confirm(upload, deadline))


@bp.app_errorhandler(errors.CallbackRefused)
def refuse(error: errors.CallbackRefused) -> Response:
    """Answer a refusal with its status."""
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    return error_response(status, error.code, error.message, error.hint)


@bp.app_errorhandler(BucketUnavailable)
def refuse_without_bucket(error: BucketUnavailable) -> Response:
    """Answer that the bucket could not be asked."""
    response = error_response(503, error.code, str(error), "ask again in a moment; nothing was lost")
    response.headers["Retry-After"] = "2"
    return response
