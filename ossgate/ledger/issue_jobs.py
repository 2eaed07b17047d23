"""What asks for room in an account: uploads that are promised, and grants that promise none that could be counted yet."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ossgate.ledger.batch import Batch
from ossgate.ledger.errors import QuotaExceeded
from ossgate.ledger.jobs import Job
from ossgate.ledger.models import NewUpload, QuotaLimit
from ossgate.ledger.quotas import AccountKey, account_period
from ossgate.ledger.rows import encode_time, encode_upload

# An upload may still be arriving when its grant has expired: OSS judges a form when its whole body is there.
OVERDUE_AFTER = timedelta(minutes=10)
# The ticket in their callback and the seal on their object hold all of the row. Credentials may be used without either, and of an upload
# in parts OSS's own id stands in the row alone.
_REBUILT_VIAS = frozenset({"post", "put"})


class IssueJob(Job):
    """Record uploads as issued, all or none, within a quota."""

    is_issue = True

    def __init__(self, uploads: Sequence[NewUpload], quota: QuotaLimit | None, now: datetime) -> None:
        super().__init__()
        self._now = now
        self._quota = quota
        self.must_last = not all(new.via in _REBUILT_VIAS for new in uploads)
        self._requested: dict[AccountKey, list[int]] = {}
        self._rows = []
        for new in uploads:
            counted = quota is not None and new.quota_key != ""
            period = account_period(quota.period, new.created_at) if quota is not None and counted else ""
            self._rows.append(encode_upload(new, quota_period=period))
            if counted:
                requested = self._requested.setdefault((new.quota_key, new.profile, period), [0, 0])
                requested[0] += 1
                requested[1] += new.size_max

    @property
    def first_upload_id(self) -> str:
        """Name the job in an error."""
        return str(self._rows[0]["upload_id"])

    def account_keys(self) -> Sequence[AccountKey]:
        """Name the accounts that the uploads are put on."""
        return tuple(self._requested)

    def apply(self, batch: Batch) -> None:
        """Reserve and add, or refuse."""
        try:
            for key, (count, size) in self._requested.items():
                assert self._quota is not None
                verify_room(batch, key, self._quota, count=count, size=size, now=self._now)
        except QuotaExceeded as exc:
            self.error = exc.with_traceback(None)
            return
        for key, (count, size) in self._requested.items():
            batch.accounts[key].add(count, size)
        for row in self._rows:
            batch.add_upload(row)


class RoomJob(Job):
    """Find out whether an account has room for one more upload, and reserve nothing."""

    # After the arrivals of its batch, which make room, and among the issues, which take it.
    is_issue = True
    must_last = False

    def __init__(self, quota_key: str, profile: str, quota: QuotaLimit, *, size: int, now: datetime) -> None:
        super().__init__()
        self._key: AccountKey = (quota_key, profile, account_period(quota.period, now))
        self._quota = quota
        self._size = size
        self._now = now

    def account_keys(self) -> Sequence[AccountKey]:
        """Name the account."""
        return (self._key,)

    def apply(self, batch: Batch) -> None:
        """Look, and release what is overdue when room is short."""
        try:
            verify_room(batch, self._key, self._quota, count=1, size=self._size, now=self._now)
        except QuotaExceeded as exc:
            self.error = exc.with_traceback(None)


def verify_room(
    batch: Batch, key: AccountKey, quota: QuotaLimit, *, count: int, size: int, now: datetime
) -> None:
    """Pass when so much more fits into a loaded account, if need be once what is overdue has been released.

    Raises:
        QuotaExceeded: It does not.
    """
    account = batch.accounts[key]
    try:
        account.verify_room(quota, pending_uploads=count, size=size)
    except QuotaExceeded:
        # What was promised and never came is only looked for when room is short.
        batch.expire_overdue(key, before=encode_time(now - OVERDUE_AFTER), at=encode_time(now))
        account.verify_room(quota, pending_uploads=count, size=size)
