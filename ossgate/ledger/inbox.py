"""The inbox's face: every callback as it came, kept for a while, searched by operators and replayed by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from ossgate.ledger.database import Database
from ossgate.ledger.inbox_jobs import CallbackJob, InboxBounds
from ossgate.ledger.models import Judgement, KeptCallback, KeptRequest
from ossgate.ledger.reads import fetch_rows
from ossgate.ledger.rows import parse_callback
from ossgate.ledger.tables import HAS_CODE, HAS_LAYER, HAS_UPLOAD, inbox
from ossgate.ledger.writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFilter:
    """Say which callbacks are wanted; what is ``None`` does not matter.

    Attributes:
        from_id: The least id, which stands for a time.
        below_id: The id that all wanted ones are below.
    """

    verdict: str | None = None
    layer: str | None = None
    code: str | None = None
    upload_id: str | None = None
    remote_addr: str | None = None
    from_id: str | None = None
    below_id: str | None = None


class Inbox:
    """Keep callbacks and find them again. Every method that reads raises ``LedgerUnavailable`` or ``LedgerBusy``."""

    def __init__(self, writer: Writer, readable: Callable[[], Database], bounds: InboxBounds) -> None:
        self._writer = writer
        self._readable = readable
        self._bounds = bounds

    def keep(self, request: KeptRequest, judgement: Judgement) -> None:
        """Keep a callback that records no arrival; never waits, and drops it when the queue is full.

        While the database is away as much as the queue holds is kept in memory, and written when it is back.
        """
        if self._bounds.limit_of(judgement.verdict):
            self._writer.run_aside(CallbackJob(request, judgement))

    def fetch_callback(self, callback_id: str) -> KeptCallback | None:
        """Fetch one callback, or nothing."""
        query = select(inbox).where(inbox.c.callback_id == callback_id)
        rows = fetch_rows(self._readable(), query)
        return parse_callback(rows[0]) if rows else None

    def find_callbacks(
        self, wanted: CallbackFilter, *, limit: int = 50, oldest_first: bool = False
    ) -> list[KeptCallback]:
        """Fetch callbacks, newest first unless told otherwise."""
        query = build_inbox_search(wanted, oldest_first=oldest_first).limit(limit)
        return [parse_callback(row) for row in fetch_rows(self._readable(), query)]

    def count_callbacks(self, wanted: CallbackFilter) -> int:
        """Count the callbacks that are kept."""
        return int(fetch_rows(self._readable(), build_inbox_count(wanted))[0]["callbacks"])


def build_inbox_count(wanted: CallbackFilter) -> Select[Any]:
    """Build the query that counts what a filter finds."""
    found = build_inbox_search(wanted).with_only_columns(inbox.c.callback_id).order_by(None)
    return select(func.count().label("callbacks")).select_from(found.subquery())


def build_inbox_search(wanted: CallbackFilter, *, oldest_first: bool = False) -> Select[Any]:
    """Build the query of a filter, such that an index serves each of its parts."""
    key = inbox.c.callback_id
    query = select(inbox).order_by(key if oldest_first else key.desc())
    # SQLite takes a partial index only when the very condition of the index is said.
    for column, value, condition in (
        (inbox.c.verdict, wanted.verdict, None),
        (inbox.c.remote_addr, wanted.remote_addr, None),
        (inbox.c.upload_id, wanted.upload_id, HAS_UPLOAD),
        (inbox.c.layer, wanted.layer, HAS_LAYER),
        (inbox.c.code, wanted.code, HAS_CODE),
    ):
        if value is not None:
            query = query.where(column == value)
            if condition is not None:
                query = query.where(condition)
    if wanted.from_id is not None:
        query = query.where(key >= wanted.from_id)
    if wanted.below_id is not None:
        query = query.where(key < wanted.below_id)
    return query
