"""Grants: what a client is handed, so that it can do one upload and nothing else.

A ``once`` grant pins every form field that matters, since OSS accepts and obeys each field that no condition names
(*PostObject*, https://help.aliyun.com/zh/oss/developer-reference/postobject). `docs/locks.md` lists what is pinned and what stays open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from signer.conditions import Condition, content_length_range, eq, exact
from signer.credentials import Credentials
from signer.errors import GrantTooLarge, SubjectInvalid
from signer.facts import Facts, encode_facts
from signer.file_names import build_content_disposition, clean_file_name, guess_content_type
from signer.post_form import sign_form
from signer.profiles import MAX_SUBJECT_BYTES, Profile
from signer.seal import METADATA_NAME, SealKeys
from signer.texts import holds_hidden
from signer.ticket import TicketKeys
from signer.times import format_seconds, to_utc
from signer.variables import check_variables


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """What a client asks for; nothing in it is believed yet."""

    filename: str
    size: int | None = None
    content_type: str = ""
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client is handed, and the facts that the ledger keeps of it."""

    facts: Facts
    url: str
    fields: dict[str, str] = field(repr=False)
    expires_at: datetime
    method: str = "POST"

    def to_json(self) -> dict[str, Any]:
        """Return the grant in the shape that clients read."""
        return {
            "upload_id": self.facts.upload_id,
            "method": self.method,
            "url": self.url,
            "fields": self.fields,
            "object_key": self.facts.object_key,
            "expires_at": format_time(self.expires_at),
            "profile": self.facts.profile,
        }


def format_time(moment: datetime) -> str:
    """Return an aware time as our JSON writes it, such as ``2026-01-02T03:04:05Z``."""
    return format_seconds(moment) + "Z"


@dataclass(frozen=True, slots=True)
class GrantIssuer:
    """Issues grants with our keys and the bucket's credentials."""

    ticket_keys: TicketKeys
    seal_keys: SealKeys
    credentials: Callable[[], Credentials]
    new_upload_id: Callable[[datetime], str]

    def issue_grant(
        self, profile: Profile, request: GrantRequest, *, issuer: str, subject: str, now: datetime
    ) -> Grant:
        """Return a grant for one exact object.

        Args:
            issuer: Who asked: ``anonymous``, ``api_key:NAME``, ``jwt:SUBJECT`` and the like.
            subject: For whom.
            now: Aware time.

        Raises:
            GrantRefused: The request asks for what the profile does not give; one subclass a reason.
        """
        now = to_utc(now)
        facts = plan_upload(
            profile,
            request,
            issuer=issuer,
            subject=subject,
            upload_id=self.new_upload_id(now),
            now=now,
        )
        encoded_facts = encode_facts(facts)
        ticket = self.ticket_keys.sign(encoded_facts)
        if len(ticket) > profile.callback.longest_ticket():
            raise GrantTooLarge(
                "the names and variables of this upload together do not fit OSS's callback",
                hint="shorten the file name or the variables",
            )
        fields = {
            "key": facts.object_key,
            "x-oss-content-type": facts.content_type,
            "Content-Disposition": build_content_disposition(profile.disposition, facts.file_name),
            "success_action_status": "200",
            "x-oss-object-acl": profile.object_acl,
            "x-oss-forbid-overwrite": "true",
            "x-oss-storage-class": profile.storage_class,
            METADATA_NAME: self.seal_keys.encrypt(encoded_facts),
            "callback": profile.callback.build_callback_param(ticket),
        }
        expires_at = now + timedelta(seconds=profile.lifetime)
        signed = sign_form(
            fields,
            build_once_conditions(facts, fields),
            version=profile.signature,
            credentials=self.credentials(),
            region=profile.place.region,
            now=now,
            expires_at=expires_at,
        )
        return Grant(facts=facts, url=profile.place.host, fields=signed, expires_at=expires_at)


def build_once_conditions(facts: Facts, fields: Mapping[str, str]) -> list[Condition]:
    """Return conditions that pin the bucket, the size and every field of the form to its one value."""
    return [
        exact("bucket", facts.bucket),
        content_length_range(facts.size_min, facts.size_max),
        *[eq(name.lower(), value) for name, value in fields.items()],
    ]


def plan_upload(
    profile: Profile, request: GrantRequest, *, issuer: str, subject: str, upload_id: str, now: datetime
) -> Facts:
    """Check a request against its profile, and return the facts of the upload that it may do.

    Raises:
        GrantRefused: One subclass a reason.
    """
    check_subject(subject)
    file_name = clean_file_name(request.filename)
    content_type = profile.check_content_type(request.content_type or guess_content_type(file_name))
    if request.size is not None:
        profile.check_size(request.size)
    issued_at = int(now.timestamp())
    return Facts(
        use="once",
        upload_id=upload_id,
        profile=profile.name,
        issuer=issuer,
        subject=subject,
        bucket=profile.place.bucket,
        object_key=profile.object_key.build_object_key(
            profile=profile.name,
            subject=subject,
            upload_id=upload_id,
            file_name=file_name,
            content_type=content_type,
            now=now,
        ),
        size_min=profile.min_size if request.size is None else request.size,
        size_max=profile.max_size if request.size is None else request.size,
        content_type=content_type,
        file_name=file_name,
        variables=check_variables(request.variables, profile.variables),
        issued_at=issued_at,
        expires_at=issued_at + profile.lifetime,
    )


def check_subject(subject: str) -> None:
    """Refuse a subject that is empty, above 128 bytes, or holds hidden characters.

    Raises:
        SubjectInvalid: Answered with 422.
    """
    if not subject or holds_hidden(subject) or len(subject.encode()) > MAX_SUBJECT_BYTES:
        raise SubjectInvalid(
            f"a subject has 1 to {MAX_SUBJECT_BYTES} bytes and no control characters",
            hint="send the id of the user for whom this upload is",
        )
