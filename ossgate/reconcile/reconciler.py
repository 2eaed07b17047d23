"""One run: every bucket is walked beside the ledger, from where the last run was stopped on to the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from callback.arrived import Arrivals
from ossgate.bucket import BucketRefused, BucketUnavailable, MultipartPage, ObjectPage
from ossgate.ledger import Ledger, ReconcileRun, SweptUpload
from ossgate.reconcile.comparison import Ages, choose_moment, suspect
from ossgate.reconcile.findings import Kind, Outcome, Verdict
from ossgate.reconcile.progress import LEASE, Progress, RunBook
from ossgate.reconcile.settle import Brake, Limits, Settler
from ossgate.reconcile.throttle import Throttle
from ossgate.reconcile.unfinished import UnfinishedUploads
from ossgate.reconcile.walk import PAGE_UPLOADS, Pair, Window, walk
from signer.places import BucketPlace
from signer.prefix_grants import PrefixKeys
from signer.seal import SealKeys

LIST_SECONDS = 30.0
RETRY_AFTER = (1.0, 2.0, 4.0)
"""Seconds between attempts to list; after the last the bucket counts as unavailable."""
_SLICE = 64
_OUTLIVED = "outlived"
_WAITING_STATES = ("issued", "unconfirmed")
_FAR = datetime(9999, 1, 1, tzinfo=UTC)

Suspicion = tuple[Pair, Kind]
Answer = TypeVar("Answer")


class Interrupted(Exception):
    """The run was asked to stop; where it stands is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to reconcile.

    Attributes:
        profile: Looks at uploads of one profile alone; empty for all.
        prefix: Looks at keys that begin so.
        dry_run: Changes nothing, neither in the bucket nor in the ledger.
        apply: Does in the bucket what is asked for by name: ``abort_multipart``, ``delete_strangers``, ``delete_outlived``.
        quick: Lists no bucket, and asks for uploads alone that wait for something.
        resume: Goes on where an unfinished run of the same kind stopped.
        grace: How old what is found must be before anything is done.
        multipart_age: How old an unfinished upload in parts must be.
        rate: Requests a second to the bucket; zero for no limit.
        workers: How many are settled at once.
        max_gone: How many uploads a run may mark as deleted.
    """

    profile: str = ""
    prefix: str = ""
    dry_run: bool = False
    apply: bool = False
    quick: bool = False
    resume: bool = True
    abort_multipart: bool = False
    delete_strangers: frozenset[str] = frozenset()
    delete_outlived: bool = False
    grace: timedelta = timedelta(minutes=10)
    multipart_age: timedelta = timedelta(days=1)
    rate: float = 100.0
    workers: int = 4
    max_gone: int = 1000

    def describe_scope(self) -> dict[str, Any]:
        """Return what makes two runs the same."""
        return {
            "profile": self.profile,
            "prefix": self.prefix,
            "dry_run": self.dry_run,
            "apply": self.apply,
            "quick": self.quick,
            "abort_multipart": self.abort_multipart,
            "delete_strangers": sorted(self.delete_strangers),
            "delete_outlived": self.delete_outlived,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """Makes ledger and buckets agree. ``places`` are the buckets to walk, by name."""

    ledger: Ledger
    arrivals: Arrivals
    seal_keys: SealKeys
    prefix_keys: PrefixKeys
    places: Mapping[str, BucketPlace]
    options: Options
    owner: str
    new_run_id: Callable[[datetime], str]
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep
    on_progress: Callable[[Progress], None] = lambda progress: None
    should_stop: Callable[[], bool] = lambda: False
    throttle: Throttle = field(init=False)

    def __post_init__(self) -> None:
        """Make the throttle that all requests of this reconciler share."""
        object.__setattr__(self, "throttle", Throttle(self.options.rate, sleep=self.sleep))

    def run(self) -> ReconcileRun:
        """Walk to the end and return the finished run.

        Raises:
            Interrupted: It was asked to stop.
            LeaseHeld: Another process is at it.
            LeaseLost: Another process has taken it over.
            BucketRefused, BucketUnavailable: A bucket could not be walked; all others were.
            LedgerBusy, LedgerUnavailable: The database failed.
        """
        now = self.now()
        begun = self.ledger.runs.begin_run(
            self.new_run_id(now),
            self.options.describe_scope(),
            owner=self.owner,
            lease=LEASE,
            now=now,
            resume=self.options.resume,
        )
        book = RunBook(begun, ledger=self.ledger, owner=self.owner, now=self.now)
        try:
            with ThreadPoolExecutor(self.options.workers, thread_name_prefix="reconcile") as pool:
                _Run(self, book, pool).run()
        except (Interrupted, BucketRefused, BucketUnavailable):
            book.release()
            raise
        return book.finish()


class _Run:
    """The steps of one run, in the order of its cursor."""

    def __init__(self, reconciler: Reconciler, book: RunBook, pool: ThreadPoolExecutor) -> None:
        options = reconciler.options
        self._reconciler = reconciler
        self._ledger = reconciler.ledger
        self._options = options
        self._book = book
        self._pool = pool
        self._limits = Limits(
            options.dry_run,
            options.apply,
            options.profile,
            options.delete_strangers,
            options.delete_outlived,
            options.max_gone,
        )
        self._brake = Brake(options.max_gone - book.counts[f"{Kind.GONE}:{Outcome.SETTLED}"])
        # By how much our clock is ahead of the bucket's.
        self._ahead = timedelta()

    def run(self) -> None:
        if self._options.quick:
            if self._book.cursor.get("phase") != _OUTLIVED:
                self._run_waiting()
            if self._options.delete_outlived:
                self._run_outlived()
            return
        failed: BucketRefused | BucketUnavailable | None = None
        for bucket in sorted(self._reconciler.places):
            if bucket < self._book.cursor.get("bucket", ""):
                continue
            try:
                self._run_bucket(self._reconciler.places[bucket])
            except (BucketRefused, BucketUnavailable) as error:
                # One bucket's trouble keeps no other waiting.
                failed, self._book.frozen = failed or error, True
        self._report_unreachable()
        if failed is not None:
            raise failed

    def _run_bucket(self, place: BucketPlace) -> None:
        cursor = self._book.cursor if self._book.cursor.get("bucket") == place.bucket else {}
        phase = cursor.get("phase", "objects")
        if phase == "objects":
            self._run_objects(place, cursor.get("key"))
        if phase != "done":
            self._run_multipart(place, (cursor.get("key_marker", ""), cursor.get("id_marker", "")))

    def _run_objects(self, place: BucketPlace, after: str | None) -> None:
        prefix = self._options.prefix
        windows = walk(
            lambda key: self._list_objects(place, key),
            lambda above, through, limit: self._ledger.sweeps.list_by_key(
                place.bucket, after=above, through=through, prefix=prefix, limit=limit
            ),
            after=after,
        )
        settler = self._build_settler(place)
        for window in windows:
            self._book.counts["objects"] += window.objects
            self._book.counts["uploads"] += window.uploads
            self._settle_all(
                place, settler, self._suspect(window), lambda key: {"phase": "objects", "key": key}
            )
            following = (
                {"phase": "multipart"}
                if window.through is None
                else {"phase": "objects", "key": window.through}
            )
            self._save(place.bucket, following)

    def _suspect(self, window: Window) -> list[Suspicion]:
        ages = self._ages()
        suspicions = []
        for pair in window.pairs:
            if self._options.profile and pair.upload and pair.upload.profile != self._options.profile:
                continue
            kind = suspect(pair.upload, pair.listed, ages)
            if kind is not None:
                suspicions.append((pair, kind))
        return suspicions

    def _settle_all(
        self,
        place: BucketPlace,
        settler: Settler,
        suspicions: Sequence[Suspicion],
        describe_cursor: Callable[[str], dict[str, Any]],
    ) -> None:
        for part in _slice(suspicions):
            verdicts = list(self._pool.map(lambda suspicion: settler.settle(*suspicion), part))
            self._save(place.bucket, describe_cursor(part[-1][0].object_key), verdicts)

    def _run_multipart(self, place: BucketPlace, after: tuple[str, str]) -> None:
        unfinished = UnfinishedUploads(
            place,
            ledger=self._ledger,
            bucket=self._reconciler.arrivals.bucket,
            throttle=self._reconciler.throttle,
            limits=self._limits,
            abort=self._options.abort_multipart,
            age=self._options.multipart_age,
            ages=self._ages,
        )
        following: tuple[str, str] | None = after
        while following is not None:
            try:
                page = self._list_multipart(place, following)
            except BucketRefused as error:
                # Listing objects and listing these are two permissions.
                detail = f"unfinished uploads cannot be listed: {error}"
                verdict = Verdict(Kind.UNKNOWN, Outcome.LEFT, "", None, detail)
                self._save(place.bucket, {"phase": "done"}, [verdict])
                return
            following = page.following
            verdicts = list(self._pool.map(unfinished.settle, page.uploads))
            cursor = (
                {"phase": "done"}
                if following is None
                else {"phase": "multipart", "key_marker": following[0], "id_marker": following[1]}
            )
            self._save(place.bucket, cursor, verdicts)

    def _run_waiting(self) -> None:
        states = list(_WAITING_STATES)
        for state in states[states.index(self._book.cursor.get("phase", states[0])) :]:
            before = self._ages().now - self._options.grace if state == "issued" else _FAR
            after = self._book.cursor.get("after", "") if self._book.cursor.get("phase") == state else ""
            while page := self._ledger.sweeps.list_waiting(
                state, after=after, before=before, limit=PAGE_UPLOADS
            ):
                after = page[-1].upload_id
                self._settle_waiting(page)
                self._save("", {"phase": state, "after": after})

    def _run_outlived(self) -> None:
        before = self._ages().now - self._options.grace
        held = self._book.cursor.get("after") if self._book.cursor.get("phase") == _OUTLIVED else None
        after = (datetime.fromisoformat(held[0]), held[1]) if held else None
        while page := self._ledger.sweeps.list_outlived(after=after, before=before, limit=PAGE_UPLOADS):
            kept = page[-1].keep_until
            assert kept is not None
            after = (kept, page[-1].upload_id)
            self._settle_waiting(page)
            self._save("", {"phase": _OUTLIVED, "after": [kept.isoformat(), page[-1].upload_id]})

    def _settle_waiting(self, page: Sequence[SweptUpload]) -> None:
        self._book.counts["uploads"] += len(page)
        for bucket in sorted({upload.bucket for upload in page} & self._reconciler.places.keys()):
            place = self._reconciler.places[bucket]
            pairs = [
                Pair(upload, None)
                for upload in page
                if upload.bucket == bucket and upload.object_key.startswith(self._options.prefix)
            ]
            suspicions = self._suspect(Window(pairs, 0, len(pairs), None, None))
            # The page is looked at again as a whole when it was not finished.
            self._settle_all(place, self._build_settler(place), suspicions, lambda key: self._book.cursor)

    def _report_unreachable(self) -> None:
        if self._options.profile or self._book.frozen:
            return
        unreachable = [
            one for one in self._ledger.sweeps.list_buckets() if one not in self._reconciler.places
        ]
        for bucket in unreachable:
            detail = "its uploads stay as they are"
            verdict = Verdict(Kind.UNREACHABLE, Outcome.LEFT, "", None, detail)
            self._book.save({"bucket": "\U0010ffff"}, bucket, [verdict])

    def _build_settler(self, place: BucketPlace) -> Settler:
        return Settler(
            place,
            ledger=self._ledger,
            arrivals=self._reconciler.arrivals,
            seal_keys=self._reconciler.seal_keys,
            prefix_keys=self._reconciler.prefix_keys,
            throttle=self._reconciler.throttle,
            limits=self._limits,
            brake=self._brake,
            ages=self._ages,
        )

    def _save(self, bucket: str, cursor: dict[str, Any], verdicts: Iterable[Verdict | None] = ()) -> None:
        found = [verdict for verdict in verdicts if verdict is not None]
        self._book.save({**({"bucket": bucket} if bucket else {}), **cursor}, bucket, found)
        self._reconciler.on_progress(self._book.tell(bucket))
        if self._reconciler.should_stop():
            raise Interrupted

    def _list_objects(self, place: BucketPlace, after: str) -> ObjectPage:
        listing = self._reconciler.arrivals.bucket.listing
        page = self._try(
            lambda: listing.list_objects(
                place, prefix=self._options.prefix, start_after=after, seconds=LIST_SECONDS
            )
        )
        self._compare_clocks(page.answered_at)
        return page

    def _list_multipart(self, place: BucketPlace, after: tuple[str, str]) -> MultipartPage:
        listing = self._reconciler.arrivals.bucket.listing
        page = self._try(
            lambda: listing.list_multipart_uploads(
                place, prefix=self._options.prefix, after=after, seconds=LIST_SECONDS
            )
        )
        self._compare_clocks(page.answered_at)
        return page

    def _try(self, ask: Callable[[], Answer]) -> Answer:
        for seconds in RETRY_AFTER:
            self._reconciler.throttle.wait()
            try:
                return ask()
            except BucketUnavailable:
                self._reconciler.sleep(seconds)
                if self._reconciler.should_stop():
                    raise Interrupted from None
        self._reconciler.throttle.wait()
        return ask()

    def _compare_clocks(self, answered_at: datetime | None) -> None:
        ours = self._reconciler.now()
        self._ahead = ours - choose_moment(ours, answered_at)

    def _ages(self) -> Ages:
        return Ages(self._reconciler.now() - self._ahead, self._options.grace)


def _slice(suspicions: Sequence[Suspicion]) -> Iterator[list[Suspicion]]:
    """Give parts that are soon settled; uploads of one key stay together, since the cursor is a key."""
    rest = iter(suspicions)
    held: list[Suspicion] = []
    while part := held + list(islice(rest, _SLICE)):
        held = []
        for suspicion in rest:
            if suspicion[0].object_key != part[-1][0].object_key:
                held = [suspicion]
                break
            part.append(suspicion)
        yield part
