"""The ledger of uploads: states, history and quotas, on SQLite or PostgreSQL alike."""

from ossgate.ledger.errors import (
    DatabaseUrlInvalid,
    LedgerBusy,
    LedgerError,
    LedgerUnavailable,
    QuotaExceeded,
    RowRejected,
    SchemaOutdated,
    TransitionForbidden,
    UploadExists,
    UploadUnknown,
)
from ossgate.ledger.ledger import Ledger
from ossgate.ledger.models import (
    Arrival,
    ArrivalOutcome,
    Change,
    NewUpload,
    QuotaLimit,
    Refusal,
    Upload,
)
from ossgate.ledger.states import State

__all__ = [
    "Arrival",
    "ArrivalOutcome",
    "Change",
    "DatabaseUrlInvalid",
    "Ledger",
    "LedgerBusy",
    "LedgerError",
    "LedgerUnavailable",
    "NewUpload",
    "QuotaExceeded",
    "QuotaLimit",
    "Refusal",
    "RowRejected",
    "SchemaOutdated",
    "State",
    "TransitionForbidden",
    "Upload",
    "UploadExists",
    "UploadUnknown",
]
