"""Between the ledger's facts and its rows: times to milliseconds, dictionaries to JSON text, and back."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ossgate.ledger.models import Change, Delivery, Judgement, KeptCallback, KeptRequest, NewUpload, Upload
from ossgate.ledger.states import State

Row = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_encode_ascii = json.JSONEncoder(separators=(",", ":")).encode
_LARGEST_NUMBER = 2**63 - 1
_MUTABLE_AT_ISSUE: Row = {
    "state": State.ISSUED.value,
    "size": None,
    "etag": None,
    "crc64": None,
    "uploaded_at": None,
    "arrived_via": None,
    "reply": None,
    "keep_until": None,
    "replaced_size": None,
}
UNKNOWN_AT_ISSUE = frozenset(name for name, value in _MUTABLE_AT_ISSUE.items() if value is None)
"""Columns that stay empty until an upload arrives."""


def encode_time(at: datetime) -> int:
    """Count the milliseconds since the epoch; a naive time raises ``TypeError``."""
    return (at - EPOCH) // _MILLISECOND


def parse_time(milliseconds: int) -> datetime:
    """Make an aware UTC datetime of a row's milliseconds."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def encode_facts(facts: Mapping[str, Any]) -> str:
    """Write a small dictionary as compact JSON."""
    return _encode(facts) if facts else "{}"


def encode_upload(new: NewUpload, *, quota_period: str) -> Row:
    """Build the row of a fresh upload, still ``issued``."""
    created_at = encode_time(new.created_at)
    return {
        "upload_id": new.upload_id,
        "profile": new.profile,
        "subject": new.subject,
        "issuer": new.issuer,
        "via": new.via,
        "dialect": new.dialect,
        "bucket": new.bucket,
        "object_key": new.object_key,
        "file_name": new.file_name,
        "content_type": new.content_type,
        "size_min": new.size_min,
        "size_max": new.size_max,
        "variables": encode_facts(new.variables),
        "quota_key": new.quota_key,
        "quota_period": quota_period,
        "created_at": created_at,
        "expires_at": encode_time(new.expires_at),
        "changed_at": created_at,
        "multipart_upload_id": new.multipart_upload_id,
        "part_size": new.part_size,
        "keep_days": new.keep_days or None,
        **_MUTABLE_AT_ISSUE,
    }


def parse_upload(row: Mapping[str, Any]) -> Upload:
    """Read a row of the upload table."""
    variables, uploaded_at, keep_until = row["variables"], row["uploaded_at"], row["keep_until"]
    return Upload(
        upload_id=row["upload_id"],
        profile=row["profile"],
        subject=row["subject"],
        issuer=row["issuer"],
        via=row["via"],
        dialect=row["dialect"],
        bucket=row["bucket"],
        object_key=row["object_key"],
        file_name=row["file_name"],
        content_type=row["content_type"],
        size_min=row["size_min"],
        size_max=row["size_max"],
        variables={} if variables == "{}" else json.loads(variables),
        quota_key=row["quota_key"],
        created_at=parse_time(row["created_at"]),
        expires_at=parse_time(row["expires_at"]),
        state=row["state"],
        size=row["size"],
        etag=row["etag"],
        crc64=row["crc64"],
        uploaded_at=None if uploaded_at is None else parse_time(uploaded_at),
        arrived_via=row["arrived_via"],
        reply=row["reply"],
        changed_at=parse_time(row["changed_at"]),
        multipart_upload_id=row["multipart_upload_id"],
        part_size=row["part_size"],
        keep_days=row["keep_days"] or 0,
        keep_until=None if keep_until is None else parse_time(keep_until),
        replaced_size=row["replaced_size"],
    )


def parse_change(row: Mapping[str, Any]) -> Change:
    """Read a row of the history."""
    return Change(row["upload_id"], row["claim"], parse_time(row["at"]), row["via"], json.loads(row["facts"]))


def encode_callback(request: KeptRequest, judgement: Judgement) -> Row:
    """Build the inbox's row of a callback, which may hold anything that a stranger sent."""
    upload_id = judgement.upload_id
    return {
        "callback_id": request.callback_id,
        "at": encode_time(request.at),
        "verdict": judgement.verdict,
        "layer": judgement.layer,
        "code": judgement.code,
        "detail": _storable(judgement.detail),
        "upload_id": None if upload_id is None else _storable(upload_id),
        "remote_addr": _storable(request.remote_addr),
        "took_ms": judgement.took_ms,
        "body_size": min(request.body_size, _LARGEST_NUMBER),
        "cut": request.cut,
        "raw_target": request.raw_target,
        # ASCII alone: PostgreSQL stores no NUL as such, and neither database a lone surrogate.
        "headers": _encode_ascii(request.headers),
        "body": request.body,
    }


def _storable(text: str) -> str:
    # PostgreSQL stores no NUL, and neither database a lone surrogate.
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def parse_callback(row: Mapping[str, Any]) -> KeptCallback:
    """Read a row of the inbox."""
    return KeptCallback(
        KeptRequest(
            callback_id=row["callback_id"],
            at=parse_time(row["at"]),
            raw_target=row["raw_target"],
            headers=json.loads(row["headers"]),
            body=row["body"],
            body_size=row["body_size"],
            remote_addr=row["remote_addr"],
            cut=row["cut"],
        ),
        Judgement(row["verdict"], row["layer"], row["code"], row["detail"], row["upload_id"], row["took_ms"]),
    )


def parse_delivery(row: Mapping[str, Any]) -> Delivery:
    """Read a row of the outbox."""
    times = {
        name: None if row[name] is None else parse_time(row[name])
        for name in ("next_at", "locked_until", "created_at", "delivered_at")
    }
    return Delivery(**{**row, **times})
