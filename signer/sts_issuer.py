"""What a grant of temporary credentials promises, and what it is made of; STS itself is asked between the two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from signer.credentials import Credentials
from signer.errors import HeldGrantInvalid, PrefixNotAllowed, TicketError
from signer.facts import Facts, Via, encode_facts
from signer.grants import GrantIssuer, GrantRequest, check_subject, plan_upload
from signer.prefix_grants import PrefixKeys
from signer.profiles import Profile
from signer.session_policy import build_session_policy
from signer.sts_grants import StsGrant
from signer.times import to_utc
from signer.variables import check_variables

LONGEST_RENEWAL = timedelta(days=7)
"""How long after it was granted a prefix may still be gone on with."""


@dataclass(frozen=True, slots=True)
class StsIssuer:
    """Plans grants of temporary credentials, and puts them together."""

    issuer: GrantIssuer
    prefix_keys: PrefixKeys

    def plan_once(
        self,
        profile: Profile,
        request: GrantRequest,
        *,
        issuer: str,
        subject: str,
        now: datetime,
        lifetime: int,
    ) -> Facts:
        """Return the facts of one upload by credentials that live so many seconds.

        Raises:
            GrantRefused: The request asks for what the profile does not give.
        """
        now = to_utc(now)
        return plan_upload(
            profile,
            request,
            issuer=issuer,
            subject=subject,
            upload_id=self.issuer.new_upload_id(now),
            now=now,
            via="sts",
            lifetime=lifetime,
        )

    def plan_prefix(
        self,
        profile: Profile,
        request: GrantRequest,
        *,
        issuer: str,
        subject: str,
        now: datetime,
        lifetime: int,
        via: Via = "sts",
    ) -> Facts:
        """Return the facts of a prefix below which a client may write what it likes for so many seconds.

        Args:
            via: How the client writes there: by credentials, or by what is signed for it.

        Raises:
            GrantRefused: The profile gives no prefixes, or the request asks for what it does not give.
        """
        profile.check_via(via)
        if profile.key_prefix is None:
            raise PrefixNotAllowed(
                f"the profile {profile.name} grants single files alone",
                hint="send a filename, or set key_prefix in the profile",
            )
        check_subject(subject)
        now = to_utc(now)
        grant_id = self.prefix_keys.bind_owner(self.issuer.new_upload_id(now), issuer=issuer, subject=subject)
        base = profile.key_prefix.build_object_key(
            profile=profile.name, subject=subject, upload_id="", file_name="", content_type="", now=now
        )
        issued_at = int(now.timestamp())
        return Facts(
            use="prefix",
            upload_id=grant_id,
            profile=profile.name,
            issuer=issuer,
            subject=subject,
            bucket=profile.place.bucket,
            object_key=self.prefix_keys.build_prefix(
                base, grant_id, bucket=profile.place.bucket, profile=profile.name
            ),
            size_min=profile.min_size,
            size_max=profile.limit_for(via),
            # Any that the profile takes; judged when an object is there.
            content_type="",
            file_name="",
            variables=check_variables(request.variables, profile.variables),
            dialect=request.dialect,
            issued_at=issued_at,
            expires_at=issued_at + lifetime,
            via=via,
            keep_days=profile.keep_days,
        )

    def renew_prefix(
        self, profile: Profile, ticket: str, *, issuer: str, subject: str, now: datetime, lifetime: int
    ) -> Facts:
        """Return the facts of a prefix that a client holds, good for so many seconds from now.

        A client that is in the middle of an upload goes on below its prefix; its ticket, which no object shows, proves that it is its own.

        Raises:
            HeldGrantInvalid: No ticket of a prefix that was granted to this caller under this profile, or one of long ago.
        """
        try:
            held = self.issuer.ticket_keys.verify_ticket(ticket)
        except TicketError as error:
            raise HeldGrantInvalid(error.message, hint="ask without a grant, and use the new dir") from error
        if (held.use, held.via, held.profile, held.bucket, held.issuer, held.subject) != (
            "prefix", "sts", profile.name, profile.place.bucket, issuer, subject,
        ):  # fmt: skip
            raise HeldGrantInvalid("this grant is another's", hint="ask without a grant, and use the new dir")
        issued_at = int(now.timestamp())
        proof = self.prefix_keys.verify(
            held.object_key + "x", bucket=profile.place.bucket, profile=profile.name
        )
        if now - proof.issued > LONGEST_RENEWAL:
            raise HeldGrantInvalid(
                "this grant is of long ago", hint="ask without a grant, and use the new dir"
            )
        return held._replace(issued_at=issued_at, expires_at=issued_at + lifetime)

    def build_prefix_callback(self, profile: Profile, facts: Facts) -> str:
        """Return the callback parameter of a prefix.

        Raises:
            GrantTooLarge: It passes OSS's 5 KB; answered with 422.
        """
        return self.issuer.build_callback_param(
            profile, encode_facts(facts), definition=profile.prefix_callback
        )

    def build_policy(self, profile: Profile, facts: Facts) -> str:
        """Return the session policy that cuts credentials to a grant."""
        return build_session_policy(
            facts.bucket,
            facts.object_key,
            is_prefix=facts.use == "prefix",
            secure=profile.place.host.startswith("https:"),
        )

    def build_grant(self, profile: Profile, facts: Facts, credentials: Credentials) -> StsGrant:
        """Return what the client is handed.

        Raises:
            GrantTooLarge: The callback passes OSS's 5 KB; answered with 422.
        """
        encoded_facts = encode_facts(facts)
        definition = profile.prefix_callback if facts.use == "prefix" else None
        return StsGrant(
            facts=facts,
            profile=profile,
            credentials=credentials,
            seal=self.issuer.seal_keys.encrypt(encoded_facts),
            callback_param=self.issuer.build_callback_param(profile, encoded_facts, definition=definition),
        )
