"""Remember how long an object is to stay, and find those whose days are over."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and their index; what stays for ever leaves them empty."""
    op.add_column("upload", sa.Column("keep_days", sa.BigInteger))
    op.add_column("upload", sa.Column("keep_until", sa.BigInteger))
    condition = sa.text("state = 'uploaded' AND keep_until IS NOT NULL")
    op.create_index(
        "ix_upload_kept",
        "upload",
        ["keep_until", "upload_id"],
        sqlite_where=condition,
        postgresql_where=condition,
    )
