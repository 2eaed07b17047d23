"""What is asked of the ledger: plain Core queries on pooled connections, each its own transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy import Row as SqlRow
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles

from ossgate.ledger.database import LONG_READ_SECONDS, READ_SECONDS, Database
from ossgate.ledger.errors import LedgerBusy, LedgerUnavailable
from ossgate.ledger.models import Change, Upload
from ossgate.ledger.rows import Row, parse_change, parse_upload
from ossgate.ledger.states import State
from ossgate.ledger.tables import IS_UNSETTLED, IS_UPLOADED, history, upload

# Changes of one millisecond are told in the order in which states can follow each other.
_ORDER: dict[str, int] = {
    state.value: place
    for place, state in enumerate((State.ISSUED, State.EXPIRED, State.UNCONFIRMED, State.UPLOADED))
}


class _NamedUnsettled(ColumnElement[bool]):
    """The condition of the index of states, said again to a database that does not see that another implies it.

    SQLite takes a partial index only at these very words. PostgreSQL needs none, and would take the two conditions for independent and
    expect a twentieth of the rows.
    """

    inherit_cache = True


@compiles(_NamedUnsettled, "sqlite")
def _say(element: _NamedUnsettled, compiler: Any, **options: Any) -> str:
    return str(compiler.process(IS_UNSETTLED, **options))


@compiles(_NamedUnsettled)
def _leave_out(element: _NamedUnsettled, compiler: Any, **options: Any) -> str:
    return "true"


def fetch_upload(database: Database, upload_id: str) -> Upload | None:
    """Fetch one upload."""
    query = select(upload).where(upload.c.upload_id == upload_id)
    rows = fetch_rows(database, query, seconds=READ_SECONDS)
    return parse_upload(rows[0]) if rows else None


def fetch_history(database: Database, upload_id: str, *, limit: int | None = None) -> list[Change]:
    """Fetch an upload's changes, the oldest first; where there are more than the limit, the newest are missing."""
    query = select(history).where(history.c.upload_id == upload_id).order_by(history.c.at)
    rows = fetch_rows(database, query.limit(limit), seconds=READ_SECONDS)
    changes = [parse_change(row) for row in rows]
    return sorted(
        changes, key=lambda change: (change.at, _ORDER.get(change.claim, len(_ORDER)), change.claim)
    )


def list_uploads(
    database: Database,
    *,
    state: str | None,
    profile: str | None,
    subject: str | None,
    before: str | None,
    limit: int,
) -> list[Upload]:
    """List uploads, newest first, from below an id on."""
    query = build_list(state=state, profile=profile, subject=subject, before=before).limit(limit)
    return [parse_upload(row) for row in fetch_rows(database, query)]


def build_list(
    *, state: str | None, profile: str | None, subject: str | None, before: str | None
) -> Select[Any]:
    """Build the query of uploads, newest first, such that an index serves each filter."""
    query = select(upload).order_by(upload.c.upload_id.desc())
    if state is not None:
        query = query.where(*is_in_state(state))
    for column, wanted in ((upload.c.profile, profile), (upload.c.subject, subject)):
        if wanted is not None:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(upload.c.upload_id < before)
    return query


def is_in_state(state: str) -> list[ColumnElement[bool]]:
    """Build the condition of a state, in the words of the index that holds it."""
    if state == State.UPLOADED:
        # Most are, so the newest are soon found by their ids.
        return [IS_UPLOADED]
    return [upload.c.state == state, _NamedUnsettled()]


def fetch_rows(database: Database, query: Select[Any], *, seconds: float = LONG_READ_SECONDS) -> list[Row]:
    """Run a query as a transaction of its own."""
    return [row._asdict() for row in fetch_tuples(database, query, seconds=seconds)]


def fetch_tuples(
    database: Database, query: Select[Any], *, seconds: float = LONG_READ_SECONDS
) -> Sequence[SqlRow[Any]]:
    """Run a query as a transaction of its own, for rows as they come; the database has so many seconds for each answer."""
    try:
        with database.connect_reader(seconds) as connection:
            return connection.execute(query).all()
    except DBAPIError as exc:
        raise LedgerUnavailable(database.describe(exc.orig or exc)) from exc
    except PoolTimeout as exc:
        raise LedgerBusy("every connection for reading is in use") from exc
    except TimeoutError as exc:
        raise LedgerUnavailable("the database does not answer") from exc
