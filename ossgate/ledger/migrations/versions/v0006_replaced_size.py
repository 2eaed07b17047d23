"""Remember how large what replaced an upload is, which its account counts in the place of what arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; uploads that nothing replaced leave it empty."""
    op.add_column("upload", sa.Column("replaced_size", sa.BigInteger))
