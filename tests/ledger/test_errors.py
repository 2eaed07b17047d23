"""The errors: stable codes, facts as attributes, short messages."""

import inspect
from datetime import UTC, datetime

import pytest

from ossgate.ledger import (
    DatabaseUrlInvalid,
    LeaseHeld,
    LeaseLost,
    Ledger,
    LedgerBusy,
    LedgerError,
    LedgerUnavailable,
    QuotaExceeded,
    RowRejected,
    SchemaOutdated,
    TransitionForbidden,
    UploadExists,
    UploadUnknown,
    errors,
)

LONG = "x" * 10_000


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            QuotaExceeded("bytes", limit=10, used=7, requested=4),
            "quota_exceeded",
            "bytes: 7 of 10 used, 4 more requested",
        ),
        (UploadUnknown("01u"), "upload_unknown", "no upload has this id: '01u'"),
        (UploadExists("01u"), "upload_exists", "an upload of this id exists already: '01u'"),
        (
            TransitionForbidden("aborted", "uploaded"),
            "transition_forbidden",
            "an upload cannot go from 'aborted' to 'uploaded'",
        ),
        (RowRejected("DataError: too long"), "row_rejected", "DataError: too long"),
        (DatabaseUrlInvalid("no"), "database_url_invalid", "no"),
        (
            LeaseHeld("reconcile", "host:7", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
            "lease_held",
            "reconcile is done by host:7 already, until 2026-01-02T03:04:05Z at least",
        ),
        (LeaseLost("reconcile"), "lease_lost", "another process has taken reconcile over"),
        (LedgerBusy("full"), "ledger_busy", "full"),
        (LedgerUnavailable("gone"), "ledger_unavailable", "gone"),
        (
            SchemaOutdated(None, "0001"),
            "schema_outdated",
            "the database has no tables yet, '0001' is needed: run `ossgate db upgrade`",
        ),
        (
            SchemaOutdated("0001", "0002"),
            "schema_outdated",
            "the database is at revision '0001', '0002' is needed: run `ossgate db upgrade`",
        ),
    ],
)
def test_error_code_and_message(error: LedgerError, code: str, message: str) -> None:
    """Each error has its code and composes its message from its facts."""
    assert (error.code, str(error)) == (code, message)


@pytest.mark.parametrize(
    "error",
    [UploadUnknown(LONG), UploadExists(LONG), TransitionForbidden(LONG, LONG), SchemaOutdated(LONG, "1")],
)
def test_error_message_when_the_input_is_long(error: LedgerError) -> None:
    """However long the input, the message stays short."""
    assert len(str(error)) < 200


def test_codes_are_distinct() -> None:
    """No two errors share a code."""
    classes = [found for _, found in inspect.getmembers(errors, inspect.isclass) if "code" in vars(found)]

    assert len({found.code for found in classes}) == len(classes) == 12


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://user:secret@host/db",
        "postgresql+psycopg2://user:secret@host/db",
        "postgresql+psycopg://user:secret@host:port/db",
    ],
)
def test_url_when_invalid(url: str) -> None:
    """A URL of another database is refused at once, and its password is not repeated."""
    with pytest.raises(DatabaseUrlInvalid) as caught:
        Ledger(url)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://user:secret@host/db", "postgresql+psycopg://host/db"])
def test_url_when_postgresql(url: str) -> None:
    """Both spellings mean psycopg 3, and nothing is opened yet."""
    Ledger(url).close()
