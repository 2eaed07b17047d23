"""What goes into the ledger and what comes out: frozen facts, times as aware UTC datetimes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Period = Literal["day", "ever"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpload:
    """Hold what is promised when a grant is issued.

    ``size_min`` and ``size_max`` are equal when the size is exact; ``quota_key`` is empty when no quota counts it.
    ``multipart_upload_id`` is OSS's own id of an upload in parts, which have ``part_size`` bytes each but the last.
    ``keep_days`` counts from the arrival; nothing is for ever.
    """

    upload_id: str
    profile: str
    subject: str
    issuer: str
    via: str = "post"
    dialect: str | None = None
    multipart_upload_id: str | None = None
    part_size: int | None = None
    bucket: str
    object_key: str
    file_name: str
    content_type: str
    size_min: int
    size_max: int
    variables: Mapping[str, str | int | bool] = field(default_factory=dict)
    keep_days: int = 0
    quota_key: str = ""
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload(NewUpload):
    """Hold an upload as the ledger has it now; ``content_type`` is the bucket's once it has arrived.

    ``size`` and ``etag`` are those that arrived first; ``replaced_size`` is the size of what was last seen in its place.
    """

    state: str
    size: int | None
    etag: str | None
    crc64: str | None
    uploaded_at: datetime | None
    arrived_via: str | None
    reply: bytes | None
    changed_at: datetime
    keep_until: datetime | None
    replaced_size: int | None = None


@dataclass(frozen=True, slots=True)
class QuotaLimit:
    """Bound what one quota key may have pending and stored; ``None`` leaves a bound out.

    The period ``day`` is the UTC day of issue, and what arrived counts on it even when it was deleted since.
    """

    pending_uploads: int | None = None
    bytes: int | None = None
    period: Period = "ever"


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """Hold a callback as it came, as far as it is kept.

    ``headers`` are the chosen ones alone, by their names in small letters; ``body_size`` is the body's own length, also where less
    of it is kept. ``cut`` names what is not kept whole, and is empty when all is.
    """

    callback_id: str
    at: datetime
    raw_target: bytes
    headers: Mapping[str, str]
    body: bytes
    body_size: int
    remote_addr: str
    cut: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Hold what was made of a callback, after so many milliseconds; ``layer`` and ``code`` are empty where nothing went wrong."""

    verdict: str
    layer: str = ""
    code: str = ""
    detail: str = ""
    upload_id: str | None = None
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class KeptCallback:
    """Hold a row of the inbox."""

    request: KeptRequest
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Hold what arrived in the bucket.

    ``upload`` carries the ticket's facts, so that a row lost with its ``issued`` can be rebuilt;
    ``quota_period`` says which account such a rebuilt row is put on. The callback that told of it, and the milliseconds that it took
    until here, are kept in the same commit.
    """

    upload: NewUpload
    target: Literal["uploaded", "unconfirmed"]
    size: int
    etag: str
    content_type: str
    via: str
    reply: bytes
    facts: dict[str, Any] = field(default_factory=dict)
    crc64: str | None = None
    quota_period: Period = "ever"
    callback: KeptRequest | None = None
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class ArrivalOutcome:
    """Tell whether this arrival was the first, and what holds after it.

    ``conflict`` is true when the upload had arrived before with another ETag; then nothing changed but its history.
    """

    first: bool
    upload: Upload
    reply: bytes
    conflict: bool


@dataclass(frozen=True, slots=True)
class Change:
    """Hold one row of the append-only history; ``claim`` is the state entered, or a note such as ``handler:late``."""

    upload_id: str
    claim: str
    at: datetime
    via: str | None
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Hold one row of the outbox: what one sink is told of one change.

    ``delivery_id`` stays the same over all attempts; ``body`` is JSON, frozen when the change happened.
    """

    delivery_id: str
    upload_id: str
    sink: str
    type: str
    body: str
    state: Literal["pending", "delivered", "dead"]
    attempts: int
    next_at: datetime
    locked_until: datetime | None
    locked_by: str | None
    last_error: str | None
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class SinkState:
    """Hold how a sink stands; it gets nothing while disabled, or before ``resume_at``."""

    name: str
    pending: int
    dead: int
    disabled_at: datetime | None
    reason: str | None
    resume_at: datetime | None


@dataclass(frozen=True, slots=True)
class SweptUpload:
    """Hold what a walk over all uploads compares of each."""

    upload_id: str
    profile: str
    bucket: str
    object_key: str
    state: str
    size: int | None
    etag: str | None
    uploaded_at: datetime | None
    changed_at: datetime
    expires_at: datetime
    multipart_upload_id: str | None
    keep_until: datetime | None
    replaced_size: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one thing in which bucket and ledger differed, and what became of it."""

    at: datetime
    kind: str
    outcome: str
    bucket: str
    object_key: str
    upload_id: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class ReconcileRun:
    """Hold a walk over buckets and ledger; ``cursor`` is where it goes on, empty at its start."""

    run_id: str
    scope: dict[str, Any]
    started_at: datetime
    changed_at: datetime
    finished_at: datetime | None
    cursor: dict[str, Any]
    counts: dict[str, int]
