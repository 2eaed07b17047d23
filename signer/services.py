"""What the views of the signer work with: built once, hung on the application."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from flask import current_app

from ossgate.access import Access, Caller
from ossgate.access.callers import API_KEY
from ossgate.access.rates import ISSUE, RateLimits
from ossgate.bucket import BucketClient
from ossgate.ledger import Ledger, NewUpload, QuotaLimit, Upload
from signer.errors import SignerError
from signer.facts import Via
from signer.grants import Grant, GrantIssuer, GrantRequest, format_time
from signer.issue_request import FieldInvalid, IssueRequest
from signer.multipart_grants import MultipartGrant
from signer.open_uploads import OpenUploads
from signer.profiles import Profile, Quota
from signer.put_grants import PutGrant
from signer.sts_grants import StsGrant

AnyGrant = Grant | PutGrant | MultipartGrant
RecordedGrant = AnyGrant | StsGrant
ISSUE_SECONDS = 3.0
ARRIVED_STATES = ("uploaded", "unconfirmed")


class ProfileUnknown(SignerError):
    """A profile that does not exist."""

    code = "profile_unknown"


class UploadUnknown(SignerError):
    """An upload that does not exist, or that the caller may not see."""

    code = "upload_unknown"


class Log(Protocol):
    """Writes one structured line."""

    def __call__(self, event: str, /, **facts: object) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class SignerServices:
    """Issues grants for callers, and shows uploads to those who may see them."""

    issuer: GrantIssuer
    open_uploads: OpenUploads
    profiles: Mapping[str, Profile]
    access: Access
    limits: RateLimits
    ledger: Ledger
    bucket: BucketClient
    link_seconds: int
    now: Callable[[], datetime]
    log: Log

    def issue_grants(self, wanted: IssueRequest, caller: Caller) -> Sequence[AnyGrant]:
        """Return one grant a file, all recorded in the ledger, or none.

        Raises:
            ProfileUnknown: No such profile.
            AccessDenied: The profile does not name this caller, or their page is foreign to it.
            FieldInvalid: The caller may not name a subject.
            RateLimited: The caller asks too often.
            GrantRefused: A file outside the profile's limits.
            BucketUnavailable: An upload in parts cannot be begun.
            QuotaExceeded, LedgerBusy, LedgerUnavailable: From the ledger.
        """
        profile = self.find_profile(wanted.profile)
        self.access.require_profile(caller, profile.name, profile.allow)
        subject = choose_subject(wanted.subject, caller)
        self.limits.hit(ISSUE, caller, subject, cost=len(wanted.files))
        now = self.now()
        grants: list[AnyGrant] = []
        try:
            for file in wanted.files:
                grants.append(self._issue(wanted.via, profile, file, caller.issuer, subject, now))
            self.record(grants, profile, caller, subject, now)
        except Exception:
            # All or none: what was begun in the bucket is given up there.
            self.open_uploads.give_up(
                profile, [grant for grant in grants if isinstance(grant, MultipartGrant)]
            )
            raise
        return grants

    def find_profile(self, name: str) -> Profile:
        """Return a profile.

        Raises:
            ProfileUnknown: There is none of this name; answered with 404.
        """
        profile = self.profiles.get(name)
        if profile is None:
            raise ProfileUnknown(
                "there is no such profile", hint="`GET /v1/profiles` lists what is open to you"
            )
        return profile

    def record(
        self, grants: Sequence[RecordedGrant], profile: Profile, caller: Caller, subject: str, now: datetime
    ) -> None:
        """Record grants in the ledger, all or none, within the profile's quota.

        Raises:
            QuotaExceeded, LedgerBusy, LedgerUnavailable: From the ledger.
        """
        quota_key = caller.quota_key(subject) if profile.quota else ""
        self.ledger.record_issued(
            [_to_row(grant, quota_key) for grant in grants],
            quota=_to_limit(profile.quota),
            now=now,
            timeout=ISSUE_SECONDS,
        )
        for grant in grants:
            self.log(
                "issued",
                upload_id=grant.facts.upload_id,
                profile=profile.name,
                object_key=grant.facts.object_key,
                issuer=caller.issuer,
            )

    def require_room(
        self, profile: Profile, caller: Caller, subject: str, now: datetime, *, size: int | None = None
    ) -> None:
        """Refuse a grant of many files to a caller whose quota is full: no more than one file of the smallest size need fit.

        Such a grant reserves nothing; its files are counted when they arrive.

        Args:
            size: Of the one file that is asked for, when it is known.

        Raises:
            QuotaExceeded, LedgerBusy, LedgerUnavailable: From the ledger.
        """
        limit = _to_limit(profile.quota)
        if limit is not None:
            self.ledger.require_room(
                caller.quota_key(subject),
                profile.name,
                quota=limit,
                size=max(profile.min_size, 1) if size is None else size,
                now=now,
                timeout=ISSUE_SECONDS,
            )

    def _issue(
        self, via: Via, profile: Profile, file: GrantRequest, issuer: str, subject: str, now: datetime
    ) -> AnyGrant:
        if via == "multipart":
            return self.open_uploads.begin(profile, file, issuer=issuer, subject=subject, now=now)
        issue = self.issuer.issue_put if via == "put" else self.issuer.issue_grant
        return issue(profile, file, issuer=issuer, subject=subject, now=now)

    def fetch_upload(self, upload_id: str, caller: Caller) -> Upload | None:
        """Return an upload that this caller may see, or nothing.

        Raises:
            AccessDenied: The caller's page is foreign to the upload's profile.
        """
        upload = self.ledger.fetch_upload(upload_id)
        if upload is None or not caller.may_see(upload.issuer, upload.subject):
            return None
        self.access.origins.require_origin(caller, upload.profile)
        return upload

    def describe_upload(self, upload: Upload, *, with_link: bool = True) -> dict[str, Any]:
        """Return an upload in the shape that clients read, with a link once it has arrived."""
        described: dict[str, Any] = {
            "upload_id": upload.upload_id,
            "state": upload.state,
            "via": upload.via,
            "profile": upload.profile,
            "subject": upload.subject,
            "object_key": upload.object_key,
            "file_name": upload.file_name,
            "size": upload.size,
            "etag": upload.etag,
            "content_type": upload.content_type,
            "created_at": format_time(upload.created_at),
            "expires_at": format_time(upload.expires_at),
            "uploaded_at": format_time(upload.uploaded_at) if upload.uploaded_at else None,
            "keep_until": format_time(upload.keep_until) if upload.keep_until else None,
            "vars": upload.variables,
        }
        profile = self.profiles.get(upload.profile)
        if with_link and profile is not None and upload.state in ARRIVED_STATES:
            described["url"] = self._link(profile, upload)
            thumbnails = {
                name: self._link(profile, upload, process)
                for name, process in profile.list_thumbnails(upload)
            }
            if thumbnails:
                described["thumbnails"] = thumbnails
        return described

    def _link(self, profile: Profile, upload: Upload, process: str = "") -> str:
        return self.bucket.presign_get(
            profile.place,
            upload.object_key,
            expires=self.link_seconds,
            version=profile.signature,
            process=process,
        )

    def list_profiles(self, caller: Caller) -> list[Profile]:
        """Return the profiles that this caller may use."""
        return [
            profile
            for profile in self.profiles.values()
            if self.access.may_use(caller, profile.name, profile.allow)
        ]


def signer_services() -> SignerServices:
    """Return the services of the application that answers."""
    services: SignerServices = current_app.extensions["signer"]
    return services


def choose_subject(wanted: str, caller: Caller) -> str:
    """Return for whom an upload is: API keys say it, for all others their credentials do.

    Raises:
        FieldInvalid: Another names a subject; answered with 422.
    """
    if wanted and caller.way != API_KEY:
        raise FieldInvalid("only API keys may name a subject", hint="leave it out")
    return wanted or caller.default_subject


def _to_limit(quota: Quota | None) -> QuotaLimit | None:
    return (
        None
        if quota is None
        else QuotaLimit(pending_uploads=quota.pending_uploads, bytes=quota.bytes, period=quota.period)
    )


def _to_row(grant: RecordedGrant, quota_key: str) -> NewUpload:
    facts = grant.facts
    return NewUpload(
        upload_id=facts.upload_id,
        profile=facts.profile,
        subject=facts.subject,
        issuer=facts.issuer,
        via=facts.via,
        dialect=facts.dialect or None,
        multipart_upload_id=grant.multipart_upload_id if isinstance(grant, MultipartGrant) else None,
        part_size=grant.part_size if isinstance(grant, MultipartGrant) else None,
        bucket=facts.bucket,
        object_key=facts.object_key,
        file_name=facts.file_name,
        content_type=facts.content_type,
        size_min=facts.size_min,
        size_max=facts.size_max,
        variables=facts.variables,
        keep_days=facts.keep_days,
        quota_key=quota_key,
        created_at=facts.issued,
        expires_at=facts.expires,
    )
