"""Grants: what a client is handed, so that it can do one upload and nothing else.

A ``once`` grant pins every form field that matters, since OSS accepts and obeys each field that no condition names
(*PostObject*, https://help.aliyun.com/zh/oss/developer-reference/postobject). `docs/locks.md` lists what is pinned and what stays open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from signer.callback_param import MAX_PARAM_LENGTH, CallbackDefinition
from signer.conditions import content_length_range, exact, pin
from signer.credentials import Credentials
from signer.errors import ChecksumNotPossible, GrantTooLarge, SizeMissing, SubjectInvalid
from signer.facts import Facts, Via, encode_facts
from signer.file_names import build_content_disposition, clean_file_name, guess_content_type
from signer.object_headers import build_object_headers
from signer.part_sizes import CLIENT_SIZED, check_part_size, choose_part_size
from signer.post_form import sign_form
from signer.presign import UrlSigner, cap_lifetime
from signer.profiles import MAX_SUBJECT_BYTES, Profile
from signer.put_grants import PutGrant, sign_put
from signer.seal import METADATA_NAME, SealKeys
from signer.texts import holds_hidden
from signer.ticket import TicketKeys
from signer.times import format_seconds, to_utc
from signer.variables import check_variables


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """What a client asks for; nothing in it is believed yet.

    Attributes:
        dialect: The table of the settings whose contract the client speaks; set by the route, and carried by the ticket.
        content_md5: What the file's bytes must have, in Base64; nothing when the client does not say.
        open_size: Whether an upload in parts may go without a size, its parts being as the client likes: their sum is judged
            when we complete it.
    """

    filename: str
    size: int | None = None
    content_type: str = ""
    variables: Mapping[str, object] = field(default_factory=dict)
    part_size: int | None = None
    dialect: str = ""
    open_size: bool = False
    content_md5: str = ""


EXACT_SIZES: frozenset[Via] = frozenset({"put", "multipart"})
"""Ways that can promise one size and no range of sizes."""
ONE_PIECE: frozenset[Via] = frozenset({"post", "put"})
"""Ways after which the bucket knows the file's MD5."""


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
        """Return a grant for one exact object, sent as a form.

        Args:
            issuer: Who asked: ``anonymous``, ``api_key:NAME``, ``jwt:SUBJECT`` and the like.
            subject: For whom.
            now: Aware time.

        Raises:
            GrantRefused: The request asks for what the profile does not give; one subclass a reason.
        """
        now = to_utc(now)
        credentials = self.credentials()
        lifetime = cap_lifetime(profile.lifetime, credentials, now, in_url=False)
        facts = plan_upload(
            profile,
            request,
            issuer=issuer,
            subject=subject,
            upload_id=self.new_upload_id(now),
            now=now,
            lifetime=lifetime,
        )
        encoded_facts = encode_facts(facts)
        named = {
            "key": facts.object_key,
            "x-oss-content-type": facts.content_type,
            "Content-Disposition": build_content_disposition(profile.disposition, facts.file_name),
        }
        proofs = {
            METADATA_NAME: self.seal_keys.encrypt(encoded_facts),
            "callback": self.build_callback_param(profile, encoded_facts),
        }
        expires_at = now + timedelta(seconds=lifetime)
        # The bucket, the size and every field of the form, each pinned to its one value.
        conditions = [
            exact("bucket", facts.bucket),
            content_length_range(facts.size_min, facts.size_max),
            *pin(named),
            *profile.fixed_conditions,
            *pin(proofs),
        ]
        signed = sign_form(
            {**named, **profile.fixed_fields, **proofs},
            conditions,
            version=profile.signature,
            credentials=credentials,
            region=profile.place.region,
            now=now,
            expires_at=expires_at,
        )
        return Grant(facts=facts, url=profile.place.host, fields=signed, expires_at=expires_at)

    def issue_put(
        self, profile: Profile, request: GrantRequest, *, issuer: str, subject: str, now: datetime
    ) -> PutGrant:
        """Return a grant for one exact object, sent as the body of one PUT; arguments as those of `issue_grant`.

        Raises:
            GrantRefused: The request asks for what the profile does not give, or tells no size.
        """
        now = to_utc(now)
        credentials = self.credentials()
        lifetime = cap_lifetime(profile.lifetime_for("put"), credentials, now)
        facts = plan_upload(
            profile,
            request,
            issuer=issuer,
            subject=subject,
            upload_id=self.new_upload_id(now),
            now=now,
            via="put",
            lifetime=lifetime,
        )
        encoded_facts = encode_facts(facts)
        return sign_put(
            profile,
            facts,
            seal=self.seal_keys.encrypt(encoded_facts),
            callback_param=self.build_callback_param(profile, encoded_facts),
            signer=UrlSigner(profile.place, profile.signature, credentials, now),
            expires=lifetime,
        )

    def plan_multipart(
        self, profile: Profile, request: GrantRequest, *, issuer: str, subject: str, now: datetime
    ) -> tuple[Facts, dict[str, str], int]:
        """Return the facts of an upload in parts, the headers that it is begun with, and the size of its parts.

        Raises:
            GrantRefused: The request asks for what the profile does not give, or tells no size.
            PartSizeInvalid: The part size that it asks for is not possible.
        """
        now = to_utc(now)
        facts = plan_upload(
            profile,
            request,
            issuer=issuer,
            subject=subject,
            upload_id=self.new_upload_id(now),
            now=now,
            via="multipart",
        )
        if request.open_size:
            part_size = CLIENT_SIZED
        elif request.part_size is None:
            part_size = choose_part_size(facts.size_max)
        else:
            part_size = check_part_size(request.part_size, facts.size_max)
        encoded_facts = encode_facts(facts)
        # Found out now: a completion that cannot carry its callback would be noticed when all the bytes are there.
        self.build_callback_param(profile, encoded_facts)
        return facts, build_object_headers(profile, facts, self.seal_keys.encrypt(encoded_facts)), part_size

    def build_callback_param(
        self, profile: Profile, encoded_facts: bytes, *, definition: CallbackDefinition | None = None
    ) -> str:
        """Return the callback parameter that carries the ticket of these facts.

        Args:
            definition: Whom OSS calls, and how; by default as the profile says.

        Raises:
            GrantTooLarge: Together they pass OSS's 5 KB; answered with 422.
        """
        param = (definition or profile.callback).build_callback_param(self.ticket_keys.sign(encoded_facts))
        if len(param) > MAX_PARAM_LENGTH:
            raise GrantTooLarge(
                "the names and variables of this upload together do not fit OSS's callback",
                hint="shorten the file name or the variables",
            )
        return param


