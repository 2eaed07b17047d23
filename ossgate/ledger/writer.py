"""The writer: one thread a process that gathers what waits into one transaction (group commit).

A commit costs a write to the disk whatever is in it, so everything that was asked for while the last one was under way
goes into the next, and where commits are slow, those who follow closely are waited for. Nobody is told of success before
COMMIT has returned. A batch of nothing but grants that their own tickets and seals would bring back does not wait for the disk.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue

from ossgate.ledger.batch import Batch, Routes
from ossgate.ledger.database import Database
from ossgate.ledger.errors import (
    LedgerBusy,
    LedgerError,
    LedgerUnavailable,
    RowRejected,
    SchemaOutdated,
    UploadExists,
)
from ossgate.ledger.inbox_jobs import InboxBounds, InboxTrimmer, TrimInboxJob
from ossgate.ledger.issue_jobs import IssueJob
from ossgate.ledger.jobs import Job, run_jobs
from ossgate.ledger.lingering import Lingering
from ossgate.ledger.session import Session
from ossgate.ledger.statements import Statements

_LOG = logging.getLogger("ossgate.ledger")
_LARGEST_BATCH = 256
# What nobody waits for takes at most so much of a transaction that others wait for.
_LARGEST_ASIDE = 64
_CLOSE_TIMEOUT = 10.0
# A batch that has taken longer than its waiters waited is not waited for by those who come later: were they to, one after the
# other, a server's few threads would keep those behind them from their answer.
_PATIENCE_SECONDS = 1.0
# While the database is away, what nobody waits for is tried again so often.
_RETRY_SECONDS = 2.0


class Writer:
    """Take jobs from any thread and run them in one."""

    def __init__(self, database: Database, *, queue_size: int, inbox: InboxBounds, routes: Routes) -> None:
        self._database = database
        self._routes = routes
        # Called by the writer when something new is in the outbox.
        self.on_announced: Callable[[], None] | None = None
        self._queue_size = queue_size
        self._bounds = inbox
        self._session: Session | None = None
        self.closed = False
        self.dropped = 0
        self._start_empty()

    def _start_empty(self) -> None:
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._aside: deque[Job] = deque()
        self._aside_lock = threading.Lock()
        self._nudged = False
        # Beside the first of a batch, while the lock is waited for.
        self._taken = 0
        self._statements: Statements | None = None
        self._thread: threading.Thread | None = None
        self._start_lock = threading.Lock()
        # Held for the length of a batch.
        self._turn = threading.Lock()
        self._begun_at: float | None = None
        self._paused = False
        self._stopping = False
        self._failing: str | None = None
        self._lingering = Lingering()
        self._trimmer = InboxTrimmer(self._bounds)
        self._is_dropping = False
        # Whether what lies aside has failed with a batch, and whether one without it has been written since.
        self._is_aside_suspect = False
        self._is_proved = False

    @property
    def waiting(self) -> int:
        """Count the jobs that wait to be taken up."""
        return self._queue.qsize() + self._taken + len(self._aside)

    def run(self, job: Job, *, timeout: float) -> None:
        """Queue a job and wait until it is durable.

        Raises:
            LedgerBusy: The queue is full, or the time was up.
            LedgerUnavailable: The database failed; it is tried again with the next job. Or it has not answered for longer than this
                caller would wait.
            LedgerError: Whatever else the job came to.
        """
        self._verify_open()
        if self._queue.qsize() + self._taken >= self._queue_size:
            raise LedgerBusy(f"{self._queue_size} jobs are waiting for the ledger already")
        begun_at = self._begun_at
        if begun_at is not None and time.monotonic() - begun_at > max(timeout, _PATIENCE_SECONDS):
            raise LedgerUnavailable(self._failing or "the database does not answer")
        if self._thread is None:
            self._start()
        self._queue.put(job)
        try:
            job.wait(timeout)
        except LedgerBusy as exc:
            if (reason := self._failing) is not None:
                raise LedgerUnavailable(reason) from exc
            raise

    def run_aside(self, job: Job) -> None:
        """Queue a job that nobody waits for; drop and count it when there is no room."""
        if self.closed or len(self._aside) >= self._queue_size:
            self._drop(1)
            return
        if self._thread is None:
            self._start()
        with self._aside_lock:
            self._aside.append(job)
            self._nudge()

    def close(self) -> None:
        """Write what is queued and end the thread; a second call does nothing."""
        with self._start_lock:
            self.closed = True
            thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join(_CLOSE_TIMEOUT)

    def pause_for_fork(self) -> None:
        """Let the batch under way end and close the connection, so that a child inherits none.

        SQLite's locks are the process's: a child of a process with an open database could not trust its own. A server that
        hangs is not waited for longer than the busy timeout; then the child merely leaves the connection alone.
        """
        self._paused = self._turn.acquire(timeout=self._database.busy_timeout)
        if self._paused:
            self._disconnect()

    def resume_after_fork(self) -> None:
        """Go on in the parent."""
        if self._paused:
            self._paused = False
            self._turn.release()

    def reset_after_fork(self) -> None:
        """Begin anew in a child process: threads and locks of the parent do not exist there."""
        connections = () if self._session is None else (self._session, self._session.connection)
        self._database.reset_after_fork(*connections)
        self._session = None
        self._start_empty()

    def _verify_open(self) -> None:
        if self.closed:
            raise LedgerUnavailable("the ledger is closed")

    def _start(self) -> None:
        with self._start_lock:
            self._verify_open()
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="ossgate-ledger", daemon=True)
                thread.start()
                self._thread = thread

    def _work(self) -> None:
        try:
            while not self._stopping:
                try:
                    job = self._queue.get(timeout=_RETRY_SECONDS if self._aside else None)
                except Empty:
                    self._run_batch(None)
                    continue
                if job is None:
                    self._stopping = True
                else:
                    if job.must_last:
                        self._lingering.linger(self._queue.qsize)
                    self._run_batch(job)
            while not self._queue.empty() or self._aside:
                self._run_batch(None)
        finally:
            self._disconnect()
            # Were it to die of something unforeseen, the next job would start another.
            self._thread = None

    def _run_batch(self, first: Job | None) -> None:
        with self._turn:
            self._begun_at = time.monotonic()
            try:
                self._run_turn(first)
            finally:
                self._begun_at = None

    def _run_turn(self, first: Job | None) -> None:
        taken = self._take(_LARGEST_BATCH)
        self._taken = len(taken)
        if first is not None:
            taken.insert(0, first)
        lasts = first is None or any(job.must_last for job in taken)
        session = self._open(taken, lasts=lasts)
        if session is None:
            return
        if lasts:
            # While the lock was waited for, more has come.
            taken += self._take(_LARGEST_BATCH - len(taken))
        # Waiters that gave up meanwhile are gone.
        jobs = [job for job in taken if job.begin()]
        if self._is_aside_suspect and any(not isinstance(job, _Nudge) for job in jobs):
            # It may be at fault itself, and then nothing that is waited for may fail with it.
            self._commit_parts(session, jobs, lasts=lasts)
            if self._session is None:
                self._keep_aside()
                return
            session, jobs = self._open([], lasts=lasts), []
            if session is None:
                return
        jobs += self._take_aside()
        self._commit_parts(session, jobs, lasts=lasts)

    def _open(self, taken: Sequence[Job], *, lasts: bool) -> Session | None:
        try:
            return self._begin(lasts=lasts)
        except Exception as exc:
            self._fail([*taken, *self._take(self._queue.qsize())], exc)
            self._keep_aside()
            return None
        finally:
            self._taken = 0

    def _take(self, most: int) -> list[Job]:
        jobs: list[Job] = []
        while len(jobs) < most:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:
                self._stopping = True
            else:
                jobs.append(job)
        return jobs

    def _take_aside(self) -> list[Job]:
        with self._aside_lock:
            jobs = [self._aside.popleft() for _ in range(min(len(self._aside), _LARGEST_ASIDE))]
            self._nudged = False
            if self._aside:
                self._nudge()
        return jobs

    def _keep_aside(self, failed: Sequence[Job] = ()) -> None:
        """Keep what lies aside, and what of it has just failed, for when the database is back; at the end there is no such time.

        What fails again although others were written between is at fault itself.
        """
        is_at_fault = bool(failed) and self._is_aside_suspect and self._is_proved
        self._is_aside_suspect = self._is_aside_suspect or bool(failed)
        self._is_proved = False
        with self._aside_lock:
            room = 0 if self._stopping or is_at_fault else max(0, self._queue_size - len(self._aside))
            self._aside.extendleft(reversed(failed[:room]))
            lost = len(failed[room:])
            if self._stopping:
                lost += len(self._aside)
                self._aside.clear()
            self._nudged = False
        self._drop(lost)

    def _drop(self, count: int) -> None:
        self.dropped += count
        if count and not self._is_dropping:
            self._is_dropping = True
            _LOG.warning(
                "callbacks and notes that nobody waits for are dropped: the ledger has no room for them"
            )

    def _nudge(self) -> None:
        """Wake the writer for what lies aside, with one job in the queue however much that is."""
        if not self._nudged:
            self._nudged = True
            self._queue.put(_Nudge())

    def _begin(self, *, lasts: bool) -> Session:
        session = self._session
        if session is not None:
            try:
                if not session.is_stale():
                    session.begin(lasts=lasts)
                    return session
            except Exception as exc:
                if self._database.is_busy(exc):
                    raise
                # Nothing has begun, so a connection that died in its sleep costs nobody anything.
                _LOG.info("ledger connection lost: %s", self._database.describe(exc))
            self._disconnect()
        if self._statements is None:
            self._statements = Statements(self._database.dialect)
        self._session = session = Session(self._database, self._statements)
        session.prepare()
        session.begin(lasts=lasts)
        return session

    def _commit_parts(self, session: Session, jobs: list[Job], *, lasts: bool) -> None:
        """Commit all together; when a row is at fault, in halves and halves of those, so that a bad one fails alone."""
        parts, begun = [jobs], True
        while parts:
            part = parts.pop()
            try:
                if not begun:
                    session.begin(lasts=lasts)
                begun = False
                self._commit(session, part, lasts=lasts)
            except Exception as exc:
                outage = self._undo(session, exc)
                if outage is not None:
                    self._fail([*part, *(job for rest in parts for job in rest)], outage)
                    return
                if len(part) == 1:
                    if part[0].lighten():
                        parts.append(part)
                        continue
                    self._drop(part[0].is_aside)
                    part[0].release(self._translate(part[0], exc))
                else:
                    # Who has given up meanwhile is left out: its caller has been told that it came to nothing.
                    left = [job for job in part if not job.abandoned]
                    half = (len(left) + 1) // 2
                    parts += [rest for rest in (left[half:], left[:half]) if rest]

    def _commit(self, session: Session, jobs: list[Job], *, lasts: bool) -> None:
        batch = Batch(session, self._routes, self._bounds.limit_of)
        run_jobs(batch, jobs)
        is_empty = batch.is_empty
        if is_empty:
            # A pipeline costs more than the one answer it would not wait for.
            session.commit(lasts=lasts)
        else:
            with session.pipeline():
                batch.write()
                begun = time.monotonic()
                session.commit(lasts=lasts)
            if lasts:
                self._lingering.commit_seconds = time.monotonic() - begun
        session.verify_committed()
        if self._failing is not None:
            _LOG.warning("ledger available again")
            self._failing = None
        for job in jobs:
            job.release()
        if any(job.is_aside for job in jobs):
            self._is_aside_suspect = False
        elif not is_empty:
            self._is_proved = True
        self._trim_inbox(batch, jobs)
        if batch.announced and self.on_announced is not None:
            self.on_announced()

    def _trim_inbox(self, batch: Batch, jobs: list[Job]) -> None:
        """Go on with what is being trimmed, and begin with what is due, each a few rows a batch."""
        follow = [job.follow() for job in jobs if isinstance(job, TrimInboxJob)]
        due: list[Job] = [job for job in follow if job is not None]
        if batch.kept:
            self._is_dropping = False
            due += self._trimmer.note(batch.kept)
        if due:
            with self._aside_lock:
                self._aside.extend(due)
                self._nudge()

    def _undo(self, session: Session, exc: Exception) -> Exception | None:
        """Roll back after a row's fault; when the database is at fault, give that fault."""
        if self._database.is_outage(exc):
            return exc
        try:
            session.rollback()
        except Exception as broken:
            return broken
        return None

    def _fail(self, jobs: Iterable[Job], exc: Exception) -> None:
        """Tell every waiter that the database failed, and start from a new connection next time."""
        reason = str(exc) if isinstance(exc, LedgerError) else self._database.describe(exc)
        if self._failing is None:
            _LOG.warning("ledger unavailable: %s", reason)
        self._failing = reason
        self._disconnect()
        aside = []
        for job in jobs:
            if job.is_aside and not isinstance(job, TrimInboxJob):
                aside.append(job)
            else:
                # Each waiter raises its own: an exception shared by threads would mix up their tracebacks.
                job.release(_outage(exc, reason))
        if aside:
            self._keep_aside(aside)

    def _translate(self, job: Job, exc: Exception) -> LedgerError:
        if isinstance(job, IssueJob) and self._database.is_duplicate(exc):
            return UploadExists(job.first_upload_id)
        return RowRejected(self._database.describe(exc))

    def _disconnect(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


def _outage(exc: Exception, reason: str) -> LedgerUnavailable:
    if isinstance(exc, SchemaOutdated):
        return SchemaOutdated(exc.found, exc.expected)
    return LedgerUnavailable(reason)


class _Nudge(Job):
    """Wake the writer for what lies aside."""

    def apply(self, batch: Batch) -> None:
        """Do nothing."""
