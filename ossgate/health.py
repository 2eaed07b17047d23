"""``/healthz`` tells that the process lives, ``/readyz`` that it can sign, verify and write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, current_app

from ossgate.ledger import Ledger, LedgerBusy, LedgerUnavailable
from ossgate.wire import json_response
from signer.credentials import CredentialsUnavailable
from signer.facts import Facts
from signer.post_form import sign_form
from signer.services import SignerServices

bp = Blueprint("health", __name__)
PING_SECONDS = 2.0
_SAMPLE = Facts("once", "0" * 26, "health", "health", "health", "bucket", "key", 1, 1, "text/plain", "name")


@dataclass(frozen=True, slots=True)
class Health:
    """What readiness is judged by."""

    services: SignerServices
    ledger: Ledger

    def find_problem(self) -> tuple[str, str] | None:
        """Return what keeps the service from working and the fix, or nothing."""
        try:
            self.ledger.ping(timeout=PING_SECONDS)
        except (LedgerBusy, LedgerUnavailable) as error:
            return (
                f"the ledger cannot be written ({error.code})",
                "run `ossgate db upgrade`, and look at the database",
            )
        issuer, now = self.services.issuer, self.services.now()
        if issuer.ticket_keys.verify_ticket(issuer.ticket_keys.issue_ticket(_SAMPLE)) != _SAMPLE:
            return "tickets cannot be verified", "look at [keys] ticket"
        if issuer.seal_keys.open_seal(issuer.seal_keys.issue_seal(_SAMPLE)) != _SAMPLE:
            return "seals cannot be opened", "look at [keys] seal"
        try:
            credentials = issuer.credentials()
        except CredentialsUnavailable as error:
            return error.message, "look at the log, and at [oss] credentials"
        form = sign_form(
            {},
            [{"bucket": "b"}],
            version="v4",
            credentials=credentials,
            region="r",
            now=now,
            expires_at=now + timedelta(minutes=1),
        )
        return None if form and credentials.access_key_secret else ("nothing can be signed", "look at [oss]")


@bp.get("/healthz")
def show_health() -> Response:
    """Tell that the process lives."""
    return json_response({"status": "ok"})


@bp.get("/readyz")
def show_readiness() -> Response:
    """Tell whether the process can sign, verify and write."""
    health: Health = current_app.extensions["health"]
    problem = health.find_problem()
    if problem is None:
        return json_response({"status": "ok"})
    message, fix = problem
    return json_response({"status": "not ready", "problem": message, "fix": fix}, 503)
