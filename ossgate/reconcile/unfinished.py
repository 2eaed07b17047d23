"""Uploads in parts that nobody has finished: reported past their day, aborted when that was asked for and they are ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from ossgate.bucket import BucketClient, BucketRefused, BucketUnavailable, ListedMultipart
from ossgate.ledger import Ledger, SweptUpload
from ossgate.reconcile.comparison import Ages
from ossgate.reconcile.findings import Kind, Outcome, Verdict
from ossgate.reconcile.settle import Limits
from ossgate.reconcile.throttle import Throttle
from signer.places import BucketPlace

ABORT_SECONDS = 10.0


class UnfinishedUploads:
    """Judges the unfinished uploads of one bucket."""

    def __init__(
        self,
        place: BucketPlace,
        *,
        ledger: Ledger,
        bucket: BucketClient,
        throttle: Throttle,
        limits: Limits,
        abort: bool,
        age: timedelta,
        ages: Callable[[], Ages],
    ) -> None:
        self._place = place
        self._ledger = ledger
        self._bucket = bucket
        self._throttle = throttle
        self._limits = limits
        self._abort = abort
        self._age = age
        self._ages = ages

    def settle(self, listed: ListedMultipart) -> Verdict | None:
        """Report an upload in parts whose day is over, or abort it; nothing when it may still be going on.

        Raises:
            LedgerUnavailable, LedgerBusy: The database failed.
        """
        ages = self._ages()
        if listed.initiated_at + self._age > ages.now:
            return None
        upload = self._find_upload(listed)
        if self._limits.profile and (upload is None or upload.profile != self._limits.profile):
            return None
        if upload is None:
            # Another application may share the bucket, and its uploads are none of ours to end.
            return self._tell(listed, None, Outcome.LEFT, "no upload of ours has this key")
        if upload.state == "issued" and not ages.is_over(upload.expires_at):
            return None
        if not self._abort:
            return self._tell(listed, upload, Outcome.LEFT, f"begun {listed.initiated_at:%Y-%m-%d}")
        if self._limits.dry_run or not self._limits.changes_bucket:
            return self._tell(listed, upload, Outcome.DRY_RUN, "would be aborted")
        return self._end(listed, upload)

    def _end(self, listed: ListedMultipart, upload: SweptUpload) -> Verdict:
        self._throttle.wait()
        try:
            self._bucket.multipart.abort(
                self._place, listed.object_key, listed.multipart_upload_id, seconds=ABORT_SECONDS
            )
        except (BucketRefused, BucketUnavailable) as error:
            return Verdict(Kind.UNKNOWN, Outcome.LEFT, listed.object_key, upload.upload_id, str(error))
        return self._tell(listed, upload, Outcome.SETTLED, "aborted, with all its parts")

    def _find_upload(self, listed: ListedMultipart) -> SweptUpload | None:
        key = listed.object_key
        uploads = self._ledger.sweeps.list_by_key(self._place.bucket, prefix=key, through=key, limit=100)
        same = [upload for upload in uploads if upload.multipart_upload_id == listed.multipart_upload_id]
        return next(iter(same or uploads), None)

    def _tell(
        self, listed: ListedMultipart, upload: SweptUpload | None, outcome: Outcome, detail: str
    ) -> Verdict:
        upload_id = None if upload is None else upload.upload_id
        told = f"{detail} (multipart upload {listed.multipart_upload_id[:64]})"
        return Verdict(Kind.UNFINISHED, outcome, listed.object_key, upload_id, told)
