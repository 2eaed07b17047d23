"""What a grant of temporary credentials promises, and what it is made of; STS itself is asked between the two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from signer.credentials import Credentials
from signer.errors import PrefixNotAllowed
from signer.facts import Facts, encode_facts
from signer.grants import GrantIssuer, GrantRequest, check_subject, plan_upload
from signer.prefix_grants import PrefixKeys
from signer.profiles import Profile
from signer.session_policy import build_session_policy
from signer.sts_grants import StsGrant
from signer.times import to_utc
from signer.variables import check_variables


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
    ) -> Facts:
        """Return the facts of a prefix below which a client may write what it likes for so many seconds.

        Raises:
            GrantRefused: The profile gives no prefixes, or the request asks for what it does not give.
        """
        profile.check_via("sts")
        if profile.key_prefix is None:
            raise PrefixNotAllowed(
                f"the profile {profile.name} grants single files alone",
                hint="send a filename, or set key_prefix in the profile",
            )
        check_subject(subject)
        now = to_utc(now)
        grant_id = self.issuer.new_upload_id(now)
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
            size_max=profile.limit_for("sts"),
            # Any that the profile takes; judged when an object is there.
            content_type="",
            file_name="",
            variables=check_variables(request.variables, profile.variables),
            issued_at=issued_at,
            expires_at=issued_at + lifetime,
            via="sts",
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
