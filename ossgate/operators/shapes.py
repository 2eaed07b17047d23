"""What operators are shown of a change and of a refusal: bounded, and without what could be used again."""

from __future__ import annotations

import re
from typing import Any

from ossgate.ledger import Change, KeptCallback, Upload
from signer.times import format_seconds

MAX_CHANGES = 200
SHOWN_BODY = 1024
SHOWN_TARGET = 1024
# A ticket that was refused may yet be good elsewhere, and a stranger's secrets are not ours to show. Ids have 26
# characters, and nothing that is worth reading has so many without a break.
_SECRET = re.compile(r"[A-Za-z0-9_.+%-]{40,}=*")
_REDACTED = "[redacted]"


def describe_for_operators(described: dict[str, Any], upload: Upload) -> dict[str, Any]:
    """Return an upload's shape with what only operators are told."""
    return described | {
        "issuer": upload.issuer,
        "via": upload.via,
        "arrived_via": upload.arrived_via,
        "bucket": upload.bucket,
        "crc64": upload.crc64,
        "changed_at": format_seconds(upload.changed_at) + "Z",
    }


def describe_change(change: Change) -> dict[str, Any]:
    """Return one row of a history."""
    return {
        "claim": change.claim,
        "at": format_seconds(change.at) + "Z",
        "via": change.via,
        "facts": change.facts,
    }


def describe_refusal(refused: KeptCallback) -> dict[str, Any]:
    """Return a refused callback."""
    request, judgement = refused.request, refused.judgement
    return {
        "refusal_id": request.callback_id,
        "at": format_seconds(request.at) + "Z",
        "layer": judgement.layer,
        "code": judgement.code,
        "detail": redact(judgement.detail),
        "upload_id": judgement.upload_id,
        "raw_target": redact(request.raw_target.decode("utf-8", "replace"))[:SHOWN_TARGET],
        "body_size": request.body_size,
        "body": redact(request.body.decode("utf-8", "replace"))[:SHOWN_BODY],
        "remote_addr": request.remote_addr,
    }


def redact(text: str) -> str:
    """Return text without its long words: tickets, signatures, tokens."""
    return _SECRET.sub(_REDACTED, text)
