"""The writer's statements about the outbox."""

from functools import cached_property

from sqlalchemy import Integer, bindparam, delete, exists, insert, literal_column, null, or_, select, update
from sqlalchemy.sql.dml import Update

from ossgate.ledger.compiler import Compiler, Statement
from ossgate.ledger.tables import IS_DEAD, IS_PENDING, delivery, sink

DELIVERY_COLUMNS = (
    "delivery_id",
    "upload_id",
    "sink",
    "type",
    "body",
    "state",
    "attempts",
    "next_at",
    "locked_until",
    "locked_by",
    "last_error",
    "created_at",
    "delivered_at",
)
_AT_FIRST = ("delivery_id", "upload_id", "sink", "type", "step", "body", "next_at", "created_at")
_UNLOCKED = {"locked_by": null(), "locked_until": null()}


class OutboxStatements(Compiler):
    """Compile each statement on first use and keep it."""

    @cached_property
    def insert_delivery(self) -> Statement:
        """Add what a sink is to be told."""
        return self.compile(insert(delivery).inline(), columns=_AT_FIRST)

    @cached_property
    def select_due(self) -> Statement:
        """Read and lock what is due for a sink that is open, passing by what another deliverer holds.

        Of an upload only the earliest that is pending: what comes later waits for it.
        """
        earlier = delivery.alias("earlier")
        is_earlier = or_(
            earlier.c.step < delivery.c.step,
            (earlier.c.step == delivery.c.step) & (earlier.c.delivery_id < delivery.c.delivery_id),
        )
        waits = exists().where(
            earlier.c.upload_id == delivery.c.upload_id,
            earlier.c.sink == delivery.c.sink,
            earlier.c.state == literal_column("'pending'"),
            is_earlier,
        )
        closed = exists().where(
            sink.c.name == bindparam("sink"),
            or_(sink.c.disabled_at.is_not(None), sink.c.resume_at > bindparam("now")),
        )
        query = (
            select(*(delivery.c[name] for name in DELIVERY_COLUMNS))
            .where(
                IS_PENDING,
                delivery.c.sink == bindparam("sink"),
                delivery.c.next_at <= bindparam("now"),
                ~closed,
                ~waits,
            )
            .order_by(delivery.c.next_at)
            .limit(bindparam("limit", type_=Integer))
            # Said outright, since SQLite's dialect would add a parameter for it.
            .offset(literal_column("0"))
            .with_for_update(skip_locked=True)
        )
        return self.compile(query)

    @cached_property
    def lock_delivery(self) -> Statement:
        """Give a delivery to a deliverer for the length of its lease."""
        query = update(delivery).where(delivery.c.delivery_id == bindparam("the_delivery_id"))
        return self.compile(query, columns=("attempts", "next_at", "locked_until", "locked_by"))

    @cached_property
    def finish_delivery(self) -> Statement:
        """Mark as delivered, whoever has the lease now: it has arrived."""
        query = (
            update(delivery)
            .where(delivery.c.delivery_id == bindparam("the_delivery_id"), delivery.c.delivered_at.is_(None))
            .values(state=literal_column("'delivered'"), delivered_at=bindparam("delivered_at"), **_UNLOCKED)
        )
        return self.compile(query)

    @cached_property
    def settle_delivery(self) -> Statement:
        """Set what comes next for a delivery that failed, as long as the lease is held."""
        query = (
            update(delivery)
            .where(
                delivery.c.delivery_id == bindparam("the_delivery_id"),
                delivery.c.locked_by == bindparam("the_locked_by"),
                IS_PENDING,
            )
            .values(
                state=bindparam("state"),
                attempts=bindparam("attempts"),
                next_at=bindparam("next_at"),
                last_error=bindparam("last_error"),
                **_UNLOCKED,
            )
        )
        return self.compile(query)

    @cached_property
    def move_followers(self) -> Statement:
        """Set the time of what else waits for an upload's turn, so that it is not looked at before it."""
        query = (
            update(delivery)
            .where(
                delivery.c.upload_id == bindparam("the_upload_id"),
                delivery.c.sink == bindparam("the_sink"),
                delivery.c.locked_by.is_(None),
                IS_PENDING,
            )
            .values(next_at=bindparam("next_at"))
        )
        return self.compile(query)

    @cached_property
    def replay_delivery(self) -> Statement:
        """Make one dead delivery pending again."""
        query = update(delivery).where(IS_DEAD, delivery.c.delivery_id == bindparam("the_delivery_id"))
        return self.compile(self._revive(query))

    @cached_property
    def replay_dead(self) -> Statement:
        """Make the oldest so many dead deliveries of a sink pending again."""
        oldest = (
            select(delivery.c.delivery_id)
            .where(IS_DEAD, delivery.c.sink == bindparam("the_sink"))
            .order_by(delivery.c.delivery_id)
            .limit(bindparam("limit", type_=Integer))
            .offset(literal_column("0"))
        )
        return self.compile(self._revive(update(delivery).where(delivery.c.delivery_id.in_(oldest))))

    @cached_property
    def trim_delivered(self) -> Statement:
        """Delete so many of what was delivered and is older than an id; ids sort by time."""
        oldest = (
            select(delivery.c.delivery_id)
            .where(
                delivery.c.delivery_id < bindparam("before"),
                delivery.c.state == literal_column("'delivered'"),
            )
            .order_by(delivery.c.delivery_id)
            .limit(bindparam("limit", type_=Integer))
            .offset(literal_column("0"))
        )
        return self.compile(delete(delivery).where(delivery.c.delivery_id.in_(oldest)))

    @cached_property
    def insert_sink_unless(self) -> Statement:
        """Open a sink's row unless it is there."""
        return self.compile(self.insert_unless(sink), columns=("name",))

    @cached_property
    def disable_sink(self) -> Statement:
        """Stop a sink until it is enabled."""
        query = update(sink).where(sink.c.name == bindparam("the_name"), sink.c.disabled_at.is_(None))
        return self.compile(query, columns=("disabled_at", "reason"))

    @cached_property
    def enable_sink(self) -> Statement:
        """Let a sink have deliveries again, at once."""
        query = (
            update(sink)
            .where(sink.c.name == bindparam("the_name"))
            .values(disabled_at=null(), reason=null(), resume_at=null())
        )
        return self.compile(query)

    @cached_property
    def pause_sink(self) -> Statement:
        """Leave a sink alone until a time."""
        query = update(sink).where(sink.c.name == bindparam("the_name"))
        return self.compile(query, columns=("resume_at",))

    @staticmethod
    def _revive(query: Update) -> Update:
        return query.values(
            state=literal_column("'pending'"),
            attempts=literal_column("0"),
            next_at=bindparam("next_at"),
            **_UNLOCKED,
        )
