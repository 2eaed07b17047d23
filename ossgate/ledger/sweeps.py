"""What a walk over all uploads asks: rows in the order of the bucket's keys, rows that wait for something, and notes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select, tuple_

from ossgate.ledger.database import Database
from ossgate.ledger.jobs import NoteJob
from ossgate.ledger.models import SweptUpload
from ossgate.ledger.reads import fetch_tuples, is_in_state
from ossgate.ledger.rows import encode_time, parse_time
from ossgate.ledger.tables import IS_KEPT_FOR_A_WHILE, upload
from ossgate.ledger.writer import Writer

_COLUMNS = (
    upload.c.upload_id,
    upload.c.profile,
    upload.c.bucket,
    upload.c.object_key,
    upload.c.state,
    upload.c.size,
    upload.c.etag,
    upload.c.uploaded_at,
    upload.c.changed_at,
    upload.c.expires_at,
    upload.c.multipart_upload_id,
    upload.c.keep_until,
    upload.c.replaced_size,
)
_LAST_CODE_POINT = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


class Sweeps:
    """Give out pages of uploads. Every method raises ``LedgerUnavailable`` or ``LedgerBusy`` when it cannot."""

    def __init__(self, writer: Writer, readable: Callable[[], Database]) -> None:
        self._writer = writer
        self._readable = readable

    def list_by_key(
        self,
        bucket: str,
        *,
        after: str | None = None,
        through: str | None = None,
        prefix: str = "",
        limit: int = 1000,
    ) -> list[SweptUpload]:
        """List the uploads of a bucket in the order of their keys' bytes, whatever their state.

        Args:
            after: Lists keys above it alone.
            through: Lists keys up to it, and itself.
        """
        query = build_list_by_key(bucket, after=after, through=through, prefix=prefix).limit(limit)
        return self._fetch(query)

    def list_waiting(
        self, state: str, *, after: str = "", before: datetime, limit: int = 1000
    ) -> list[SweptUpload]:
        """List uploads of a state but ``uploaded`` by id, of all accounts: those whose grant ended before a time.

        Args:
            after: The last id of the page before.
        """
        return self._fetch(build_list_waiting(state, after=after, before=before).limit(limit))

    def list_outlived(
        self, *, after: tuple[datetime, str] | None = None, before: datetime, limit: int = 1000
    ) -> list[SweptUpload]:
        """List uploads that are there although their days ended before a time, the longest past first.

        Args:
            after: ``keep_until`` and id of the last one of the page before.
        """
        return self._fetch(build_list_outlived(after=after, before=before).limit(limit))

    def list_buckets(self) -> list[str]:
        """List the buckets that the ledger knows of, one search each however many uploads they have."""
        buckets: list[str] = []
        while True:
            query = select(func.min(upload.c.bucket)).where(
                upload.c.bucket > (buckets[-1] if buckets else "")
            )
            found = fetch_tuples(self._readable(), query)[0][0]
            if found is None:
                return buckets
            buckets.append(found)

    def count_uploads(self) -> int:
        """Count all uploads, to tell how far a walk is."""
        return int(fetch_tuples(self._readable(), select(func.count()).select_from(upload))[0][0])

    def record_note(self, upload_id: str, claim: str, *, now: datetime, timeout: float = 5.0) -> None:
        """Keep a note in an upload's history, once, and wait for it.

        Raises:
            UploadUnknown: There is no such upload.
        """
        self._writer.run(NoteJob(upload_id, claim, now), timeout=timeout)

    def _fetch(self, query: Select[Any]) -> list[SweptUpload]:
        return [_parse_swept(row) for row in fetch_tuples(self._readable(), query)]


def _parse_swept(row: Sequence[Any]) -> SweptUpload:
    # By position: a walk reads a million of them.
    upload_id, profile, bucket, object_key, state, size, etag, uploaded_at, changed_at, *rest = row
    expires_at, parts, kept, replaced_size = rest
    return SweptUpload(
        upload_id,
        profile,
        bucket,
        object_key,
        state,
        size,
        etag,
        None if uploaded_at is None else parse_time(uploaded_at),
        parse_time(changed_at),
        parse_time(expires_at),
        parts,
        None if kept is None else parse_time(kept),
        replaced_size,
    )


def build_list_by_key(bucket: str, *, after: str | None, through: str | None, prefix: str) -> Select[Any]:
    """Build the query of a bucket's uploads by key."""
    query = select(*_COLUMNS).where(upload.c.bucket == bucket).order_by(upload.c.object_key)
    if prefix:
        query = query.where(upload.c.object_key >= prefix)
        end = end_prefix(prefix)
        if end is not None:
            query = query.where(upload.c.object_key < end)
    # No key of ours holds a NUL, which PostgreSQL does not take; what comes before it divides them just so.
    if after is not None:
        query = query.where(upload.c.object_key > after.partition("\0")[0])
    if through is not None:
        query = query.where(upload.c.object_key <= through.partition("\0")[0])
    return query


def build_list_waiting(state: str, *, after: str, before: datetime) -> Select[Any]:
    """Build the query of a state's uploads by id."""
    return (
        select(*_COLUMNS)
        .where(*is_in_state(state), upload.c.upload_id > after, upload.c.expires_at < encode_time(before))
        .order_by(upload.c.upload_id)
    )


def build_list_outlived(*, after: tuple[datetime, str] | None, before: datetime) -> Select[Any]:
    """Build the query of the uploads whose days are over."""
    query = (
        select(*_COLUMNS)
        .where(IS_KEPT_FOR_A_WHILE, upload.c.keep_until < encode_time(before))
        .order_by(upload.c.keep_until, upload.c.upload_id)
    )
    if after is not None:
        query = query.where(
            tuple_(upload.c.keep_until, upload.c.upload_id)
            > tuple_(literal(encode_time(after[0])), literal(after[1]))
        )
    return query


def end_prefix(prefix: str) -> str | None:
    """Return the first text after all that begin with a prefix, or nothing when there is none."""
    while prefix:
        following = ord(prefix[-1]) + 1
        if following in _SURROGATES:
            following = _SURROGATES.stop
        prefix = prefix[:-1]
        if following <= _LAST_CODE_POINT:
            return prefix + chr(following)
    return None
