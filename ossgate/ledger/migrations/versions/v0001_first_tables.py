"""Make the first tables: upload, history, quota, refusal."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out rather than taken from tables.py: a migration must not change when the tables do.
_Id = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "upload",
        sa.Column("upload_id", _Id, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("dialect", sa.Text),
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("object_key", sa.Text, nullable=False),
        sa.Column("file_name", sa.Text, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("size_min", sa.BigInteger, nullable=False),
        sa.Column("size_max", sa.BigInteger, nullable=False),
        sa.Column("variables", sa.Text, nullable=False),
        sa.Column("quota_key", sa.Text, nullable=False),
        sa.Column("quota_period", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("etag", sa.Text),
        sa.Column("crc64", sa.Text),
        sa.Column("uploaded_at", sa.BigInteger),
        sa.Column("arrived_via", sa.Text),
        sa.Column("reply", sa.LargeBinary),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("upload_id", name="pk_upload"),
    )
    op.create_index(
        "ix_upload_overdue",
        "upload",
        ["quota_key", "profile", "quota_period", "expires_at"],
        sqlite_where=sa.text("state = 'issued'"),
        postgresql_where=sa.text("state = 'issued'"),
    )
    op.create_table(
        "history",
        sa.Column("upload_id", _Id, nullable=False),
        sa.Column("claim", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("via", sa.Text),
        sa.Column("facts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "claim", name="pk_history"),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.upload_id"], name="fk_history_upload_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quota",
        sa.Column("quota_key", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("pending_uploads", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("quota_key", "profile", "period", name="pk_quota"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refusal",
        sa.Column("refusal_id", _Id, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("layer", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("upload_id", sa.Text),
        sa.Column("raw_target", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("remote_addr", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("refusal_id", name="pk_refusal"),
    )
