"""The ledger's face: record what happens to uploads, and ask what has."""

import atexit
import os
import weakref
from collections.abc import Sequence
from datetime import datetime

from ossgate.ledger import reads, search
from ossgate.ledger.batch import Routes
from ossgate.ledger.database import Database
from ossgate.ledger.errors import LedgerUnavailable
from ossgate.ledger.inbox import Inbox
from ossgate.ledger.inbox_jobs import InboxBounds
from ossgate.ledger.issue_jobs import IssueJob, RoomJob
from ossgate.ledger.jobs import ArrivalJob, NoteJob, PingJob, ReplyJob, StateJob
from ossgate.ledger.models import (
    Arrival,
    ArrivalOutcome,
    Change,
    NewUpload,
    QuotaLimit,
    Upload,
)
from ossgate.ledger.outbox import Outbox
from ossgate.ledger.reconcile_runs import ReconcileRuns
from ossgate.ledger.retention import Retention
from ossgate.ledger.search import UploadFilter
from ossgate.ledger.sweeps import Sweeps
from ossgate.ledger.writer import Writer

_open_ledgers: weakref.WeakSet["Ledger"] = weakref.WeakSet()


_DEFAULT_BOUNDS = InboxBounds()


def _to_nobody(profile: str, event: str) -> tuple[str, ...]:
    return ()


