"""Remember OSS's id of an upload in parts, and how large its parts are."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; uploads of another kind leave them empty."""
    op.add_column("upload", sa.Column("multipart_upload_id", sa.Text))
    op.add_column("upload", sa.Column("part_size", sa.BigInteger))
