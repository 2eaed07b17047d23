"""What is kept of a callback, and how it becomes a request again."""

from __future__ import annotations

from datetime import datetime

from callback.request import CallbackRequest
from ossgate.ledger import KeptRequest

KEPT_TARGET_BYTES = 8 * 1024
KEPT_BODY_BYTES = 16 * 1024
"""More than a definition of 5 KB can become, so that a callback of ours is always kept whole."""
KEPT_HEADER_LENGTH = 2048
KEPT_OTHER_LENGTH = 256


def keep_request(request: CallbackRequest, *, callback_id: str, at: datetime) -> KeptRequest:
    """Return what is kept of a request that arrived at a time."""
    target = request.raw_target.encode("latin-1", "replace")
    headers = {
        "content-type": request.content_type,
        "authorization": request.authorization,
        "x-oss-pub-key-url": request.public_key_url,
    }
    cut = ""
    for name, value in headers.items():
        if len(value) > KEPT_HEADER_LENGTH:
            cut = "headers"
            headers[name] = value[:KEPT_HEADER_LENGTH]
    for name, value in request.other_headers.items():
        headers[name] = value[:KEPT_OTHER_LENGTH]
    if len(target) > KEPT_TARGET_BYTES:
        cut = cut or "target"
    if request.body_size is not None or len(request.body) > KEPT_BODY_BYTES:
        cut = cut or "body"
    return KeptRequest(
        callback_id,
        at,
        target[:KEPT_TARGET_BYTES],
        headers,
        request.body[:KEPT_BODY_BYTES],
        len(request.body) if request.body_size is None else request.body_size,
        request.remote_addr,
        cut,
    )


def restore_request(kept: KeptRequest) -> CallbackRequest:
    """Return the request that was kept whole, as it came."""
    headers = dict(kept.headers)
    return CallbackRequest(
        raw_target=kept.raw_target.decode("latin-1"),
        body=kept.body,
        content_type=headers.pop("content-type", ""),
        authorization=headers.pop("authorization", ""),
        public_key_url=headers.pop("x-oss-pub-key-url", ""),
        remote_addr=kept.remote_addr,
        other_headers=headers,
    )