class Ledger:
    """Keep the uploads of one database, SQLite or PostgreSQL.

    To make one touches nothing; threads and connections begin with the first use, also after a fork. Any thread may
    call it. What is recorded is durable when the call returns, but for granted forms and PUTs (`record_issued`), and any number of
    processes may share a database.

    Args:
        url: ``sqlite:///relative.sqlite3``, ``sqlite:////absolute.sqlite3`` or ``postgresql+psycopg://…``.
        queue_size: How many calls may wait for the writer; one more is refused at once.
        busy_timeout: Seconds to wait for another process's lock, and to reach the server.
        inbox: How many callbacks are kept, and for how long.
        routes: Names the sinks that hear of a profile's events of a type (``upload.uploaded``, …). They are asked for here,
            not with each change, since some changes nobody asks for: an issue that is short of room makes others expire.

    Raises:
        DatabaseUrlInvalid: The URL names neither.
    """

    def __init__(
        self,
        url: str,
        *,
        queue_size: int = 1000,
        busy_timeout: float = 5.0,
        inbox: InboxBounds = _DEFAULT_BOUNDS,
        routes: Routes = _to_nobody,
    ) -> None:
        self._database = Database(url, busy_timeout=busy_timeout)
        self._writer = Writer(self._database, queue_size=queue_size, inbox=inbox, routes=routes)
        self.inbox = Inbox(self._writer, self._readable, inbox)
        self.outbox = Outbox(self._writer, self._readable)
        self.sweeps = Sweeps(self._writer, self._readable)
        self.runs = ReconcileRuns(self._writer, self._readable)
        self.retention = Retention(self._writer, self._readable)
        _open_ledgers.add(self)

    @property
    def dropped(self) -> int:
        """Count the callbacks and handler results that found no room in the queue."""
        return self._writer.dropped

    @property
    def waiting(self) -> int:
        """Count what waits for the writer of this process."""
        return self._writer.waiting

    def record_issued(
        self, uploads: Sequence[NewUpload], *, quota: QuotaLimit | None, now: datetime, timeout: float = 2.0
    ) -> None:
        """Record uploads as issued, all or none, and reserve what they promise.

        Forms and PUTs do not wait for the disk: what a power cut takes of them, their tickets and seals bring back.

        Raises:
            QuotaExceeded: They would pass the limit, even after what is overdue has been released.
            UploadExists: One of the ids is taken.
            LedgerBusy: The queue is full, or the time was up.
            LedgerUnavailable: The database failed.
        """
        if uploads:
            self._writer.run(IssueJob(uploads, quota, now), timeout=timeout)

    def require_room(
        self,
        quota_key: str,
        profile: str,
        *,
        quota: QuotaLimit,
        size: int,
        now: datetime,
        timeout: float = 2.0,
    ) -> None:
        """Pass when an account has room for one more upload of so many bytes; nothing is reserved.

        Raises:
            QuotaExceeded: It has none, even after what is overdue has been released.
            LedgerBusy: The queue is full, or the time was up.
            LedgerUnavailable: The database failed.
        """
        self._writer.run(RoomJob(quota_key, profile, quota, size=size, now=now), timeout=timeout)

    def record_arrival(self, arrival: Arrival, *, now: datetime, timeout: float) -> ArrivalOutcome:
        """Record that an object has arrived, once however often it is told.

        An upload that the ledger has lost is rebuilt from the arrival's facts. A later arrival may confirm an
        ``unconfirmed`` one, and its reply then replaces the stored one.

        Raises:
            TransitionForbidden: The upload was aborted, or deleted and this is another object.
            LedgerBusy: The queue is full, or the time was up.
            LedgerUnavailable: The database failed.
        """
        job = ArrivalJob(arrival, now)
        self._writer.run(job, timeout=timeout)
        return job.outcome()

    def record_reply(self, upload_id: str, reply: bytes, *, timeout: float) -> None:
        """Replace the stored reply, which is what a repeated callback gets.

        Raises:
            UploadUnknown: There is no such upload.
            LedgerBusy: The queue is full, or the time was up.
            LedgerUnavailable: The database failed.
        """
        self._writer.run(ReplyJob(upload_id, reply), timeout=timeout)

    def record_state(
        self, upload_id: str, state: str, *, now: datetime, timeout: float, reason: str = ""
    ) -> None:
        """Take an upload to ``expired``, ``aborted`` or ``deleted``, and release what it held of its quota.

        Args:
            reason: Why, kept in the history and told with the event.

        Raises:
            UploadUnknown: There is no such upload.
            TransitionForbidden: The upload cannot go there; only an arrival leads to ``uploaded``.
            LedgerBusy: The queue is full, or the time was up.
            LedgerUnavailable: The database failed.
        """
        self._writer.run(StateJob(upload_id, state, now, reason), timeout=timeout)

    def record_handler_result(self, upload_id: str, result: str, *, now: datetime) -> None:
        """Keep ``handler:late`` or ``handler:failed`` in an upload's history; never waits."""
        self._writer.run_aside(NoteJob(upload_id, result, now))

    def fetch_upload(self, upload_id: str) -> Upload | None:
        """Fetch one upload, or nothing.

        Raises:
            LedgerUnavailable: The database failed.
        """
        return reads.fetch_upload(self._readable(), upload_id)

    def fetch_history(self, upload_id: str, *, limit: int | None = None) -> list[Change]:
        """Fetch an upload's changes, oldest first; beyond the limit the newest are missing.

        Raises:
            LedgerUnavailable: The database failed.
        """
        return reads.fetch_history(self._readable(), upload_id, limit=limit)

    def find_uploads(self, wanted: UploadFilter, *, limit: int = 50) -> list[Upload]:
        """Fetch the uploads that an operator looks for, newest first.

        Raises:
            LedgerUnavailable: The database failed.
        """
        return search.find_uploads(self._readable(), wanted, limit=limit)

    def count_states(self, *, from_id: str) -> dict[str, int]:
        """Count the uploads from an id on by state.

        Raises:
            LedgerUnavailable: The database failed.
        """
        return search.count_states(self._readable(), from_id=from_id)

    def list_uploads(
        self,
        *,
        state: str | None = None,
        profile: str | None = None,
        subject: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[Upload]:
        """List uploads, newest first; ``before`` is the last id of the page before.

        Raises:
            LedgerUnavailable: The database failed.
        """
        return reads.list_uploads(
            self._readable(), state=state, profile=profile, subject=subject, before=before, limit=limit
        )

    def ping(self, *, timeout: float) -> None:
        """Pass when a write transaction can be had and the tables are up to date; writes nothing.

        Raises:
            SchemaOutdated: The migrations have not been run.
            LedgerBusy: The queue is full, or the time was up.
            LedgerUnavailable: The database failed.
        """
        self._writer.run(PingJob(), timeout=timeout)

    def upgrade(self) -> None:
        """Create or migrate the tables; several processes may do it at once.

        Raises:
            LedgerUnavailable: The database failed.
        """
        # Alembic is a heavy import that a server never needs.
        from ossgate.ledger.upgrade import upgrade_database

        upgrade_database(self._database)

    def close(self) -> None:
        """Write what is queued, end the writer and close the connections; the ledger cannot be used again."""
        self._writer.close()
        self._database.dispose()
        _open_ledgers.discard(self)

    def _readable(self) -> Database:
        if self._writer.closed:
            raise LedgerUnavailable("the ledger is closed")
        return self._database

    def _pause_for_fork(self) -> None:
        self._writer.pause_for_fork()
        self._database.dispose()

    def _resume_after_fork(self) -> None:
        self._writer.resume_after_fork()

    def _reset_after_fork(self) -> None:
        self._writer.reset_after_fork()


def _close_all() -> None:
    for ledger in list(_open_ledgers):
        ledger.close()


def _pause_all_for_fork() -> None:
    for ledger in list(_open_ledgers):
        ledger._pause_for_fork()


def _resume_all_after_fork() -> None:
    for ledger in list(_open_ledgers):
        ledger._resume_after_fork()


def _reset_all_after_fork() -> None:
    for ledger in list(_open_ledgers):
        ledger._reset_after_fork()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    # In the child, before any of its code runs: no other thread can hold the locks that are replaced.
    os.register_at_fork(
        before=_pause_all_for_fork,
        after_in_parent=_resume_all_after_fork,
        after_in_child=_reset_all_after_fork,
    )
