"""Let reconciliation walk uploads in the bucket's order and keep where it stands; index what operators filter by."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_Id = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Sort keys by their bytes, create indexes and tables."""
    if op.get_context().dialect.name == "postgresql":
        for column in ("bucket", "object_key"):
            op.alter_column("upload", column, type_=_Id, existing_type=sa.Text(), existing_nullable=False)
    op.create_index("ix_upload_object", "upload", ["bucket", "object_key"])
    op.create_index("ix_upload_profile", "upload", ["profile", "upload_id"])
    op.create_index("ix_upload_subject", "upload", ["subject", "upload_id"])
    for name, table, columns, condition in (
        ("ix_upload_state", "upload", ["state", "upload_id"], sa.text("state != 'uploaded'")),
        ("ix_quota_period", "quota", ["period"], sa.text("period != 'ever'")),
    ):
        op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
    op.create_table(
        "lease",
        sa.Column("name", _Id, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reconcile_run",
        sa.Column("run_id", _Id, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_reconcile_run"),
    )
    unfinished = sa.text("finished_at IS NULL")
    op.create_index(
        "ix_reconcile_run_unfinished",
        "reconcile_run",
        ["run_id"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_table(
        "reconcile_finding",
        sa.Column("run_id", _Id, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("object_key", sa.Text, nullable=False),
        sa.Column("upload_id", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_reconcile_finding"),
        sa.ForeignKeyConstraint(["run_id"], ["reconcile_run.run_id"], name="fk_reconcile_finding_run_id"),
        sqlite_with_rowid=False,
    )
