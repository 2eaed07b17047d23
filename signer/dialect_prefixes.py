"""Grants wishes of clients that name their own files: each below a prefix that proves its grant."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from ossgate.access import Caller
from ossgate.access.rates import ISSUE, PARTS
from signer.credential_services import CredentialServices
from signer.credentials import Credentials
from signer.dialects.contract import ConfiguredDialect
from signer.dialects.handed import HandedCredentials, HandedForm, HandedUrl
from signer.dialects.prefix_form import sign_prefix_form
from signer.dialects.prefix_requests import build_key_below, sign_bare_put, sign_one_request
from signer.dialects.wishes import BarePut, FormUnderPrefix, SignOneRequest, TemporaryCredentials
from signer.errors import GrantExpired
from signer.facts import Facts, Via, encode_facts
from signer.file_names import guess_content_type
from signer.grants import GrantRequest
from signer.prefix_grants import PrefixForged
from signer.presign import UrlSigner, cap_lifetime
from signer.profiles import Profile
from signer.services import SignerServices, UploadUnknown, choose_subject
from signer.sts_issuer import StsIssuer


@dataclass(frozen=True, slots=True)
class DialectPrefixes:
    """Grants prefixes. Nothing is recorded until an object arrives: below a prefix there may be none, or a thousand.

    What arrives is put on the caller's account; each grant raises ``QuotaExceeded`` when that is full, and the ledger's other errors.
    """

    signer: SignerServices
    issuer: StsIssuer
    credentials: CredentialServices

    def grant_form(self, wish: FormUnderPrefix, caller: Caller, spoken: ConfiguredDialect) -> HandedForm:
        """Return a form for any number of files.

        Raises:
            AccessDenied, RateLimited, GrantRefused, StsUnavailable: It is not given, or not now.
        """
        profile, subject = self._admit(caller, spoken)
        now = self.signer.now()
        own = self.signer.issuer.credentials()
        lifetime = cap_lifetime(profile.lifetime, own, now, in_url=False)
        self.signer.require_room(profile, caller, subject, now)
        facts = self._plan("post", profile, caller, subject, spoken, now, lifetime)
        # A page that posts whatever token it is given would post an empty one, and who holds such a token holds no more than the prefix.
        temporary = wish.temporary and self.credentials.are_given
        signing = self.credentials.assume(profile, facts) if temporary else own
        return sign_prefix_form(
            profile,
            wish,
            prefix=facts.object_key,
            callback_param=self.issuer.build_prefix_callback(profile, facts),
            credentials=signing,
            now=now,
            expires_at=now + timedelta(seconds=cap_lifetime(lifetime, signing, now, in_url=False)),
        )

    def grant_bare_put(self, wish: BarePut, caller: Caller, spoken: ConfiguredDialect) -> HandedUrl:
        """Return the URL of one PUT.

        Raises:
            AccessDenied, RateLimited, GrantRefused: It is not given.
        """
        profile, subject = self._admit(caller, spoken)
        content_type = profile.check_content_type(wish.content_type or guess_content_type(wish.filename))
        if wish.size is not None:
            profile.check_size(wish.size, "put")
        now = self.signer.now()
        signer = self._sign_urls(profile, now)
        lifetime = cap_lifetime(profile.lifetime_for("put"), signer.credentials, now)
        self.signer.require_room(profile, caller, subject, now, size=wish.size)
        facts = self._plan("put", profile, caller, subject, spoken, now, lifetime)
        if wish.size is not None:
            facts = facts._replace(size_min=wish.size, size_max=wish.size)
        return sign_bare_put(
            wish,
            object_key=build_key_below(facts.object_key, wish.filename, content_type),
            content_type=content_type,
            callback_param=self.issuer.build_prefix_callback(profile, facts),
            signer=signer,
            expires=lifetime,
        )

    def sign_one(self, wish: SignOneRequest, caller: Caller, spoken: ConfiguredDialect) -> HandedUrl:
        """Return the URL of one request that the client composes.

        Raises:
            AccessDenied, RateLimited, GrantRefused: It is not given.
            UploadUnknown: The key lies below no prefix of ours; answered with 404.
            GrantExpired: Its prefix was granted too long ago; answered with 410.
        """
        profile, subject = self._admit(caller, spoken, action=PARTS if wish.multipart_upload_id else ISSUE)
        now = self.signer.now()
        signer = self._sign_urls(profile, now)
        lifetime = cap_lifetime(profile.lifetime, signer.credentials, now)
        content_type = wish.content_type
        callback_param = ""
        if wish.multipart_upload_id:
            key = self._find_key(wish.object_key, profile, now)
        else:
            content_type = profile.check_content_type(content_type or guess_content_type(wish.object_key))
            via: Via = "put" if wish.operation == "PutObject" else "multipart"
            self.signer.require_room(profile, caller, subject, now)
            facts = self._plan(via, profile, caller, subject, spoken, now, lifetime)
            key = build_key_below(facts.object_key, wish.object_key, content_type)
            callback_param = self.issuer.build_prefix_callback(profile, facts)
        return sign_one_request(
            wish,
            object_key=key,
            content_type=content_type,
            callback_param=callback_param,
            signer=signer,
            expires=lifetime,
        )

    def grant_credentials(
        self, wish: TemporaryCredentials, caller: Caller, spoken: ConfiguredDialect
    ) -> HandedCredentials:
        """Return credentials for a prefix, or fresh ones for one that the client holds.

        Raises:
            AccessDenied, RateLimited, GrantRefused, StsUnavailable: They are not given, or not now.
        """
        profile, subject = self._admit(caller, spoken)
        request = GrantRequest("", dialect=spoken.name)
        grant = self.credentials.issue_prefix(profile, request, caller, subject, held=wish.held_grant)
        ends = grant.credentials.expires_at or grant.facts.expires
        return HandedCredentials(
            credentials=grant.credentials,
            prefix=grant.facts.object_key,
            grant=self.signer.issuer.ticket_keys.sign(encode_facts(grant.facts)),
            bucket=profile.place.bucket,
            region=profile.place.region,
            endpoint=profile.place.host if profile.place.is_cname else profile.place.endpoint,
            callback=orjson.loads(b64decode(grant.callback_param)),
            expires_at=min(ends, grant.facts.expires),
            now=self.signer.now(),
            is_cname=profile.place.is_cname,
        )

    def _admit(
        self, caller: Caller, spoken: ConfiguredDialect, *, action: str = ISSUE
    ) -> tuple[Profile, str]:
        profile = self.signer.find_profile(spoken.profile)
        self.signer.access.require_profile(caller, profile.name, profile.allow)
        subject = choose_subject("", caller)
        self.signer.limits.hit(action, caller, subject)
        return profile, subject

    def _plan(
        self,
        via: Via,
        profile: Profile,
        caller: Caller,
        subject: str,
        spoken: ConfiguredDialect,
        now: datetime,
        lifetime: int,
    ) -> Facts:
        facts = self.issuer.plan_prefix(
            profile,
            GrantRequest("", dialect=spoken.name),
            issuer=caller.issuer,
            subject=subject,
            now=now,
            lifetime=lifetime,
            via=via,
        )
        self.signer.log(
            "issued_prefix",
            grant_id=facts.upload_id,
            profile=profile.name,
            key_prefix=facts.object_key,
            issuer=caller.issuer,
        )
        return facts

    def _find_key(self, key: str, profile: Profile, now: datetime) -> str:
        # Whoever names an upload's id has it from OSS: nobody else can know it.
        try:
            proof = self.issuer.prefix_keys.verify(key, bucket=profile.place.bucket, profile=profile.name)
        except PrefixForged as error:
            raise UploadUnknown(
                "this key lies below no prefix of ours", hint="send the key that was answered"
            ) from error
        if now - proof.issued > timedelta(seconds=profile.lifetime_for("multipart")):
            raise GrantExpired("the time of this grant is over", hint="begin the upload anew")
        return key

    def _sign_urls(self, profile: Profile, now: datetime) -> UrlSigner:
        credentials: Callable[[], Credentials] = self.signer.issuer.credentials
        return UrlSigner(profile.place, profile.signature, credentials(), now)
