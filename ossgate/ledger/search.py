"""What operators look for: uploads by filter and words, counts by state.

Ids sort by time, so a page costs the same however deep it lies, and a range of time costs what lies within it. Words are looked
for row after row in what the other filters leave. The SQL is the same for SQLite and PostgreSQL.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from ossgate.ledger.database import Database
from ossgate.ledger.models import Upload
from ossgate.ledger.reads import build_list, fetch_rows
from ossgate.ledger.rows import parse_upload
from ossgate.ledger.tables import upload

_ESCAPE = "\\"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFilter:
    """Say which uploads are wanted; what is ``None`` or empty does not matter.

    Attributes:
        words: How an upload id or an object key begins, or a part of a file name; capital ASCII letters count only in keys.
        from_id: The least id, which stands for a time.
        below_id: The id that all wanted ones are below.
    """

    state: str | None = None
    profile: str | None = None
    subject: str | None = None
    words: str = ""
    from_id: str | None = None
    below_id: str | None = None


def find_uploads(database: Database, wanted: UploadFilter, *, limit: int) -> list[Upload]:
    """Fetch uploads, newest first."""
    return [parse_upload(row) for row in fetch_rows(database, build_search(wanted).limit(limit))]


def build_search(wanted: UploadFilter) -> Select[Any]:
    """Build the query of a filter, newest first; what indexes know narrows it before words are looked for."""
    query = build_list(
        state=wanted.state, profile=wanted.profile, subject=wanted.subject, before=wanted.below_id
    )
    if wanted.from_id is not None:
        query = query.where(upload.c.upload_id >= wanted.from_id)
    if wanted.words:
        query = query.where(_match_words(wanted.words))
    return query


def count_states(database: Database, *, from_id: str) -> dict[str, int]:
    """Count the uploads from an id on by state; a state without any is left out."""
    query = (
        select(upload.c.state, func.count().label("uploads"))
        .where(upload.c.upload_id >= from_id)
        .group_by(upload.c.state)
    )
    return {row["state"]: row["uploads"] for row in fetch_rows(database, query)}


def _match_words(words: str) -> ColumnElement[bool]:
    # Not LIKE for the beginnings: SQLite's takes small letters for capital ones, PostgreSQL's does not.
    return or_(
        func.substr(upload.c.upload_id, 1, len(words)) == words.upper(),
        func.substr(upload.c.object_key, 1, len(words)) == words,
        func.lower(upload.c.file_name).like(func.lower(f"%{_escape(words)}%"), escape=_ESCAPE),
    )


def _escape(words: str) -> str:
    for sign in (_ESCAPE, "%", "_"):
        words = words.replace(sign, _ESCAPE + sign)
    return words
