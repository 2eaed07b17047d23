"""What operators are shown of a change and of a callback: bounded, and without what could be used again."""

from __future__ import annotations

import re
from typing import Any

from ossgate.ledger import Change, KeptCallback, Upload
from signer.times import format_seconds

MAX_CHANGES = 200
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


def describe_callback(kept: KeptCallback) -> dict[str, Any]:
    """Return a callback of the inbox, without its headers and body."""
    request, judgement = kept.request, kept.judgement
    return {
        "callback_id": request.callback_id,
        "at": format_seconds(request.at) + "Z",
        "verdict": judgement.verdict,
        "layer": judgement.layer or None,
        "code": judgement.code or None,
        "detail": redact(judgement.detail) or None,
        "upload_id": judgement.upload_id,
        "remote_addr": request.remote_addr,
        "took_ms": judgement.took_ms,
        "raw_target": redact(_decode(request.raw_target))[:SHOWN_TARGET],
        "body_size": request.body_size,
        "replayable": not request.cut,
    }


def describe_request(kept: KeptCallback, *, raw: bool = False) -> dict[str, Any]:
    """Return a callback with its headers and body as they came, as far as they were kept.

    Args:
        raw: Whether tickets, signatures and other long words are shown.
    """
    request = kept.request
    show = str if raw else redact
    headers = {name: show(value) for name, value in request.headers.items() if value}
    if not raw and "authorization" in headers:
        # Base64 has signs that part words.
        headers["authorization"] = _REDACTED
    if "x-oss-pub-key-url" in headers:
        # An address, though it looks like a secret.
        headers["x-oss-pub-key-url"] = request.headers["x-oss-pub-key-url"]
    return describe_callback(kept) | {
        "raw_target": show(_decode(request.raw_target)),
        "headers": headers,
        "body": show(_decode(request.body)),
        "cut": request.cut or None,
    }


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def redact(text: str) -> str:
    """Return text without its long words: tickets, signatures, tokens."""
    return _SECRET.sub(_REDACTED, text)
