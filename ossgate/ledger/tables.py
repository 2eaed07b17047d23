"""The ledger's tables, in SQLAlchemy Core, for SQLite and PostgreSQL alike.

Indexes of a part of the rows are so on both; for PostgreSQL the migrations alone say it, since to say it here would load its dialect, more
than two megabytes, into every server on SQLite.

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
    and_,
    literal_column,
)

# The newest migration; a test compares it with the migrations' own head. Kept here, so that
# nothing but an upgrade has to import Alembic.
HEAD_REVISION = "0007"

# Ids and object keys sort by their bytes, as OSS sorts; PostgreSQL would otherwise sort by the rules of a language.
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
    Column("bucket", Id, nullable=False),
    Column("object_key", Id, nullable=False),
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
    # Of uploads that do not stay for ever alone; the latter once they have arrived.
    Column("keep_days", BigInteger),
    Column("keep_until", BigInteger),
    # Bytes under the key, as they were last seen, once others than those that arrived stand there.
    Column("replaced_size", BigInteger),
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
)

IS_UPLOADED = upload.c.state == literal_column("'uploaded'")
IS_UNSETTLED = upload.c.state != literal_column("'uploaded'")
IS_KEPT_FOR_A_WHILE = and_(IS_UPLOADED, upload.c.keep_until.is_not(None))

# The bucket's own order, in which reconciliation walks both.
Index("ix_upload_object", upload.c.bucket, upload.c.object_key)
# Most uploads are uploaded, and stand in no index of states: the newest of them are soon found among all.
Index(
    "ix_upload_state",
    upload.c.state,
    upload.c.upload_id,
    sqlite_where=IS_UNSETTLED,
)
# What stays for ever is not in it.
Index(
    "ix_upload_kept",
    upload.c.keep_until,
    upload.c.upload_id,
    sqlite_where=IS_KEPT_FOR_A_WHILE,
)
Index("ix_upload_profile", upload.c.profile, upload.c.upload_id)
Index("ix_upload_subject", upload.c.subject, upload.c.upload_id)

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

IS_PERIODICAL = quota.c.period != literal_column("'ever'")

Index(
    "ix_quota_period",
    quota.c.period,
    sqlite_where=IS_PERIODICAL,
)

# Every callback as it came, with what was made of it. Bodies and targets are bytes, since strangers send anything; what is
# small stands before what is large, so that a search need not read the latter.
inbox = Table(
    "inbox",
    metadata,
    Column("callback_id", Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),
    # Both empty where nothing went wrong.
    Column("layer", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("upload_id", Text),
    Column("remote_addr", Text, nullable=False),
    Column("took_ms", BigInteger, nullable=False),
    Column("body_size", BigInteger, nullable=False),
    # What is not kept whole: target, headers or body; empty when all is, so that it can be replayed.
    Column("cut", Text, nullable=False),
    Column("raw_target", LargeBinary, nullable=False),
    # JSON in ASCII alone.
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

HAS_UPLOAD = inbox.c.upload_id.is_not(None)
HAS_LAYER = inbox.c.layer != literal_column("''")
HAS_CODE = inbox.c.code != literal_column("''")

# Each verdict has its own bound, so its oldest are found, too.
Index("ix_inbox_verdict", inbox.c.verdict, inbox.c.callback_id)
Index("ix_inbox_remote_addr", inbox.c.remote_addr, inbox.c.callback_id)
for _name, _column, _condition in (
    ("ix_inbox_upload", inbox.c.upload_id, HAS_UPLOAD),
    ("ix_inbox_layer", inbox.c.layer, HAS_LAYER),
    ("ix_inbox_code", inbox.c.code, HAS_CODE),
):
    Index(_name, _column, inbox.c.callback_id, sqlite_where=_condition)

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
)
Index(
    "ix_delivery_dead",
    delivery.c.delivery_id,
    sqlite_where=IS_DEAD,
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

# What only one process at a time may do, until its lease ends.
lease = Table(
    "lease",
    metadata,
    Column("name", Id, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# One walk over buckets and ledger: where it stands, so that it goes on there after a crash, and what it has found.
reconcile_run = Table(
    "reconcile_run",
    metadata,
    Column("run_id", Id, primary_key=True),
    # What is walked and how, as JSON; only a run of the same scope can be gone on with.
    Column("scope", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("cursor", Text, nullable=False),
    Column("counts", Text, nullable=False),
)

IS_UNFINISHED = reconcile_run.c.finished_at.is_(None)

Index(
    "ix_reconcile_run_unfinished",
    reconcile_run.c.run_id,
    sqlite_where=IS_UNFINISHED,
)

reconcile_finding = Table(
    "reconcile_finding",
    metadata,
    Column("run_id", Id, ForeignKey("reconcile_run.run_id"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("upload_id", Text),
    Column("detail", Text, nullable=False),
    sqlite_with_rowid=False,
)
