"""``/healthz`` tells that the process lives, ``/readyz`` that it can sign, verify and write."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, current_app

from ossgate.ledger import Ledger, LedgerBusy, LedgerUnavailable
from ossgate.wire import json_response
from signer.grants import GrantRequest
from signer.services import SignerServices

bp = Blueprint("health", __name__)
PING_SECONDS = 2.0


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
                f"the ledger cannot be written: {error}",
                "run `ossgate db upgrade`, and look at the database",
            )
        # One grant through all keys, recorded nowhere.
        issuer, profile = self.services.issuer, next(iter(self.services.profiles.values()))
        name = "ready.bin"
        grant = issuer.issue_grant(
            profile,
            GrantRequest(name, content_type=_any_type(profile.content_types)),
            issuer="health",
            subject="health",
            now=self.services.now(),
        )
        return None if grant.fields else ("no grant can be signed", "look at the log")


def _any_type(content_types: tuple[str, ...]) -> str:
    first = content_types[0]
    return "application/octet-stream" if first == "*/*" else first.replace("/*", "/x-any")


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
