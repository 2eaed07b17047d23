"""Set-ups to be broken, on SQLite and on PostgreSQL, and the one check of what must hold afterwards."""

import os
import secrets
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy.engine import make_url

from tests.faults.checker import check
from tests.faults.databases import PostgresqlDatabase, SqliteDatabase, make_template, upgrade
from tests.faults.tally import Tally
from tests.faults.world import World

POSTGRESQL_VARIABLE = "OSSGATE_TEST_POSTGRESQL"
LOCAL_POSTGRESQL = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
TALLY = pytest.StashKey[Tally]()
FOLDER = Path(__file__).parent
LONGEST = 3600


def pytest_collection_modifyitems(items):
    """Give the long ones here the time that they take on a busy machine."""
    for item in items:
        if item.path.is_relative_to(FOLDER) and item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(LONGEST))


def pytest_terminal_summary(terminalreporter, config):
    """Say what was done to how many."""
    if TALLY in config.stash:
        terminalreporter.write_line(config.stash[TALLY].describe())


@pytest.fixture(scope="session")
def tally(pytestconfig):
    """The numbers of this run."""
    return pytestconfig.stash.setdefault(TALLY, Tally())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """An SQLite file whose tables are made and empty."""
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgresql_url():
    """A database of this session's own, with empty tables; skips where there is no server, and fails there when CI is set."""
    import psycopg

    server = make_url(os.environ.get(POSTGRESQL_VARIABLE, LOCAL_POSTGRESQL))
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    name = f"ossgate_faults_{secrets.token_hex(6)}"
    try:
        with psycopg.connect(plain, autocommit=True, connect_timeout=3) as connection:
            connection.execute(f"CREATE DATABASE {name}")
    except psycopg.OperationalError:
        reason = f"no PostgreSQL server at {server.host}:{server.port}; name one in {POSTGRESQL_VARIABLE}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    url = server.set(drivername="postgresql+psycopg", database=name)
    upgrade(url.render_as_string(hide_password=False))
    yield url
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """An empty ledger of each kind."""
    if request.param == "sqlite":
        found = SqliteDatabase(tmp_path, request.getfixturevalue("sqlite_template"))
    else:
        found = PostgresqlDatabase(request.getfixturevalue("postgresql_url"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def callback_key():
    """The emulator's key, made once."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.fixture
def make_world(tmp_path, database, callback_key, tally):
    """Build set-ups, whose servers are not yet started."""
    made = []

    def make(**options):
        made.append(World(tmp_path, database, callback_key=callback_key, tally=tally, **options))
        return made[-1]

    yield make
    for world in made:
        world.close()
        tally.add(world)


@pytest.fixture
def world(make_world):
    """A set-up whose server runs in this process."""
    return make_world().start()


@pytest.fixture(scope="session")
def check_all():
    """Check what must hold when all is up again."""
    return check
