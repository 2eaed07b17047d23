"""`create_app`: the one place where the parts meet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask_cors import CORS
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

import callback.views
import ossgate.metrics.views
import ossgate.openapi.views
import ossgate.operators.page
import ossgate.operators.views
import signer.views
from callback.arrived import Arrivals
from callback.deadline import Deadline
from callback.receive import Receiver
from callback.views import CallbackServices
from ossgate import access_views, health, pages
from ossgate.access.origins import ANY
from ossgate.answering import Environ
from ossgate.assembly import Parts, assemble
from ossgate.bucket import BucketClient
from ossgate.bucket.sts import StsClient
from ossgate.delivery.deliverer import Deliverer
from ossgate.front import Door, Front
from ossgate.logs import log_event
from ossgate.metrics.counting import Log, Metrics, TimedBucketClient
from ossgate.metrics.views import MetricsServices
from ossgate.page_parts import build_pages
from ossgate.settings import LoadedSettings, load_settings
from ossgate.wire import error_response, request_id
from signer import credential_views, dialect_views, key_confirmations, open_upload_views
from signer.credential_services import CredentialServices
from signer.dialect_prefixes import DialectPrefixes
from signer.dialect_services import DialectServices
from signer.grants import GrantIssuer
from signer.key_confirmations import KeyConfirmations
from signer.open_uploads import OpenUploads
from signer.services import SignerServices
from signer.sts_issuer import StsIssuer
from signer.upload_ids import new_upload_id

MAX_REQUEST_BYTES = 1024**2
_CALLBACK_PATH = re.compile(r"/callback(/[A-Za-z0-9._~-]+)*")


def utc_now() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)


def create_app(loaded: LoadedSettings | None = None) -> Flask:
    """Return the WSGI application of these settings, by default those of the environment.

    Raises:
        SettingsInvalid: All problems of the settings together.
    """
    loaded = loaded or load_settings()
    parts = assemble(loaded)
    app = Flask("ossgate", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    link_seconds = loaded.settings.oss.link_seconds
    reach = loaded.settings.server.metrics
    metrics = Metrics(parts.profiles, parts.ledger) if reach != "off" else None
    log = metrics.count_events(log_event) if metrics else log_event
    bucket = build_bucket(parts, metrics)
    issuer = GrantIssuer(parts.ticket_keys, parts.seal_keys, parts.credentials, new_upload_id)
    profiles = {name: receiving.profile for name, receiving in parts.profiles.items()}
    receiver = build_receiver(parts, bucket, link_seconds, log)
    services = SignerServices(
        issuer=issuer,
        open_uploads=OpenUploads(
            issuer=issuer,
            profiles=profiles,
            ledger=parts.ledger,
            bucket=bucket,
            # An upload that we completed ourselves has no callback: what that would have done is done at once.
            settle=lambda upload: receiver.confirm(upload, Deadline(), via="complete"),
            now=utc_now,
            log=log,
        ),
        profiles=profiles,
        access=parts.access,
        limits=parts.limits,
        ledger=parts.ledger,
        bucket=bucket,
        link_seconds=link_seconds,
        now=utc_now,
        log=log,
    )
    app.extensions["signer"] = services
    sts_issuer = StsIssuer(issuer, parts.prefix_keys)
    credentials = CredentialServices(
        services, sts_issuer, StsClient(parts.role, parts.credentials, now=utc_now) if parts.role else None
    )
    app.extensions["credentials"] = credentials
    app.extensions["dialects"] = DialectServices(
        services, DialectPrefixes(services, sts_issuer, credentials), parts.dialects
    )
    app.extensions["callback"] = CallbackServices(receiver, parts.access, parts.limits, parts.ledger)
    app.extensions["key_confirmations"] = KeyConfirmations(
        prefix_keys=parts.prefix_keys,
        profiles=profiles,
        access=parts.access,
        limits=parts.limits,
        ledger=parts.ledger,
        confirm=lambda upload: receiver.confirm(upload, Deadline()),
        confirm_below=lambda *found, **asker: receiver.confirm_below(*found, **asker, deadline=Deadline()),
    )
    app.extensions["bearers"] = access_views.BearerServices(
        parts.access, parts.limits, {name: profile.allow for name, profile in services.profiles.items()}
    )
    app.extensions["pages"] = build_pages(services, receiver, parts.bucket_origins)
    app.extensions["health"] = health.Health(services, parts.ledger)
    app.extensions["metrics"] = MetricsServices(metrics, reach, parts.access)
    for blueprint in (
        signer.views.bp,
        open_upload_views.bp,
        key_confirmations.bp,
        credential_views.bp,
        ossgate.operators.views.bp,
        ossgate.operators.page.bp,
        callback.views.bp,
        access_views.bp,
        pages.bp,
        health.bp,
        ossgate.metrics.views.bp,
        ossgate.openapi.views.bp,
    ):
        app.register_blueprint(blueprint)
    app.register_blueprint(dialect_views.build_blueprint(parts.dialects))
    if metrics:
        view = app.view_functions["callback.receive_callback"]
        app.view_functions["callback.receive_callback"] = metrics.time_callbacks(view)
    _answer_errors(app)
    _tell_request_ids(app, log)
    _allow_origins(app, parts)
    app.wsgi_app = Front(app, _list_doors(app, parts, loaded.settings.callback.url, metrics))  # type: ignore[method-assign]
    if loaded.settings.server.trusted_proxies:
        count = loaded.settings.server.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    if parts.delivery.in_server and parts.delivery.sinks:
        deliverer = parts.delivery.build_deliverer(parts.ledger.outbox, utc_now)
        app.extensions["deliverer"] = deliverer
        app.wsgi_app = _DeliverFromFirstRequest(app, deliverer)  # type: ignore[method-assign]
    for override in parts.overridden:
        log_event("insecure_setting", override=override)
    return app


def _list_doors(
    app: Flask, parts: Parts, callback_urls: Sequence[str], metrics: Metrics | None
) -> dict[str, Door]:
    def receive(environ: Environ, body: bytes) -> tuple[bytes, int]:
        return callback.views.answer_callback(app.extensions["callback"], environ, body)

    def issue(environ: Environ, body: bytes) -> tuple[bytes, int]:
        return signer.views.answer_issue(app.extensions["signer"], environ, body)

    paths = ["/callback", *(urlsplit(url).path for url in callback_urls)]
    timed = metrics.time_callbacks(receive) if metrics else receive
    doors: dict[str, Door] = {path: timed for path in paths if _CALLBACK_PATH.fullmatch(path)}
    if ANY not in parts.access.origins.union:
        # Where any page may ask, every answer says so, and that is Flask-CORS's to do.
        doors["/v1/uploads"] = issue
    return doors


class _DeliverFromFirstRequest:
    """Starts the deliverer of this process with its first request, and then is out of the way.

    Nothing may start before the server has forked. Under gunicorn the settings' own hook is earlier than a request.
    """

    def __init__(self, app: Flask, deliverer: Deliverer) -> None:
        self._app, self._inner, self._deliverer = app, app.wsgi_app, deliverer

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self._deliverer.ensure_started()
        self._app.wsgi_app = self._inner  # type: ignore[method-assign]
        return self._inner(environ, start_response)


def _allow_origins(app: Flask, parts: Parts) -> None:
    rules = parts.access.origins
    resources = {r"/v1/.*": rules.union}
    for dialect in parts.dialects:
        # Here the address says which profile it is, so its preflights allow the origins of that one alone.
        for path in dialect.paths:
            resources[re.escape(path) + r"(/.*)?\Z"] = rules.list_origins(dialect.profile)
    exposed = ["RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"]
    allowed: dict[str | re.Pattern[str], dict[str, Any]] = {
        path: {"origins": _exactly(origins)} for path, origins in resources.items() if origins
    }
    if allowed:
        CORS(app, resources=allowed, max_age=600, expose_headers=exposed)


def _exactly(origins: Sequence[str]) -> list[str | re.Pattern[str]]:
    # The library takes some texts for patterns; these are exact, but for the one that stands for all.
    return [origin if origin == "*" else re.compile(re.escape(origin) + r"\Z") for origin in origins]


def build_bucket(parts: Parts, metrics: Metrics | None) -> BucketClient:
    """Return what asks the bucket, timed where metrics are kept."""
    if metrics is None:
        return BucketClient(parts.credentials, now=utc_now)
    return TimedBucketClient(parts.credentials, now=utc_now, metrics=metrics)


def build_receiver(parts: Parts, bucket: BucketClient, link_seconds: int, log: Log) -> Receiver:
    """Return what believes callbacks."""
    return Receiver(
        public_keys=parts.public_keys,
        ticket_keys=parts.ticket_keys,
        seal_keys=parts.seal_keys,
        prefix_keys=parts.prefix_keys,
        arrivals=Arrivals(
            ledger=parts.ledger,
            bucket=bucket,
            profiles=parts.profiles,
            link_seconds=link_seconds,
            now=utc_now,
            log=log,
        ),
        grace=parts.grace,
        now=utc_now,
    )


def _tell_request_ids(app: Flask, log: Log) -> None:
    @app.after_request
    def tell_request_id(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id()
        if response.status_code >= 400:
            log(
                "refused",
                method=request.method,
                path=request.path[:200],
                status=response.status_code,
                code=g.get("error_code"),
            )
        return response


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def answer_http(error: HTTPException) -> Response:
        status = error.code or 500
        code = error.name.lower().replace(" ", "_")
        response = error_response(status, code, _HTTP_MESSAGES.get(status, error.name.lower()))
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers["Allow"] = value
        return response

    @app.errorhandler(Exception)
    def answer_crash(error: Exception) -> Response:
        # The traceback goes to the log by its type alone: its text may quote what a client sent.
        log_event("crashed", error=type(error).__name__, where=_last_line(error))
        return error_response(
            500, "internal_error", "something is wrong here", "tell the operator the request_id"
        )


_HTTP_MESSAGES = {
    404: "there is nothing here",
    405: "this address does not take this method",
    413: "the request is too large",
}


def _last_line(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
