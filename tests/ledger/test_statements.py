"""The compiled statements: every search that the writer makes is by an index."""

from collections.abc import Callable
from contextlib import closing

import pytest

from ossgate.ledger.database import Database
from ossgate.ledger.statements import UPLOAD_COLUMNS, Statement, Statements

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
}


@pytest.mark.parametrize("name", QUERIES)
def test_statement_uses_an_index(url: str, name: str) -> None:
    """No statement of the writer reads a whole table."""
    database = Database(url, busy_timeout=5.0)
    statement, parameters = QUERIES[name](Statements(database.dialect))
    with closing(database.connect_writer()) as connection:
        if database.is_sqlite:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", parameters).fetchall()
            # To find the oldest that is kept, the index of refusals is walked along, not the table.
            scans = [row[3] for row in plan if row[3].startswith("SCAN") and "COVERING INDEX" not in row[3]]
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
