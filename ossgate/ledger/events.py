"""What an application may act on, as JSON frozen when it happened; pure.

The body is that of the Standard Webhooks specification: a type, a timestamp and the data
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). An unconfirmed upload is no event: its
facts are provisional.
"""

import json
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from itertools import count
from typing import Any

from ossgate.ledger.rows import Row

# Each type of event with its place in an upload's life, in which order a sink hears of them.
EVENT_STEPS: dict[str, int] = {
    "upload.expired": 1,
    "upload.aborted": 1,
    "upload.uploaded": 2,
    "upload.replaced": 3,
    "upload.deleted": 4,
}
EVENT_TYPES = tuple(EVENT_STEPS)

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_COPIED = (
    "upload_id",
    "state",
    "profile",
    "subject",
    "bucket",
    "object_key",
    "file_name",
    "size",
    "etag",
    "content_type",
    "crc64",
)
_FACTS = ("width", "height", "replacement", "reason")
_numbers = count()


def new_delivery_id(at: int) -> str:
    """Return a new id that sorts by time: 48 bits of milliseconds, 16 that count, 64 at random."""
    return f"dl_{at:012x}{next(_numbers) & 0xFFFF:04x}{os.urandom(8).hex()}"


def encode_event(event: str, at: int, row: Row, facts: Mapping[str, Any]) -> str:
    """Return the body that every sink is told of an upload's change.

    Args:
        at: Milliseconds since the epoch.
        row: The upload as it is after the change.
        facts: What is known beside the row; only an image's size, a replacement and why something was deleted are told.
    """
    data: Row = {name: row[name] for name in _COPIED}
    data["created_at"] = _format(row["created_at"] // 1000)
    uploaded_at = row["uploaded_at"]
    data["uploaded_at"] = None if uploaded_at is None else _format(uploaded_at // 1000)
    if row["keep_until"] is not None:
        data["keep_until"] = _format(row["keep_until"] // 1000)
    for name in _FACTS:
        if name in facts:
            data[name] = facts[name]
    # The variables are JSON already.
    return (
        f'{{"type":"{event}","timestamp":"{_format(at // 1000)}",'
        f'"data":{_encode(data)[:-1]},"vars":{row["variables"]}}}}}'
    )


@lru_cache(maxsize=1024)
def _format(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
