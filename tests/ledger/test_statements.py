"""The compiled statements: every search that the writer makes is by an index."""

from collections.abc import Callable
from contextlib import closing

import pytest

from ossgate.ledger.compiler import Statement
from ossgate.ledger.database import Database
from ossgate.ledger.statements import UPLOAD_COLUMNS, Statements

OUTBOX_ROW: dict[str, object] = {
    **dict.fromkeys(
        ("sink", "upload_id", "delivery_id", "locked_by", "state", "last_error", "name", "before"), "a"
    ),
    **dict.fromkeys(("now", "limit", "attempts", "next_at", "locked_until", "delivered_at"), 1),
    **dict.fromkeys(("disabled_at", "resume_at"), 1),
    "reason": "a",
}
SWEEP_ROW: dict[str, object] = {
    **dict.fromkeys(
        ("name", "owner", "scope", "run_id", "upload_id",
         "below", "before", "cursor", "counts"), "a",
    ),
    **dict.fromkeys(("now", "until", "changed_at", "finished_at", "limit", "kept"), 1),
}  # fmt: skip
QUERIES: dict[str, Callable[[Statements], tuple[Statement, tuple[object, ...]]]] = {
    "uploads": lambda made: (made.select_uploads(2), ("a", "b")),
    "accounts": lambda made: (made.select_quotas(2), ("a", "b", "c", "d", "e", "f")),
    "overdue": lambda made: (made.select_overdue, ("a", "b", "ever", 1, 500)),
    "update of an upload": lambda made: (
        made.update_upload,
        made.update_upload.pick({**dict.fromkeys(UPLOAD_COLUMNS, None), "upload_id": "a"}),
    ),
    "update of an account": lambda made: (
        made.update_quota,
        made.update_quota.pick(
            {"pending_uploads": 1, "bytes": 1, "quota_key": "a", "profile": "b", "period": "c"}
        ),
    ),
    "trim of refusals": lambda made: (made.trim_refusals, (10_000,)),
    **{
        name.replace("_", " "): lambda made, name=name: (  # type: ignore[misc]
            getattr(made.outbox, name),
            getattr(made.outbox, name).pick(OUTBOX_ROW),
        )
        for name in (
            "select_due",
            "lock_delivery",
            "finish_delivery",
            "settle_delivery",
            "move_followers",
            "replay_delivery",
            "replay_dead",
            "trim_delivered",
            "disable_sink",
            "enable_sink",
            "pause_sink",
        )
    },
    **{
        name.replace("_", " "): lambda made, name=name: (  # type: ignore[misc]
            getattr(made.sweeps, name),
            getattr(made.sweeps, name).pick(SWEEP_ROW),
        )
        for name in (
            "take_lease",
            "keep_lease",
            "select_lease",
            "select_unfinished",
            "select_outdated",
            "update_run",
            "delete_history",
            "delete_upload",
            "prune_refusals",
            "prune_accounts",
            "prune_findings",
            "prune_runs",
        )
    },
}


@pytest.mark.parametrize("name", QUERIES)
def test_statement_uses_an_index(url: str, name: str) -> None:
    """No statement of the writer reads a whole table."""
    database = Database(url, busy_timeout=5.0)
    statement, parameters = QUERIES[name](Statements(database.dialect))
    with closing(database.connect_writer()) as connection:
        if database.is_sqlite:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", parameters).fetchall()
            # To find the oldest that is kept, the index of refusals is walked along, not the table; that of
            # dead deliveries and of unfinished runs holds nothing else.
            walked = ("COVERING INDEX", "INDEX ix_delivery_dead", "INDEX ix_reconcile_run_unfinished")
            scans = [
                row[3]
                for row in plan
                if row[3].startswith("SCAN") and not any(name in row[3] for name in walked)
            ]
        else:
            # Empty tables are always read whole, unless that is made dear.
            connection.execute("SET enable_seqscan TO off")
            plan = connection.execute(f"EXPLAIN {statement.sql}", parameters).fetchall()
            scans = [row[0] for row in plan if "Seq Scan" in row[0]]
    database.dispose()

    assert scans == []


def test_statement_is_compiled_once(url: str) -> None:
    """The same statement is the same object, whatever number of keys was asked for between."""
    made = Statements(Database(url, busy_timeout=5.0).dialect)

    assert made.select_uploads(4) is made.select_uploads(4)
    assert made.select_uploads(4) is not made.select_uploads(8)
    assert made.update_upload is made.update_upload
