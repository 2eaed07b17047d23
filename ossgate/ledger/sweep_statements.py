"""The writer's statements about reconciliation's runs and about retention."""

from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Table,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)

from ossgate.ledger.compiler import Compiler, Statement
from ossgate.ledger.tables import (
    IS_PERIODICAL,
    IS_UNFINISHED,
    history,
    inbox,
    lease,
    quota,
    reconcile_finding,
    reconcile_run,
    upload,
)

RUN_COLUMNS = tuple(reconcile_run.c.keys())


class SweepStatements(Compiler):
    """Compile each statement on first use and keep it."""

    @cached_property
    def insert_lease_unless(self) -> Statement:
        """Make a lease's row unless it is there."""
        return self.compile(self.insert_unless(lease))

    @cached_property
    def take_lease(self) -> Statement:
        """Give a lease that has ended, or is the owner's own, to an owner."""
        query = (
            update(lease)
            .where(
                lease.c.name == bindparam("the_name"),
                (lease.c.owner == bindparam("the_owner")) | (lease.c.until < bindparam("now")),
            )
            .values(owner=bindparam("owner"), until=bindparam("until"))
        )
        return self.compile(query)

    @cached_property
    def keep_lease(self) -> Statement:
        """Prolong a lease that is the owner's still."""
        query = (
            update(lease)
            .where(lease.c.name == bindparam("the_name"), lease.c.owner == bindparam("the_owner"))
            .values(until=bindparam("until"))
        )
        return self.compile(query)

    @cached_property
    def select_lease(self) -> Statement:
        """Read who has a lease."""
        query = select(lease.c.owner, lease.c.until).where(lease.c.name == bindparam("name"))
        return self.compile(query)

    @cached_property
    def select_unfinished(self) -> Statement:
        """Read the newest run of a scope that was not finished."""
        query = (
            select(reconcile_run)
            .where(IS_UNFINISHED, reconcile_run.c.scope == bindparam("scope"))
            .order_by(reconcile_run.c.run_id.desc())
            .limit(literal_column("1"))
            .offset(literal_column("0"))
        )
        return self.compile(query)

    @cached_property
    def select_outdated(self) -> Statement:
        """Read the newest run but so many."""
        query = (
            select(reconcile_run.c.run_id)
            .order_by(reconcile_run.c.run_id.desc())
            .limit(literal_column("1"))
            .offset(bindparam("kept", type_=Integer))
        )
        return self.compile(query)

    @cached_property
    def insert_run(self) -> Statement:
        """Add a run."""
        return self.compile(insert(reconcile_run).inline())

    @cached_property
    def update_run(self) -> Statement:
        """Set where a run stands."""
        query = update(reconcile_run).where(reconcile_run.c.run_id == bindparam("the_run_id"))
        return self.compile(query, columns=("changed_at", "finished_at", "cursor", "counts"))

    @cached_property
    def insert_finding(self) -> Statement:
        """Add a finding."""
        return self.compile(insert(reconcile_finding).inline())

    @cached_property
    def delete_history(self) -> Statement:
        """Delete the changes of an upload."""
        return self.compile(delete(history).where(history.c.upload_id == bindparam("the_upload_id")))

    @cached_property
    def delete_upload(self) -> Statement:
        """Delete an upload whose changes have been deleted."""
        return self.compile(delete(upload).where(upload.c.upload_id == bindparam("the_upload_id")))

    @cached_property
    def prune_inbox(self) -> Statement:
        """Delete so many callbacks below an id."""
        return self._delete_oldest(inbox, inbox.c.callback_id, inbox.c.callback_id < bindparam("below"))

    @cached_property
    def prune_accounts(self) -> Statement:
        """Delete so many accounts of periods that are long over and on which nothing is pending."""
        oldest = (
            select(quota.c.quota_key, quota.c.profile, quota.c.period)
            .where(
                IS_PERIODICAL,
                quota.c.period < bindparam("before"),
                quota.c.pending_uploads <= literal_column("0"),
            )
            .order_by(quota.c.period)
            .limit(bindparam("limit", type_=Integer))
            .offset(literal_column("0"))
        )
        return self.compile(delete(quota).where(tuple_(*quota.primary_key.columns).in_(oldest)))

    @cached_property
    def prune_findings(self) -> Statement:
        """Delete the findings of runs below an id."""
        return self.compile(delete(reconcile_finding).where(reconcile_finding.c.run_id < bindparam("below")))

    @cached_property
    def prune_runs(self) -> Statement:
        """Delete runs below an id, whose findings have been deleted."""
        return self.compile(delete(reconcile_run).where(reconcile_run.c.run_id < bindparam("below")))

    def _delete_oldest(
        self, rows: Table, key: ColumnElement[Any], condition: ColumnElement[bool]
    ) -> Statement:
        oldest = (
            select(key)
            .where(condition)
            .order_by(key)
            .limit(bindparam("limit", type_=Integer))
            .offset(literal_column("0"))
        )
        return self.compile(delete(rows).where(key.in_(oldest)))
