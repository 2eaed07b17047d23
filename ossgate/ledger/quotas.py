"""Accounts of what a quota key has pending and stored; pure arithmetic over what the writer has locked."""

from datetime import UTC, datetime

from ossgate.ledger.errors import QuotaExceeded
from ossgate.ledger.models import Period, QuotaLimit
from ossgate.ledger.rows import Row
from ossgate.ledger.states import State

# (quota_key, profile, period)
AccountKey = tuple[str, str, str]


def account_period(period: Period, created_at: datetime) -> str:
    """Name the account's period: the UTC day of issue, or all time."""
    return created_at.astimezone(UTC).date().isoformat() if period == "day" else "ever"


def count_stored(row: Row) -> int:
    """Return the bytes that an upload which has arrived counts: of what stands under its key, as it was last seen."""
    size: int | None = row["size"] if row["replaced_size"] is None else row["replaced_size"]
    return size or 0


def frees_deleted(row: Row) -> bool:
    """Tell whether an upload that has arrived gives its bytes back when it is deleted.

    An account for all time holds what is stored. That of a day holds what the day has brought, deleted or not: else one could upload,
    have it deleted and upload again without end. What was never confirmed counts for nothing.
    """
    return bool(row["quota_period"] == "ever" or row["state"] == State.UNCONFIRMED)


class Account:
    """Hold one locked row of the quota table."""

    __slots__ = ("bytes", "changed", "key", "pending_uploads")

    def __init__(self, key: AccountKey, pending_uploads: int, size: int) -> None:
        self.key = key
        self.pending_uploads = pending_uploads
        self.bytes = size
        self.changed = False

    def add(self, pending_uploads: int, size: int) -> None:
        """Reserve, settle or release."""
        self.pending_uploads += pending_uploads
        self.bytes += size
        self.changed = True

    def verify_room(self, limit: QuotaLimit, *, pending_uploads: int, size: int) -> None:
        """Pass when so much more stays within the limit.

        Raises:
            QuotaExceeded: It does not.
        """
        for kind, bound, used, requested in (
            ("pending_uploads", limit.pending_uploads, self.pending_uploads, pending_uploads),
            ("bytes", limit.bytes, self.bytes, size),
        ):
            if bound is not None and used + requested > bound:
                raise QuotaExceeded(kind, limit=bound, used=used, requested=requested)

    def as_row(self) -> Row:
        """Give the row to be written."""
        quota_key, profile, period = self.key
        return {
            "quota_key": quota_key,
            "profile": profile,
            "period": period,
            "pending_uploads": self.pending_uploads,
            "bytes": self.bytes,
        }
