"""What the ledger raises. Each error has a stable ``code``, its facts as attributes, and no HTTP status.

LedgerError
├── QuotaExceeded         quota_exceeded       the issue would pass a limit
├── UploadUnknown         upload_unknown       no such row
├── UploadExists          upload_exists        an id was issued twice
├── TransitionForbidden   transition_forbidden the state machine has no such step
├── RowRejected           row_rejected         the database took offence at this row alone
├── DatabaseUrlInvalid    database_url_invalid neither SQLite nor PostgreSQL
├── LeaseHeld             lease_held           another process does this already
├── LeaseLost             lease_lost           another process has taken this over
├── LedgerBusy            ledger_busy          queue full, or the time is up
└── LedgerUnavailable     ledger_unavailable   the database cannot be written or read now
    └── SchemaOutdated    schema_outdated      migrations have not been run
"""

from datetime import datetime
from typing import ClassVar


class LedgerError(Exception):
    """Carry a stable ``code`` beside the message."""

    code: ClassVar[str] = "ledger_error"


class QuotaExceeded(LedgerError):
    """Say which limit an issue would pass, and by how much."""

    code = "quota_exceeded"

    def __init__(self, kind: str, *, limit: int, used: int, requested: int) -> None:
        super().__init__(f"{kind}: {used} of {limit} used, {requested} more requested")
        self.kind = kind
        self.limit = limit
        self.used = used
        self.requested = requested


class _AboutUpload(LedgerError):
    """Hold the upload's id, shortened for the message."""

    sentence: ClassVar[str] = ""

    def __init__(self, upload_id: str) -> None:
        super().__init__(f"{self.sentence}: {upload_id[:64]!r}")
        self.upload_id = upload_id


class UploadUnknown(_AboutUpload):
    """Say that the ledger has no such upload."""

    code = "upload_unknown"
    sentence = "no upload has this id"


class UploadExists(_AboutUpload):
    """Say that an upload of this id, or of another in the same list, has been issued before."""

    code = "upload_exists"
    sentence = "an upload of this id exists already"


class TransitionForbidden(LedgerError):
    """Name the step that the state machine does not have."""

    code = "transition_forbidden"

    def __init__(self, state: str, target: str) -> None:
        super().__init__(f"an upload cannot go from {state[:32]!r} to {target[:32]!r}")
        self.state = state
        self.target = target


class RowRejected(LedgerError):
    """Say that the database refused this one row, however often it is tried."""

    code = "row_rejected"


class DatabaseUrlInvalid(LedgerError):
    """Say what is wrong with the URL, without showing its password."""

    code = "database_url_invalid"


class LeaseHeld(LedgerError):
    """Name who does this already, and until when unless it goes on."""

    code = "lease_held"

    def __init__(self, name: str, owner: str, until: datetime) -> None:
        super().__init__(
            f"{name[:32]} is done by {owner[:128]} already, until {until:%Y-%m-%dT%H:%M:%SZ} at least"
        )
        self.name = name
        self.owner = owner
        self.until = until


class LeaseLost(LedgerError):
    """Say that a lease ended before its owner went on, and that another has it now."""

    code = "lease_lost"

    def __init__(self, name: str) -> None:
        super().__init__(f"another process has taken {name[:32]} over")
        self.name = name


class LedgerBusy(LedgerError):
    """Say that the queue is full or that the time was up.

    When ``begun`` is true the row had been taken up already and may yet be recorded;
    to repeat it is safe.
    """

    code = "ledger_busy"

    def __init__(self, message: str, *, begun: bool = False) -> None:
        super().__init__(message)
        self.begun = begun


class LedgerUnavailable(LedgerError):
    """Say that the database cannot be used at the moment; nothing was acknowledged."""

    code = "ledger_unavailable"


class SchemaOutdated(LedgerUnavailable):
    """Name the revision found and the one that this version needs."""

    code = "schema_outdated"

    def __init__(self, found: str | None, expected: str) -> None:
        at = "has no tables yet" if found is None else f"is at revision {found[:32]!r}"
        super().__init__(f"the database {at}, {expected!r} is needed: run `ossgate db upgrade`")
        self.found = found
        self.expected = expected
