"""A commit counts when the server says that it was one."""

import contextlib

import pytest

from ossgate.ledger import Ledger, LedgerUnavailable
from ossgate.ledger.database import Database
from ossgate.ledger.session import Session
from ossgate.ledger.statements import Statements


@pytest.fixture
def session(postgresql_database):
    import psycopg

    url = postgresql_database.render_as_string(hide_password=False)
    ledger = Ledger(url)
    ledger.upgrade()
    ledger.close()
    database = Database(url, busy_timeout=5)
    made = Session(database, Statements(database.dialect))
    made.errors = psycopg.Error
    yield made
    made.close()
    database.dispose()


def test_rollback_in_place_of_a_commit(session):
    """After a statement that failed, PostgreSQL answers COMMIT with ROLLBACK, and that is no error of its own."""
    session.begin()
    with contextlib.suppress(session.errors):
        session.connection.execute("SELECT 1 / 0")
    session.commit()
    with pytest.raises(LedgerUnavailable, match="did not commit"):
        session.verify_committed()

    session.begin()
    session.commit()
    session.verify_committed()
