"""The writer's statements about uploads, accounts and callbacks."""

from functools import cached_property

from sqlalchemy import (
    BindParameter,
    Integer,
    and_,
    bindparam,
    column,
    delete,
    insert,
    literal_column,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.engine import Dialect

from ossgate.ledger.compiler import Compiler, Statement
from ossgate.ledger.outbox_statements import OutboxStatements
from ossgate.ledger.rows import UNKNOWN_AT_ISSUE
from ossgate.ledger.sweep_statements import SweepStatements
from ossgate.ledger.tables import IS_ISSUED, history, inbox, quota, upload

UPLOAD_COLUMNS = tuple(upload.c.keys())
_ARRIVAL_COLUMNS = (
    "state",
    "size",
    "etag",
    "crc64",
    "content_type",
    "uploaded_at",
    "arrived_via",
    "reply",
    "changed_at",
    "keep_until",
    "replaced_size",
)
_JUDGED = ("verdict", "layer", "code", "detail", "upload_id", "took_ms")


class Statements(Compiler):
    """Compile each statement on first use and keep it."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self.outbox = OutboxStatements(dialect)
        self.sweeps = SweepStatements(dialect)
        self._upload_selects: dict[int, Statement] = {}
        self._quota_selects: dict[int, Statement] = {}

    def select_uploads(self, count: int) -> Statement:
        """Read and lock so many uploads by id; in the order of ids, so that two writers never wait crosswise."""
        statement = self._upload_selects.get(count)
        if statement is None:
            ids: list[BindParameter[str]] = [bindparam(f"id_{n}") for n in range(count)]
            query = select(upload).where(upload.c.upload_id.in_(ids)).order_by(upload.c.upload_id)
            statement = self._upload_selects[count] = self.compile(query.with_for_update())
        return statement

    def select_quotas(self, count: int) -> Statement:
        """Read and lock so many accounts by (quota_key, profile, period)."""
        statement = self._quota_selects.get(count)
        if statement is None:
            # Not (…) IN (…): to that SQLite answers by reading the whole table.
            wanted = [
                and_(
                    quota.c.quota_key == bindparam(f"key_{n}"),
                    quota.c.profile == bindparam(f"profile_{n}"),
                    quota.c.period == bindparam(f"period_{n}"),
                )
                for n in range(count)
            ]
            query = select(quota).where(or_(*wanted)).order_by(*quota.primary_key.columns)
            statement = self._quota_selects[count] = self.compile(query.with_for_update())
        return statement

    @cached_property
    def select_overdue(self) -> Statement:
        """Read and lock the oldest overdue uploads of an account, passing by those that another writer holds."""
        query = (
            select(upload)
            .where(
                IS_ISSUED,
                upload.c.quota_key == bindparam("quota_key"),
                upload.c.profile == bindparam("profile"),
                upload.c.quota_period == bindparam("period"),
                upload.c.expires_at < bindparam("before"),
            )
            .order_by(upload.c.expires_at)
            .limit(bindparam("count", type_=Integer))
            # Said outright, since SQLite's dialect would add a parameter for it.
            .offset(literal_column("0"))
            .with_for_update(skip_locked=True)
        )
        return self.compile(query)

    @cached_property
    def insert_upload(self) -> Statement:
        """Add an upload that must be new, and of which nothing has arrived: what would be empty is not written."""
        known = tuple(name for name in UPLOAD_COLUMNS if name not in UNKNOWN_AT_ISSUE)
        return self.compile(insert(upload).inline(), columns=known)

    @cached_property
    def insert_upload_unless(self) -> Statement:
        """Add an upload unless it is there."""
        return self.compile(self.insert_unless(upload))

    @cached_property
    def insert_claim(self) -> Statement:
        """Add a state to the history; a second one of its kind breaks the primary key."""
        return self.compile(insert(history).inline())

    @cached_property
    def insert_note(self) -> Statement:
        """Add a note to the history unless it is there."""
        return self.compile(self.insert_unless(history))

    @cached_property
    def update_upload(self) -> Statement:
        """Set all of an upload that can change."""
        query = update(upload).where(upload.c.upload_id == bindparam("the_upload_id"))
        return self.compile(query, columns=_ARRIVAL_COLUMNS)

    @cached_property
    def insert_quota_unless(self) -> Statement:
        """Open an account unless it is open."""
        return self.compile(self.insert_unless(quota))

    @cached_property
    def update_quota(self) -> Statement:
        """Set an account's balance."""
        query = update(quota).where(
            quota.c.quota_key == bindparam("the_quota_key"),
            quota.c.profile == bindparam("the_profile"),
            quota.c.period == bindparam("the_period"),
        )
        return self.compile(query, columns=("pending_uploads", "bytes"))

    @cached_property
    def keep_callback(self) -> Statement:
        """Add a callback; of one that is there, as it may be after an answer that came to nothing, set what was made of it."""
        return self.compile(self.insert_or_update(inbox, _JUDGED))

    @cached_property
    def select_surplus(self) -> Statement:
        """Read the newest callback of a verdict that is beyond its bound."""
        query = (
            select(inbox.c.callback_id)
            .where(inbox.c.verdict == bindparam("verdict"))
            .order_by(inbox.c.callback_id.desc())
            .limit(literal_column("1"))
            .offset(bindparam("kept", type_=Integer))
        )
        return self.compile(query)

    @cached_property
    def trim_inbox(self) -> Statement:
        """Delete of so many oldest callbacks of a verdict those that are beyond its bound, or too old."""
        oldest = (
            select(inbox.c.callback_id)
            .where(inbox.c.verdict == bindparam("verdict"))
            .order_by(inbox.c.callback_id)
            .limit(bindparam("limit", type_=Integer))
            .offset(literal_column("0"))
        )
        is_over = or_(inbox.c.callback_id <= bindparam("through"), inbox.c.at < bindparam("before"))
        return self.compile(delete(inbox).where(inbox.c.callback_id.in_(oldest), is_over))

    @cached_property
    def select_revision(self) -> Statement:
        """Read the revision that migrations have brought the database to."""
        return self.compile(select(column("version_num")).select_from(table("alembic_version")))
