"""The compiled statements; that every search of theirs is by an index stands in `test_indexes.py`."""

from ossgate.ledger.database import Database
from ossgate.ledger.statements import Statements


def test_statement_is_compiled_once(url: str) -> None:
    """The same statement is the same object, whatever number of keys was asked for between."""
    made = Statements(Database(url, busy_timeout=5.0).dialect)

    assert made.select_uploads(4) is made.select_uploads(4)
    assert made.select_uploads(4) is not made.select_uploads(8)
    assert made.update_upload is made.update_upload
