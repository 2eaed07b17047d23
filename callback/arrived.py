"""The "arrived" step: an object is there, and one row says so, once.

A callback goes through it, a `confirm` too, and reconciliation: whoever finds an object does with it what the callback would have done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, Protocol

from callback.deadline import HANDLER_SECONDS, LEDGER_SECONDS, Deadline
from callback.errors import TicketRefused, UploadClosed, UploadReplaced
from callback.handlers import Handler, HandlerRunner
from callback.reply import ReplyTemplate, encode_reply
from ossgate.access.callers import quota_key_of
from ossgate.bucket import BucketClient
from ossgate.ledger import (
    Arrival,
    KeptRequest,
    Ledger,
    LedgerBusy,
    LedgerUnavailable,
    Meeting,
    NewUpload,
    TransitionForbidden,
    Upload,
    judge_arrival,
)
from signer.facts import Facts
from signer.grants import format_time
from signer.profiles import Profile

Target = Literal["uploaded", "unconfirmed"]
Via = Literal["callback", "confirm", "complete", "reconcile", "replay"]


class Log(Protocol):
    """Writes one structured line."""

    def __call__(self, event: str, /, **facts: object) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class ReceivingProfile:
    """A profile with what is done when its uploads arrive.

    Attributes:
        replies: What clients of other contracts are answered, by their dialect.
    """

    profile: Profile
    reply: ReplyTemplate
    handler: Handler | None = None
    replies: Mapping[str, ReplyTemplate] = field(default_factory=dict)

    def choose_reply(self, facts: Facts) -> ReplyTemplate:
        """Return the template that fits the client whom a grant was issued to."""
        return self.replies.get(facts.dialect, self.reply)


@dataclass(frozen=True, slots=True)
class ArrivedObject:
    """What is known of an object that is there; provisional while no bucket has confirmed it."""

    size: int
    etag: str
    content_type: str
    crc64: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Records arrivals and answers them."""

    ledger: Ledger
    bucket: BucketClient
    profiles: Mapping[str, ReceivingProfile]
    link_seconds: int
    now: Callable[[], datetime]
    log: Log
    runner: HandlerRunner = field(default_factory=HandlerRunner)

    def find_profile(self, facts: Facts) -> ReceivingProfile:
        """Return the profile that a grant was issued under.

        Raises:
            TicketRefused: It was removed from the settings since.
        """
        found = self.profiles.get(facts.profile)
        if found is None:
            raise TicketRefused(
                f"the ticket's profile {facts.profile} is not in the settings any more",
                hint="keep a profile until its last grant has expired",
                upload_id=facts.upload_id,
            )
        return found

    def record(
        self,
        receiving: ReceivingProfile,
        facts: Facts,
        arrived: ArrivedObject,
        *,
        target: Target,
        via: Via,
        deadline: Deadline,
        callback: KeptRequest | None = None,
    ) -> bytes:
        """Record that an object arrived, once, and return the reply's bytes.

        Args:
            callback: What told of it, to be kept in the same commit.

        Raises:
            UploadReplaced: It arrived before with other bytes; answered with 409.
            UploadClosed: The upload was aborted or deleted; answered with 409.
            LedgerBusy, LedgerUnavailable: Nothing is certain; answered with 503.
        """
        now = self.now()
        values = self._placeholders(receiving, facts, arrived, target, now)
        arrival = Arrival(
            upload=to_new_upload(facts, quota_key=_find_quota_key(receiving.profile, facts)),
            target=target,
            size=arrived.size,
            etag=arrived.etag,
            content_type=arrived.content_type,
            crc64=arrived.crc64,
            via=via,
            reply=receiving.choose_reply(facts).render(values),
            facts=_image_facts(arrived),
            # A rebuilt row goes to the account that the lost one was on.
            quota_period=receiving.profile.quota.period if receiving.profile.quota else "ever",
            callback=callback,
            took_ms=deadline.spent_ms(),
        )
        try:
            outcome = self.ledger.record_arrival(arrival, now=now, timeout=deadline.left(LEDGER_SECONDS))
        except TransitionForbidden as error:
            raise _closed(facts) from error
        if outcome.conflict:
            raise _replaced(facts)
        self.log(
            "recorded" if outcome.first else "repeated",
            upload_id=facts.upload_id,
            state=outcome.upload.state,
            via=via,
            size=arrived.size,
        )
        if outcome.first and target == "uploaded" and receiving.handler is not None:
            return self._handle(receiving.handler, receiving, outcome.upload, outcome.reply, deadline)
        return outcome.reply

    def foresee(self, facts: Facts, arrived: ArrivedObject, *, target: Target) -> bool:
        """Tell whether recording would be the first that tells of this object; writes nothing.

        Raises:
            UploadReplaced, UploadClosed, LedgerBusy, LedgerUnavailable: As `record` would.
        """
        upload = self.ledger.fetch_upload(facts.upload_id)
        if upload is None:
            return True
        meeting = judge_arrival(upload.state, upload.etag, target=target, arrived_etag=arrived.etag)
        if meeting == Meeting.CONFLICT:
            raise _replaced(facts)
        if meeting == Meeting.CLOSED:
            raise _closed(facts)
        return meeting == Meeting.FIRST

    def _placeholders(
        self,
        receiving: ReceivingProfile,
        facts: Facts,
        arrived: ArrivedObject,
        target: Target,
        now: datetime,
    ) -> dict[str, Callable[[], object]]:
        known: dict[str, object] = {
            "upload_id": facts.upload_id,
            "state": target,
            "profile": facts.profile,
            "subject": facts.subject,
            "bucket": facts.bucket,
            "object_key": facts.object_key,
            "file_name": facts.file_name,
            "size": arrived.size,
            "etag": arrived.etag,
            "content_type": arrived.content_type,
            "crc64": arrived.crc64,
            "width": arrived.width,
            "height": arrived.height,
            "uploaded_at": format_time(now),
            "keep_until": format_time(now + timedelta(days=facts.keep_days)) if facts.keep_days else None,
        }
        known |= {f"vars.{name}": facts.variables.get(name) for name in receiving.profile.variables}
        values = {name: _constant(value) for name, value in known.items()}
        values["location"] = lambda: receiving.profile.place.build_object_url(facts.object_key)
        # Signing costs; only a reply that shows the link pays for it.
        values["url"] = lambda: self._link(receiving.profile, facts)
        if receiving.profile.thumbnails:
            values |= self._link_thumbnails(receiving.profile, facts, arrived)
        return values

    def _link_thumbnails(
        self, profile: Profile, facts: Facts, arrived: ArrivedObject
    ) -> dict[str, Callable[[], object]]:
        links = dict.fromkeys((f"thumbnails.{name}" for name in profile.thumbnails), _constant(None))
        for name, process in profile.list_thumbnails(arrived):
            links[f"thumbnails.{name}"] = partial(self._link, profile, facts, process)
        return links

    def _link(self, profile: Profile, facts: Facts, process: str = "") -> str:
        return self.bucket.presign_get(
            profile.place,
            facts.object_key,
            expires=self.link_seconds,
            version=profile.signature,
            process=process,
        )

    def _handle(
        self,
        handler: Handler,
        receiving: ReceivingProfile,
        upload: Upload,
        fallback: bytes,
        deadline: Deadline,
    ) -> bytes:
        ending, reply, error = self.runner.run(
            handler,
            describe_arrival(upload),
            seconds=deadline.left(HANDLER_SECONDS),
            on_late=lambda: self._note(upload.upload_id, "late"),
        )
        if ending == "late":
            self.log("handler_overran", upload_id=upload.upload_id, profile=upload.profile)
        elif ending != "done":
            self._note(upload.upload_id, ending)
            self.log(
                "handler_failed",
                upload_id=upload.upload_id,
                profile=upload.profile,
                reason=type(error).__name__ if error else "too many handlers are running",
            )
        if reply is None:
            return fallback
        return self._keep_reply(receiving, upload, reply, fallback, deadline)

    def _keep_reply(
        self,
        receiving: ReceivingProfile,
        upload: Upload,
        reply: Mapping[str, Any],
        fallback: bytes,
        deadline: Deadline,
    ) -> bytes:
        try:
            encoded = encode_reply(reply, limit=receiving.reply.limit)
        except TypeError:
            encoded = None
        if encoded is None:
            self._note(upload.upload_id, "failed")
            self.log("handler_reply_refused", upload_id=upload.upload_id, limit=receiving.reply.limit)
            return fallback
        try:
            self.ledger.record_reply(upload.upload_id, encoded, timeout=deadline.left(LEDGER_SECONDS))
        except (LedgerBusy, LedgerUnavailable):
            # A repeat would get the stored reply, so this answer is the stored one, too.
            return fallback
        return encoded

    def _note(self, upload_id: str, result: str) -> None:
        self.ledger.record_handler_result(upload_id, f"handler:{result}", now=self.now())


