"""Add the outbox: delivery, sink."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_Id = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "delivery",
        sa.Column("delivery_id", _Id, nullable=False),
        sa.Column("upload_id", _Id, nullable=False),
        sa.Column("sink", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.Text, server_default="pending", nullable=False),
        sa.Column("attempts", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("locked_until", sa.BigInteger),
        sa.Column("locked_by", sa.Text),
        sa.Column("last_error", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_delivery"),
    )
    op.create_index("ix_delivery_upload", "delivery", ["upload_id", "sink"])
    for name, columns, state in (
        ("ix_delivery_due", ["sink", "next_at"], "pending"),
        ("ix_delivery_dead", ["delivery_id"], "dead"),
    ):
        condition = sa.text(f"state = '{state}'")
        op.create_index(name, "delivery", columns, sqlite_where=condition, postgresql_where=condition)
    op.create_table(
        "sink",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("disabled_at", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("resume_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", name="pk_sink"),
        sqlite_with_rowid=False,
    )
