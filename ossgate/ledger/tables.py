"""The ledger's tables, in SQLAlchemy Core, for SQLite and PostgreSQL alike.

Times are milliseconds since the epoch in UTC, ids come from the caller (no sequences, so that a distributed engine
can hold the tables), JSON is text that only we read.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    literal_column,
)

# The newest migration; a test compares it with the migrations' own head. Kept here, so that
# nothing but an upgrade has to import Alembic.
HEAD_REVISION = "0003"

# Ids sort by their bytes; PostgreSQL would otherwise sort them by the rules of a language.
Id = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

upload = Table(
    "upload",
    metadata,
    Column("upload_id", Id, primary_key=True),
    Column("profile", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("dialect", Text),
    Column("bucket", Text, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size_min", BigInteger, nullable=False),
    Column("size_max", BigInteger, nullable=False),
    Column("variables", Text, nullable=False),
    Column("quota_key", Text, nullable=False),
    # "" when no quota counts this upload, "ever", or the UTC day of issue.
    Column("quota_period", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("size", BigInteger),
    Column("etag", Text),
    Column("crc64", Text),
    Column("uploaded_at", BigInteger),
    Column("arrived_via", Text),
    Column("reply", LargeBinary),
    Column("changed_at", BigInteger, nullable=False),
    # Of uploads in parts alone.
    Column("multipart_upload_id", Text),
    Column("part_size", BigInteger),
)

IS_ISSUED = upload.c.state == literal_column("'issued'")

# Only rows still issued are in it, so it stays as small as what is pending.
Index(
    "ix_upload_overdue",
    upload.c.quota_key,
    upload.c.profile,
    upload.c.quota_period,
    upload.c.expires_at,
    sqlite_where=IS_ISSUED,
    postgresql_where=IS_ISSUED,
)

# Append-only. The primary key is the claim that makes each change happen once.
history = Table(
    "history",
    metadata,
    Column("upload_id", Id, ForeignKey("upload.upload_id"), primary_key=True),
    Column("claim", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("via", Text),
    Column("facts", Text, nullable=False),
    sqlite_with_rowid=False,
)

quota = Table(
    "quota",
    metadata,
    Column("quota_key", Text, primary_key=True),
    Column("profile", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("pending_uploads", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

refusal = Table(
    "refusal",
    metadata,
    Column("refusal_id", Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("layer", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("upload_id", Text),
    Column("raw_target", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("remote_addr", Text, nullable=False),
)

# The outbox: one row for each change and each sink that hears of it, written with the change. It refers to no upload,
# since what the application has not been told yet must outlive the upload's own row.
delivery = Table(
    "delivery",
    metadata,
    Column("delivery_id", Id, primary_key=True),
    Column("upload_id", Id, nullable=False),
    Column("sink", Text, nullable=False),
    Column("type", Text, nullable=False),
    # Where the change stands in an upload's life: it orders deliveries whatever the clocks of the nodes say.
    Column("step", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    # pending, delivered or dead
    Column("state", Text, nullable=False, server_default="pending"),
    Column("attempts", BigInteger, nullable=False, server_default="0"),
    # While a deliverer has it, the end of its lease, so that the index of what is due holds nothing else.
    Column("next_at", BigInteger, nullable=False),
    Column("locked_until", BigInteger),
    Column("locked_by", Text),
    Column("last_error", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("delivered_at", BigInteger),
)

IS_PENDING = delivery.c.state == literal_column("'pending'")
IS_DEAD = delivery.c.state == literal_column("'dead'")

Index("ix_delivery_upload", delivery.c.upload_id, delivery.c.sink)
Index(
    "ix_delivery_due",
    delivery.c.sink,
    delivery.c.next_at,
    sqlite_where=IS_PENDING,
    postgresql_where=IS_PENDING,
)
Index(
    "ix_delivery_dead",
    delivery.c.delivery_id,
    sqlite_where=IS_DEAD,
    postgresql_where=IS_DEAD,
)

# What is known of a sink beside its settings; one without a row is simply open.
sink = Table(
    "sink",
    metadata,
    Column("name", Text, primary_key=True),
    Column("disabled_at", BigInteger),
    Column("reason", Text),
    Column("resume_at", BigInteger),
    sqlite_with_rowid=False,
)
