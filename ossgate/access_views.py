"""``POST /v1/bearers``, and what every answer says of who asked: refusals, rates, no referrer for bearers in the query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, request

from ossgate.access import Access, AccessDenied, KeysUnavailable
from ossgate.access.bearers import DEFAULT_SECONDS, MAX_SECONDS, MAX_SUBJECT_BYTES
from ossgate.access.callers import API_KEY, BEARER, JWT, Caller
from ossgate.access.denied import credentials_refused, request_forbidden
from ossgate.access.rates import BEARERS, RateLimited, RateLimits, format_policies, format_standings
from ossgate.access.requests import identify_request, noted_standings
from ossgate.access.subjects import is_subject
from ossgate.wire import error_response, json_response

bp = Blueprint("access", __name__)
_FIELDS = ("profile", "subject", "expires_in")


@dataclass(frozen=True, slots=True)
class BearerServices:
    """What the view of bearers works with.

    Attributes:
        allowed: The ways to ask of each profile.
    """

    access: Access
    limits: RateLimits
    allowed: Mapping[str, tuple[str, ...]]


class BearerRequestInvalid(Exception):
    """A request for a bearer that cannot be met."""

    def __init__(self, status: int, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.answer = (status, code, message, hint)


@bp.post("/v1/bearers")
def issue_bearer() -> Response:
    """Make a bearer for the query, for a client that cannot send headers."""
    services: BearerServices = current_app.extensions["bearers"]
    caller = identify_request(services.access)
    require_maker(caller)
    fields = parse_bearer_request(request.get_data())
    profile = fields["profile"]
    if profile not in services.allowed:
        raise BearerRequestInvalid(
            404, "profile_unknown", "there is no such profile", "`GET /v1/profiles` lists what is open to you"
        )
    services.access.require_profile(caller, profile, services.allowed[profile])
    if BEARER not in services.allowed[profile] or services.access.bearers is None:
        raise request_forbidden(
            "profile_forbidden",
            f"the profile {profile} is not open to query bearers",
            f'add "{BEARER}" to its allow list',
        )
    subject = choose_bearer_subject(fields["subject"], caller)
    services.limits.hit(BEARERS, caller, subject)
    seconds = fields["expires_in"]
    token, expires_at = services.access.bearers.issue_bearer(caller.issuer, subject, profile, seconds=seconds)
    ends = datetime.fromtimestamp(expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json_response(
        {"token": token, "profile": profile, "subject": subject, "expires_in": seconds, "expires_at": ends},
        201,
    )


def require_maker(caller: Caller) -> None:
    """Refuse who may not make bearers: sessions and proxies come with browsers, which can send headers.

    Raises:
        AccessDenied: 401 when credentials could help, else 403.
    """
    if caller.way in (API_KEY, JWT):
        return
    hint = "send Authorization: Bearer and an API key or a JSON Web Token"
    if caller.way == "anonymous":
        raise credentials_refused("credentials_missing", "bearers are made for those who are known", hint)
    raise request_forbidden("bearer_forbidden", "only API keys and JSON Web Tokens make bearers", hint)


def parse_bearer_request(body: bytes) -> dict[str, Any]:
    """Return the fields of a request.

    Raises:
        BearerRequestInvalid: No JSON object, or a field of another form than is documented.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BearerRequestInvalid(
            400, "bad_request", "the body is not JSON", 'send {"profile": …}'
        ) from error
    if not isinstance(data, dict):
        raise BearerRequestInvalid(400, "bad_request", "the body is not a JSON object", 'send {"profile": …}')
    profile, subject, seconds = (
        data.get("profile"),
        data.get("subject", ""),
        data.get("expires_in", DEFAULT_SECONDS),
    )
    problem = ""
    if not set(data) <= set(_FIELDS):
        problem = "there is a field that is not known"
    elif not isinstance(profile, str) or not profile:
        problem = "the field profile is missing, or no text"
    elif not isinstance(subject, str) or (subject and not is_subject(subject, MAX_SUBJECT_BYTES)):
        problem = f"the field subject is no text of 1 to {MAX_SUBJECT_BYTES} bytes that can be seen"
    elif type(seconds) is not int or not 1 <= seconds <= MAX_SECONDS:
        problem = f"the field expires_in is no number of 1 to {MAX_SECONDS} seconds"
    if problem:
        raise BearerRequestInvalid(422, "field_invalid", problem, "known are " + ", ".join(_FIELDS))
    return {"profile": profile, "subject": subject, "expires_in": seconds}


def choose_bearer_subject(wanted: str, caller: Caller) -> str:
    """Return for whom a bearer is.

    Raises:
        BearerRequestInvalid: An API key that names nobody, or a token that names another; answered with 422.
    """
    if caller.way == API_KEY:
        if not wanted:
            raise BearerRequestInvalid(
                422,
                "field_invalid",
                "the field subject is missing",
                "name the person who will hold the bearer",
            )
        return wanted
    if wanted:
        raise BearerRequestInvalid(
            422, "field_invalid", "only API keys may name a subject", "leave it out: the token says it"
        )
    return caller.subject


@bp.errorhandler(BearerRequestInvalid)
def refuse_bearer(error: BearerRequestInvalid) -> Response:
    """Answer a request for a bearer that cannot be met."""
    return error_response(*error.answer)


@bp.app_errorhandler(AccessDenied)
def deny(error: AccessDenied) -> Response:
    """Answer a caller who may not do this (https://www.rfc-editor.org/rfc/rfc6750#section-3)."""
    response = error_response(401 if error.authenticate else 403, error.code, error.message, error.hint)
    if error.authenticate:
        wrong = "" if error.code == "credentials_missing" else ', error="invalid_token"'
        response.headers["WWW-Authenticate"] = f'Bearer realm="ossgate"{wrong}'
    return response


@bp.app_errorhandler(KeysUnavailable)
def refuse_without_keys(error: KeysUnavailable) -> Response:
    """Answer that a token cannot be judged now."""
    response = error_response(503, error.code, str(error), "ask again in a moment")
    response.headers["Retry-After"] = "5"
    return response


@bp.app_errorhandler(RateLimited)
def refuse_rate(error: RateLimited) -> Response:
    """Answer somebody who asks too often."""
    response = error_response(
        429, error.code, f"too many requests: {error}", f"wait {error.retry_after} seconds, then ask again"
    )
    response.headers["Retry-After"] = str(error.retry_after)
    return response


@bp.after_app_request
def tell_rates(response: Response) -> Response:
    """Tell where the caller stands with the rates that were counted."""
    standings = noted_standings(request.environ)
    if standings:
        response.headers["RateLimit-Policy"] = format_policies(standings)
        response.headers["RateLimit"] = format_standings(standings)
    if b"token=" in request.query_string:
        # A page that is reached with a bearer in its address must not hand the address on.
        response.headers["Referrer-Policy"] = "no-referrer"
    return response
