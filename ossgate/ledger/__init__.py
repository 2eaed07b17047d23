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
from ossgate.ledger.inbox import CallbackFilter
from ossgate.ledger.inbox_jobs import InboxBounds
from ossgate.ledger.ledger import Ledger
from ossgate.ledger.models import (
    Arrival,
    ArrivalOutcome,
    Change,
    Delivery,
    Finding,
    Judgement,
    KeptCallback,
    KeptRequest,
    NewUpload,
    QuotaLimit,
    ReconcileRun,
    SinkState,
    SweptUpload,
    Upload,
)
from ossgate.ledger.outbox import Outbox
from ossgate.ledger.retention import Pruned
from ossgate.ledger.search import UploadFilter
from ossgate.ledger.states import Meeting, State, Verdict, judge_arrival

__all__ = [
    "EVENT_TYPES",
    "Arrival",
    "ArrivalOutcome",
    "CallbackFilter",
    "Change",
    "DatabaseUrlInvalid",
    "Delivery",
    "Finding",
    "InboxBounds",
    "Judgement",
    "KeptCallback",
    "KeptRequest",
    "LeaseHeld",
    "LeaseLost",
    "Ledger",
    "LedgerBusy",
    "LedgerError",
    "LedgerUnavailable",
    "Meeting",
    "NewUpload",
    "Outbox",
    "Pruned",
    "QuotaExceeded",
    "QuotaLimit",
    "ReconcileRun",
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
    "Verdict",
    "judge_arrival",
]
