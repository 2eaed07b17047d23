"""One world on each database, shared by all: what is refused leaves nothing behind."""

import os
import secrets
from contextlib import closing

import pytest
from sqlalchemy.engine import make_url

from tests.bad_input.world import World

POSTGRESQL_VARIABLE = "OSSGATE_TEST_POSTGRESQL"
LOCAL_POSTGRESQL = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


@pytest.fixture(scope="module")
def postgresql_url():
    """A database of this module's own; skips where there is no server, and fails there when CI is set."""
    import psycopg

    server = make_url(os.environ.get(POSTGRESQL_VARIABLE, LOCAL_POSTGRESQL))
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    name = f"ossgate_bad_input_{secrets.token_hex(6)}"
    try:
        with psycopg.connect(plain, autocommit=True, connect_timeout=3) as connection:
            connection.execute(f"CREATE DATABASE {name}")
    except psycopg.OperationalError:
        reason = f"no PostgreSQL server at {server.host}:{server.port}; name one in {POSTGRESQL_VARIABLE}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield server.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def sqlite_world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad-input")
    with closing(World(folder, f"sqlite:///{folder / 'ledger.sqlite3'}")) as running:
        yield running


@pytest.fixture(scope="module")
def postgresql_world(postgresql_url, tmp_path_factory):
    with closing(World(tmp_path_factory.mktemp("bad-input"), postgresql_url)) as running:
        yield running


@pytest.fixture
def world(request):
    """The world on the database that the test names, by default SQLite; its log is listened to."""
    running = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_world")
    with running.listening():
        yield running