def plan_upload(
    profile: Profile,
    request: GrantRequest,
    *,
    issuer: str,
    subject: str,
    upload_id: str,
    now: datetime,
    via: Via = "post",
    lifetime: int | None = None,
) -> Facts:
    """Check a request against its profile, and return the facts of the upload that it may do.

    Args:
        lifetime: Seconds, where credentials end before the profile's own time.

    Raises:
        GrantRefused: One subclass a reason.
    """
    profile.check_via(via)
    check_subject(subject)
    file_name = clean_file_name(request.filename)
    content_type = profile.check_content_type(request.content_type or guess_content_type(file_name))
    if request.size is not None:
        profile.check_size(request.size, via)
    elif via in EXACT_SIZES and not request.open_size:
        raise SizeMissing(
            "this way of upload cannot carry a range of sizes",
            hint='send "size": the whole number of bytes; only forms do without',
        )
    if request.content_md5 and via not in ONE_PIECE:
        raise ChecksumNotPossible(
            "of an upload in parts neither OSS nor we learn the MD5",
            hint='leave checksum out, or send the file in one piece, via "post" or "put"',
        )
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
        size_max=profile.limit_for(via) if request.size is None else request.size,
        content_type=content_type,
        file_name=file_name,
        variables=check_variables(request.variables, profile.variables),
        dialect=request.dialect,
        issued_at=issued_at,
        expires_at=issued_at + (profile.lifetime_for(via) if lifetime is None else lifetime),
        via=via,
        keep_days=profile.keep_days,
        content_md5=request.content_md5,
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
