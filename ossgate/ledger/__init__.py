"""The ledger of uploads: states, history, quotas and outbox, on SQLite or PostgreSQL alike."""

from ossgate.ledger.errors import (
    DatabaseUrlInvalid,
    LeaseHeld,
    LeaseLost,
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
    Finding,
    NewUpload,
    QuotaLimit,
    ReconcileRun,
    Refusal,
    SinkState,
    SweptUpload,
    Upload,
)
from ossgate.ledger.outbox import Outbox
from ossgate.ledger.retention import Pruned
from ossgate.ledger.search import UploadFilter
from ossgate.ledger.states import State

__all__ = [
    "EVENT_TYPES",
    "Arrival",
    "ArrivalOutcome",
    "Change",
    "DatabaseUrlInvalid",
    "Delivery",
    "Finding",
    "LeaseHeld",
    "LeaseLost",
    "Ledger",
    "LedgerBusy",
    "LedgerError",
    "LedgerUnavailable",
    "NewUpload",
    "Outbox",
    "Pruned",
    "QuotaExceeded",
    "QuotaLimit",
    "ReconcileRun",
    "Refusal",
    "RowRejected",
    "SchemaOutdated",
    "SinkState",
    "State",
    "SweptUpload",
    "TransitionForbidden",
    "Upload",
    "UploadExists",
    "UploadFilter",
    "UploadUnknown",
]
