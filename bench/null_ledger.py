"""A ledger that records nothing, so that what stands before it can be measured by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from ossgate.ledger import Arrival, ArrivalOutcome, Judgement, KeptRequest, NewUpload, QuotaLimit, Upload

_SHARED = tuple(field.name for field in fields(NewUpload))


class NullInbox:
    """Keeps nothing."""

    def keep(self, request: KeptRequest, judgement: Judgement) -> None:
        """Forget it."""


class NullLedger:
    """Says of every arrival that it is the first."""

    def __init__(self) -> None:
        self._upload: Upload | None = None
        self.inbox = NullInbox()

    def record_issued(
        self, uploads: Sequence[NewUpload], *, quota: QuotaLimit | None, now: datetime, timeout: float = 2.0
    ) -> None:
        """Forget it."""

    def record_arrival(self, arrival: Arrival, *, now: datetime, timeout: float) -> ArrivalOutcome:
        """Return what a ledger would; the upload is always that of the first arrival."""
        if self._upload is None:
            self._upload = _build_upload(arrival, now)
        return ArrivalOutcome(first=True, upload=self._upload, reply=arrival.reply, conflict=False)

    def ping(self, *, timeout: float) -> None:
        """Pass."""


def _build_upload(arrival: Arrival, now: datetime) -> Upload:
    known: dict[str, Any] = {
        **dict.fromkeys(field.name for field in fields(Upload)),
        **{name: getattr(arrival.upload, name) for name in _SHARED},
        "state": arrival.target,
        "size": arrival.size,
        "etag": arrival.etag,
        "uploaded_at": now,
        "arrived_via": arrival.via,
        "reply": arrival.reply,
        "changed_at": now,
    }
    return Upload(**known)
