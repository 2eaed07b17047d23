"""Keep every callback in an inbox, of which the refusals become a part."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_Id = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TAKEN_OVER = (
    "refusal_id",
    "at",
    "layer",
    "code",
    "detail",
    "upload_id",
    "remote_addr",
    "body",
    "raw_target",
)


def upgrade() -> None:
    """Create the table and its indexes, take over the refusals and drop theirs.

    Of refusals no headers were kept, and bodies were cut without a word, so none of them can be replayed.
    """
    inbox = op.create_table(
        "inbox",
        sa.Column("callback_id", _Id, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("layer", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("upload_id", sa.Text),
        sa.Column("remote_addr", sa.Text, nullable=False),
        sa.Column("took_ms", sa.BigInteger, nullable=False),
        sa.Column("body_size", sa.BigInteger, nullable=False),
        sa.Column("cut", sa.Text, nullable=False),
        sa.Column("raw_target", sa.LargeBinary, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("callback_id", name="pk_inbox"),
    )
    is_sqlite = op.get_context().dialect.name == "sqlite"
    refusals = sa.table("refusal", *map(sa.column, _TAKEN_OVER))
    target = refusals.c.raw_target
    kept = sa.select(
        *(refusals.c[name] for name in _TAKEN_OVER if name != "raw_target"),
        sa.literal_column("'refused'"),
        sa.literal_column("0"),
        sa.func.length(refusals.c.body),
        sa.literal_column("'headers'"),
        sa.cast(target, sa.LargeBinary) if is_sqlite else sa.func.convert_to(target, "UTF8"),
        sa.literal_column("'{}'"),
    )
    names = [name for name in _TAKEN_OVER if name != "raw_target"]
    names[0] = "callback_id"
    names += ["verdict", "took_ms", "body_size", "cut", "raw_target", "headers"]
    op.execute(sa.insert(inbox).from_select(names, kept))
    for name, column, condition in (
        ("ix_inbox_verdict", "verdict", None),
        ("ix_inbox_remote_addr", "remote_addr", None),
        ("ix_inbox_upload", "upload_id", "upload_id IS NOT NULL"),
        ("ix_inbox_layer", "layer", "layer != ''"),
        ("ix_inbox_code", "code", "code != ''"),
    ):
        where = None if condition is None else sa.text(condition)
        op.create_index(name, "inbox", [column, "callback_id"], sqlite_where=where, postgresql_where=where)
    op.drop_table("refusal")
