"""One upload against one object; pure. It says what is suspected, and the bucket is asked again before anything is done.

A listing may be stale and a row may be about to change, so nothing here is acted upon by itself. What is young is left alone: its
callback may be on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ossgate.reconcile.findings import Kind

CLOCK_TOLERANCE = timedelta(minutes=15)
"""How far our clock and the bucket's may be apart before an object counts as newer than its record."""
RULE_EARLY = timedelta(days=1)
"""How long before `keep_until` a lifecycle rule may have acted: it counts from when the object was written, we from when we learnt of it.

Of few days only the later half: what has just arrived and is not there was deleted by no rule.
"""
RULE_LATE = timedelta(days=3)
"""How long after `keep_until` a lifecycle rule may still be about to act: rules are carried out once a day."""
_DATE_UNIT = timedelta(seconds=1)
_WAITING = ("issued", "expired")
_CLOSED = ("aborted", "deleted")


class Recorded(Protocol):
    """What is compared of an upload."""

    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def size(self) -> int | None: ...  # noqa: D102
    @property
    def etag(self) -> str | None: ...  # noqa: D102
    @property
    def uploaded_at(self) -> datetime | None: ...  # noqa: D102
    @property
    def changed_at(self) -> datetime: ...  # noqa: D102
    @property
    def expires_at(self) -> datetime: ...  # noqa: D102
    @property
    def keep_until(self) -> datetime | None: ...  # noqa: D102
    @property
    def replaced_size(self) -> int | None: ...  # noqa: D102


class Stored(Protocol):
    """What is compared of an object; the ETag without quotes, in upper case."""

    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def etag(self) -> str: ...  # noqa: D102
    @property
    def last_modified(self) -> datetime: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Ages:
    """Judge what is old enough to be acted upon, at a moment that both clocks have reached."""

    now: datetime
    grace: timedelta

    def is_over(self, moment: datetime | None) -> bool:
        """Tell whether a moment lies further back than the grace."""
        return moment is not None and moment + self.grace < self.now


def choose_moment(ours: datetime, bucket: datetime | None) -> datetime:
    """Return the earlier of our clock and the bucket's: by that one everything is younger, and is left alone longer."""
    # A Date header has no fractions, so the bucket's clock may be a second further.
    return ours if bucket is None else min(ours, bucket + _DATE_UNIT)


def suspect(upload: Recorded | None, stored: Stored | None, ages: Ages) -> Kind | None:
    """Return in what an upload and an object differ, or nothing where they agree or are too young to tell."""
    if stored is None:
        return None if upload is None else _suspect_without_object(upload, ages)
    if upload is not None and upload.state == "uploaded":
        return _suspect_changed(upload, stored, ages)
    if not ages.is_over(stored.last_modified):
        return None
    if upload is None:
        return Kind.UNRECORDED
    if upload.state in _WAITING:
        return Kind.UNTOLD
    return Kind.CLOSED if upload.state in _CLOSED else Kind.UNCONFIRMED


def _suspect_without_object(upload: Recorded, ages: Ages) -> Kind | None:
    if upload.state == "issued" and ages.is_over(upload.expires_at):
        return Kind.OVERDUE
    if upload.state == "uploaded" and ages.is_over(upload.uploaded_at or upload.changed_at):
        return Kind.OUTLIVED if _may_have_been_deleted(upload, ages) else Kind.GONE
    if upload.state == "unconfirmed" and ages.is_over(upload.changed_at):
        return Kind.UNCONFIRMED
    return None


def _may_have_been_deleted(upload: Recorded, ages: Ages) -> bool:
    """Tell whether a lifecycle rule may have acted already."""
    if upload.keep_until is None:
        return False
    stays = upload.keep_until - (upload.uploaded_at or upload.changed_at)
    return upload.keep_until - min(RULE_EARLY, stays / 2) <= ages.now


def _suspect_changed(upload: Recorded, stored: Stored, ages: Ages) -> Kind | None:
    if upload.etag != stored.etag or upload.size != stored.size:
        return Kind.CHANGED if ages.is_over(stored.last_modified) else None
    recorded_at = upload.uploaded_at or upload.changed_at
    if upload.keep_until is not None and ages.is_over(upload.keep_until):
        # Written again later, it has all its days before it.
        stays = upload.keep_until - recorded_at
        if ages.is_over(stored.last_modified + stays):
            return Kind.OUTLIVED
    if upload.replaced_size is not None:
        # What arrived first stands there again.
        return Kind.NEWER if ages.is_over(stored.last_modified) else None
    if stored.last_modified > recorded_at + CLOCK_TOLERANCE and ages.is_over(stored.last_modified):
        return Kind.NEWER
    return None
