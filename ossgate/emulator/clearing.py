"""Forgetting: what lies between one test and the next."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from ossgate.emulator.buckets import Bucket, BucketRegistry
from ossgate.emulator.errors import OssError
from ossgate.emulator.events import Transcript
from ossgate.emulator.fault_plan import FaultPlan
from ossgate.emulator.multipart_store import MultipartStore


@dataclass(frozen=True, slots=True)
class Clearing:
    """Brings an emulator back to how it was when it was first started.

    Args:
        list_given: The buckets that are there from the start.
    """

    buckets: BucketRegistry
    uploads: MultipartStore
    plan: FaultPlan
    transcript: Transcript
    list_given: Callable[[], Iterable[Bucket]]

    def clear_all(self) -> None:
        """Forget objects, uploads, buckets and settings of others' making, faults and events."""
        self.plan.clear()
        self.clear_objects()
        for bucket in self.buckets.list_buckets():
            # One that somebody writes to at this moment stays.
            with suppress(OssError):
                self.buckets.delete(bucket.name, has_uploads=False)
        self.buckets.open(self.list_given())
        self.transcript.clear()

    def clear_objects(self) -> None:
        """Remove all objects and unfinished uploads; the buckets stay."""
        for bucket in self.buckets.list_buckets():
            for upload in self.uploads.list_uploads(bucket.name):
                # One that has ended meanwhile is no more.
                with suppress(OssError):
                    self.uploads.abort(upload)
            index = self.buckets.store.index(bucket.name)
            while (key := index.find_from("")) is not None:
                self.buckets.store.delete(bucket.name, key)
                # Of a key whose files somebody removed by hand nothing else is left.
                index.discard(key)
