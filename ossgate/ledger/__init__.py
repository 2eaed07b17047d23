"""The ledger of uploads: states, history, quotas and outbox, on SQLite or PostgreSQL alike."""

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
from ossgate.ledger.events import EVENT_TYPES
from ossgate.ledger.ledger import Ledger
from ossgate.ledger.models import (
    Arrival,
    ArrivalOutcome,
    Change,
    Delivery,
    NewUpload,
    QuotaLimit,
    Refusal,
    SinkState,
    Upload,
)
from ossgate.ledger.outbox import Outbox
from ossgate.ledger.search import UploadFilter
from ossgate.ledger.states import State

__all__ = [
    "EVENT_TYPES",
    "Arrival",
    "ArrivalOutcome",
    "Change",
    "DatabaseUrlInvalid",
    "Delivery",
    "Ledger",
    "LedgerBusy",
    "LedgerError",
    "LedgerUnavailable",
    "NewUpload",
    "Outbox",
    "QuotaExceeded",
    "QuotaLimit",
    "Refusal",
    "RowRejected",
    "SchemaOutdated",
    "SinkState",
    "State",
    "TransitionForbidden",
    "Upload",
    "UploadExists",
    "UploadFilter",
    "UploadUnknown",
]
