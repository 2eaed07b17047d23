"""``POST /callback`` and anything below it, for OSS alone; ``POST /v1/uploads/{id}/confirm`` for the uploader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, current_app, request

from callback import errors
from callback.body import MAX_BODY_BYTES
from callback.deadline import Deadline
from callback.receive import CallbackRequest, Receiver
from ossgate.access import Access
from ossgate.access.headers import Environ
from ossgate.access.rates import CONFIRM, RateLimits
from ossgate.access.requests import identify_request
from ossgate.bucket import BucketUnavailable
from ossgate.ledger import Ledger, Refusal
from ossgate.wire import error_response, json_bytes_response
from signer.upload_ids import is_upload_id, new_upload_id

bp = Blueprint("callback", __name__)
KEPT_BODY_BYTES = 8 * 1024

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
    now: Callable[[], datetime]


def callback_services() -> CallbackServices:
    """Return the services of the application that answers."""
    services: CallbackServices = current_app.extensions["callback"]
    return services


@bp.post("/callback")
@bp.post("/callback/<path:_below>")
def receive_callback(_below: str = "") -> Response:
    """Believe a callback and answer OSS, or refuse it."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise body_too_large()
    return json_bytes_response(*answer_callback(callback_services(), request.environ, request.get_data()))


def answer_callback(services: CallbackServices, environ: Environ, body: bytes) -> tuple[bytes, int]:
    """Return the reply to a callback that is believed, and its status; without Flask, since there are many."""
    deadline = Deadline()
    # A body in chunks does not say its length beforehand.
    if len(body) > MAX_BODY_BYTES:
        raise body_too_large()
    return services.receiver.receive(read_callback(environ, body), deadline), 200


def read_callback(environ: Environ, body: bytes) -> CallbackRequest:
    """Return the request as OSS sent it."""
    return CallbackRequest(
        # PATH_INFO is decoded already, and what it was decoded from is what OSS signed.
        raw_target=environ["RAW_URI"],
        body=body,
        content_type=environ.get("CONTENT_TYPE", ""),
        # Not request.authorization, which takes the signature for a scheme's name and changes its case.
        authorization=environ.get("HTTP_AUTHORIZATION", ""),
        public_key_url=environ.get("HTTP_X_OSS_PUB_KEY_URL", ""),
    )


def body_too_large() -> errors.BodyTooLarge:
    """Return the refusal of a body that is larger than any callback of ours."""
    return errors.BodyTooLarge("no callback of ours has so large a body")


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
    """Answer a refusal with its status; a refused callback is kept with the layer that refused it."""
    services = callback_services()
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    if request.path.startswith("/callback"):
        services.receiver.arrivals.log(
            "callback_refused",
            layer=error.layer,
            code=error.code,
            upload_id=error.upload_id,
            reason=error.message,
        )
        now = services.now()
        body = b"" if isinstance(error, errors.BodyTooLarge) else request.get_data()
        services.ledger.record_refusal(
            Refusal(
                refusal_id=new_upload_id(now),
                at=now,
                layer=error.layer,
                code=error.code,
                detail=error.message,
                upload_id=error.upload_id,
                raw_target=request.environ["RAW_URI"][:2048],
                body=body[:KEPT_BODY_BYTES],
                remote_addr=request.remote_addr or "",
            )
        )
    return error_response(status, error.code, error.message, error.hint)


@bp.app_errorhandler(BucketUnavailable)
def refuse_without_bucket(error: BucketUnavailable) -> Response:
    """Answer that the bucket could not be asked."""
    response = error_response(503, error.code, str(error), "ask again in a moment; nothing was lost")
    response.headers["Retry-After"] = "2"
    return response
