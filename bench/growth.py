"""Issuing and callbacks on ledgers of a thousand to a million uploads, beside a bare view in the same rounds.

What lies there already is as a year leaves it: nearly all uploaded and delivered, some expired, a history of two lines each.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine, text

from bench import rounds
from bench.aims import Row
from bench.callbacks import ISSUER, SUBJECTS
from bench.cores import Cores
from bench.databases import PostgresqlServer
from bench.rounds import Tell
from bench.stage import DATABASES, Stage
from bench.workplace import CLAIMS_PROFILE

SMALLEST, LARGEST = 1_000, 1_000_000
STORED_MS = 1_767_000_000_000
_AT_ONCE = 100_000
_ID = "'01A0000' || CAST(1000000000000000000 + n AS TEXT)"
_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT CAST(:first AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < CAST(:last AS BIGINT))"
FILL = (
    f"""
INSERT INTO upload (upload_id, profile, subject, issuer, via, bucket, object_key, file_name, content_type, size_min,
                    size_max, variables, quota_key, quota_period, created_at, expires_at, state, size, etag,
                    uploaded_at, arrived_via, reply, changed_at)
{_NUMBERS}
SELECT {_ID}, '{CLAIMS_PROFILE}', 'user-' || CAST(n % {SUBJECTS} AS TEXT), '{ISSUER}', 'post', 'demo-bucket',
       'photos/user-' || CAST(n % {SUBJECTS} AS TEXT) || '/2025-12-29/' || CAST(n AS TEXT) || '.jpg',
       'a photograph.jpg', 'image/jpeg', 1, 20000000, '{{}}',
       '{ISSUER}:user-' || CAST(n % {SUBJECTS} AS TEXT), '2025-12-29', CAST(:stored AS BIGINT), CAST(:stored AS BIGINT) + 300000,
       CASE WHEN n % 20 = 0 THEN 'expired' ELSE 'uploaded' END,
       1234567, '9E107D9D372BB6826BD81D3542A419D6', CAST(:stored AS BIGINT), 'callback', :reply, CAST(:stored AS BIGINT)
FROM numbers""",
    f"""
INSERT INTO history (upload_id, claim, at, via, facts)
{_NUMBERS}, claims(claim) AS (SELECT 'issued' UNION ALL SELECT 'uploaded')
SELECT {_ID}, claim, CAST(:stored AS BIGINT), 'callback', '{{}}' FROM numbers CROSS JOIN claims""",
    f"""
INSERT INTO delivery (delivery_id, upload_id, sink, type, step, body, state, attempts, next_at, created_at, delivered_at)
{_NUMBERS}
SELECT {_ID}, {_ID}, 'application', 'upload.uploaded', 2, '{{}}', 'delivered', 1,
       CAST(:stored AS BIGINT), CAST(:stored AS BIGINT), CAST(:stored AS BIGINT)
FROM numbers""",
)


def measure_growth(
    folder: Path,
    cores: Cores,
    postgresql: PostgresqlServer | None,
    times: int,
    count: int,
    tell: Tell,
    *,
    largest: int,
) -> list[Row]:
    """Return the lines of each size, for each database."""
    rows = []
    for kind in DATABASES:
        if kind == "postgresql" and postgresql is None:
            continue
        with Stage(folder / f"growth-{kind}", cores, postgresql, tell) as stage:
            stage.add_bare(count)
            size = SMALLEST
            while size <= largest:
                _add_size(stage, kind, size, times, count, tell)
                size *= 10
            rows += rounds.summarize_capacity(*stage.measure(times))
    return rows


def _add_size(stage: Stage, kind: str, size: int, times: int, count: int, tell: Tell) -> None:
    url = stage.create_database(kind, f"ledger-{size}")
    fill(url, size, tell)
    server = stage.start_ossgate(f"{kind}-{size}", url)
    label = f"{DATABASES[kind]}, {size:,} uploads"
    stage.add_issue(f"issue_{kind}_{size}", f"issue, ledger on {label}", server, count)
    stage.add_callbacks(
        f"callback_{kind}_{size}", f"callback with outbox on {label}", server, count,
        url=url, profile=CLAIMS_PROFILE, times=times,
    )  # fmt: skip


def fill(url: str, size: int, tell: Tell) -> None:
    """Put so many uploads of the past into a ledger."""
    engine = create_engine(url)
    values = {"stored": STORED_MS, "reply": b'{"Status":"OK"}' + b" " * 300}
    try:
        for first in range(0, size, _AT_ONCE):
            last = min(size, first + _AT_ONCE) - 1
            tell(f"filling a ledger: {last + 1:,} of {size:,} uploads")
            with engine.begin() as connection:
                for statement in FILL:
                    used = {name: value for name, value in values.items() if f":{name}" in statement}
                    connection.execute(text(statement), {**used, "first": first, "last": last})
        if engine.dialect.name == "postgresql":
            # As autovacuum would have done long ago.
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
    finally:
        engine.dispose()
