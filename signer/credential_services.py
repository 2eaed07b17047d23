"""What ``POST /v1/credentials`` works with: built once, hung on the application."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Any

import orjson
from flask import current_app

from ossgate.access import Caller
from ossgate.access.callers import ANONYMOUS
from ossgate.access.rates import ISSUE
from ossgate.bucket.sts import StsClient
from signer.credential_request import CredentialRequest
from signer.credentials import Credentials
from signer.errors import ViaNotAllowed
from signer.facts import Facts
from signer.fresh_cache import FreshCache
from signer.grants import GrantRequest
from signer.profiles import Profile
from signer.services import SignerServices, choose_subject
from signer.sts_grants import StsGrant
from signer.sts_issuer import StsIssuer

STALE_SECONDS = 960
"""Alibaba's credential libraries ask again when 15 minutes are left; what is handed out should have more."""


def choose_margin(duration: int) -> int:
    """Return how many seconds credentials must still live to be handed out again: half, and more than libraries call stale."""
    return max(duration // 2, min(STALE_SECONDS, duration * 3 // 4))


class CredentialServices:
    """Hands out temporary credentials; those of a prefix again, while they are fresh, to the same person."""

    def __init__(self, services: SignerServices, issuer: StsIssuer, sts: StsClient | None) -> None:
        self._services = services
        self._issuer = issuer
        self._sts = sts
        margin = timedelta(seconds=choose_margin(sts.role.duration if sts else 0))
        self._prefixes: FreshCache[StsGrant] = FreshCache(
            lambda grant: _end_of(grant) - services.now() >= margin
        )

    def issue(self, wanted: CredentialRequest, caller: Caller) -> dict[str, Any]:
        """Return credentials with all that an upload by them needs.

        Raises:
            ProfileUnknown: No such profile.
            AccessDenied: The profile does not name this caller, or their page is foreign to it.
            FieldInvalid: The caller may not name a subject.
            RateLimited: The caller asks too often.
            GrantRefused: The profile gives no credentials, or not such.
            StsUnavailable: STS gave none.
            QuotaExceeded, LedgerBusy, LedgerUnavailable: From the ledger.
        """
        services = self._services
        profile = services.find_profile(wanted.profile)
        services.access.require_profile(caller, profile.name, profile.allow)
        subject = choose_subject(wanted.subject, caller)
        services.limits.hit(ISSUE, caller, subject)
        sts = self._require_sts()
        if wanted.use == "once":
            return self._issue_once(sts, profile, wanted, caller, subject).to_json()
        return self.issue_prefix(profile, wanted.file, caller, subject).to_json()

    @property
    def are_given(self) -> bool:
        """Whether there is a role to make them of."""
        return self._sts is not None

    def issue_prefix(
        self, profile: Profile, request: GrantRequest, caller: Caller, subject: str, *, held: str = ""
    ) -> StsGrant:
        """Return credentials of a prefix to a caller who may use the profile.

        Args:
            held: The ticket of a prefix that the caller has already, to go on below it.

        Raises:
            GrantRefused: The profile gives no credentials, or the prefix is another's.
            StsUnavailable: STS gave none.
            QuotaExceeded, LedgerBusy, LedgerUnavailable: From the ledger.
        """
        sts = self._require_sts()
        self._services.require_room(profile, caller, subject, self._services.now())
        if held:
            return self._renew_prefix(sts, profile, held, caller, subject)
        if caller.way == ANONYMOUS:
            # Nobody knows who they are: two who shared a prefix could overwrite each other's files.
            return self._issue_prefix(sts, profile, request, caller, subject)
        key: Hashable = (
            profile.name,
            caller.issuer,
            subject,
            request.dialect,
            orjson.dumps(dict(request.variables), option=orjson.OPT_SORT_KEYS),
        )
        return self._prefixes.obtain(key, lambda: self._issue_prefix(sts, profile, request, caller, subject))

    def assume(self, profile: Profile, facts: Facts) -> Credentials:
        """Return credentials cut to a grant.

        Raises:
            ViaNotAllowed: There is no role.
            StsUnavailable: STS gave none.
        """
        return self._require_sts().assume_role(self._issuer.build_policy(profile, facts))

    def _require_sts(self) -> StsClient:
        if self._sts is None:
            raise ViaNotAllowed("no temporary credentials are given here", hint="set [oss.sts] role_arn")
        return self._sts

    def _renew_prefix(
        self, sts: StsClient, profile: Profile, held: str, caller: Caller, subject: str
    ) -> StsGrant:
        facts = self._issuer.renew_prefix(
            profile,
            held,
            issuer=caller.issuer,
            subject=subject,
            now=self._services.now(),
            lifetime=sts.role.duration,
        )
        return self._assume(sts, profile, facts)

    def _issue_once(
        self, sts: StsClient, profile: Profile, wanted: CredentialRequest, caller: Caller, subject: str
    ) -> StsGrant:
        now = self._services.now()
        facts = self._issuer.plan_once(
            profile, wanted.file, issuer=caller.issuer, subject=subject, now=now, lifetime=sts.role.duration
        )
        grant = self._assume(sts, profile, facts)
        self._services.record([grant], profile, caller, subject, now)
        return grant

    def _issue_prefix(
        self, sts: StsClient, profile: Profile, request: GrantRequest, caller: Caller, subject: str
    ) -> StsGrant:
        facts = self._issuer.plan_prefix(
            profile,
            request,
            issuer=caller.issuer,
            subject=subject,
            now=self._services.now(),
            lifetime=sts.role.duration,
        )
        grant = self._assume(sts, profile, facts)
        self._services.log(
            "issued_prefix",
            grant_id=facts.upload_id,
            profile=profile.name,
            key_prefix=facts.object_key,
            issuer=caller.issuer,
        )
        return grant

    def _assume(self, sts: StsClient, profile: Profile, facts: Facts) -> StsGrant:
        return self._issuer.build_grant(
            profile, facts, sts.assume_role(self._issuer.build_policy(profile, facts))
        )


def _end_of(grant: StsGrant) -> datetime:
    return min(grant.credentials.expires_at or grant.facts.expires, grant.facts.expires)


def credential_services() -> CredentialServices:
    """Return the services of the application that answers."""
    services: CredentialServices = current_app.extensions["credentials"]
    return services