def describe_arrival(upload: Upload) -> dict[str, Any]:
    """Return what a handler is told of an upload."""
    return {
        "upload_id": upload.upload_id,
        "state": upload.state,
        "profile": upload.profile,
        "subject": upload.subject,
        "bucket": upload.bucket,
        "object_key": upload.object_key,
        "file_name": upload.file_name,
        "size": upload.size,
        "etag": upload.etag,
        "content_type": upload.content_type,
        "vars": dict(upload.variables),
        "uploaded_at": format_time(upload.uploaded_at) if upload.uploaded_at else None,
        "keep_until": format_time(upload.keep_until) if upload.keep_until else None,
    }


def to_new_upload(facts: Facts, *, quota_key: str = "") -> NewUpload:
    """Return a ticket's facts as a ledger row: for the one written at issue, should it be lost, or that prefix grants never had."""
    return NewUpload(
        upload_id=facts.upload_id,
        profile=facts.profile,
        subject=facts.subject,
        issuer=facts.issuer,
        via=facts.via,
        dialect=facts.dialect or None,
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


def _find_quota_key(profile: Profile, facts: Facts) -> str:
    return quota_key_of(facts.issuer, facts.subject) if profile.quota else ""


def _replaced(facts: Facts) -> UploadReplaced:
    return UploadReplaced("this upload arrived before, with other bytes", upload_id=facts.upload_id)


def _closed(facts: Facts) -> UploadClosed:
    return UploadClosed("this upload was aborted or deleted before", upload_id=facts.upload_id)


def _constant(value: object) -> Callable[[], object]:
    return lambda: value


def _image_facts(arrived: ArrivedObject) -> dict[str, Any]:
    return {
        name: value
        for name, value in (("width", arrived.width), ("height", arrived.height))
        if value is not None
    }
