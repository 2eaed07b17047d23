"""Deliveries, receivers and ledgers for the tests of delivery; those with a ledger run on SQLite and on PostgreSQL."""

import itertools
import os
import secrets
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL, make_url

from ossgate.delivery.deliverer import Deliverer
from ossgate.delivery.errors import DeliveryFailed
from ossgate.ledger import Arrival, Delivery, Ledger, NewUpload

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POSTGRESQL_VARIABLE = "OSSGATE_TEST_POSTGRESQL"
LOCAL_POSTGRESQL = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
BODY = (
    '{"type":"upload.uploaded","timestamp":"2026-01-02T03:04:05Z","data":{"upload_id":"01u","state":"uploaded",'
    '"profile":"photo","bucket":"demo-bucket","object_key":"photos/猫.jpg","size":400,"vars":{}}}'
)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def secret() -> str:
    """A webhook secret, as receivers' libraries read it."""
    return "whsec_" + b64encode(bytes(range(32))).decode()


@pytest.fixture
def make_delivery() -> Callable[..., Delivery]:
    """Build a claimed delivery, of which each test bends a part."""

    def make(**facts: Any) -> Delivery:
        given: dict[str, Any] = {
            "delivery_id": "dl_019b7ced5eae0000c0ffee",
            "upload_id": "01u",
            "sink": "hooks",
            "type": "upload.uploaded",
            "body": BODY,
            "state": "pending",
            "attempts": 1,
            "next_at": NOW + timedelta(minutes=1),
            "locked_until": NOW + timedelta(minutes=1),
            "locked_by": "one",
            "last_error": None,
            "created_at": NOW,
            "delivered_at": None,
        }
        return Delivery(**{**given, **facts})

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Name a database whose tables are made and empty."""
    if request.param == "sqlite":
        name = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
        upgrade(name)
        yield name
        return
    import psycopg

    server = make_url(os.environ.get(POSTGRESQL_VARIABLE, LOCAL_POSTGRESQL))
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    database = f"ossgate_test_{secrets.token_hex(6)}"
    try:
        with psycopg.connect(plain, autocommit=True, connect_timeout=3) as connection:
            connection.execute(f"CREATE DATABASE {database}")
    except psycopg.OperationalError:
        pytest.skip(f"no PostgreSQL server at {server.host}:{server.port}; name one in {POSTGRESQL_VARIABLE}")
    found: URL = server.set(drivername="postgresql+psycopg", database=database)
    upgrade(found.render_as_string(hide_password=False))
    yield found.render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database} WITH (FORCE)")


def upgrade(url: str) -> None:
    ledger = Ledger(url)
    ledger.upgrade()
    ledger.close()


@pytest.fixture
def make_ledger(url: str) -> Iterator[Callable[..., Ledger]]:
    """Open ledgers on the test's database and close them at its end."""
    ledgers: list[Ledger] = []

    def make(*sinks: str) -> Ledger:
        ledgers.append(Ledger(url, routes=lambda profile, event: sinks or ("hooks",)))
        return ledgers[-1]

    yield make
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def ledger(make_ledger: Callable[..., Ledger]) -> Ledger:
    """Open a ledger whose events all go to one sink, called hooks."""
    return make_ledger()


@pytest.fixture
def arrive() -> Callable[..., NewUpload]:
    """Record an upload that has arrived."""
    numbers = itertools.count(1)

    def record(ledger: Ledger, *, at: datetime = NOW, **facts: Any) -> NewUpload:
        upload_id = f"01u{next(numbers):05d}"
        given: dict[str, Any] = {
            "upload_id": upload_id,
            "profile": "photo",
            "subject": "alice",
            "issuer": "api_key:shop",
            "bucket": "demo-bucket",
            "object_key": f"photos/{upload_id}.jpg",
            "file_name": "猫.jpg",
            "content_type": "image/jpeg",
            "size_min": 0,
            "size_max": 1000,
            "created_at": NOW,
            "expires_at": NOW + timedelta(minutes=5),
        }
        new = NewUpload(**{**given, **facts})
        arrival = Arrival(
            upload=new,
            target="uploaded",
            size=400,
            etag="E",
            content_type="image/jpeg",
            via="callback",
            reply=b"{}",
        )
        ledger.record_arrival(arrival, now=at, timeout=30)
        return new

    return record


SETTINGS = """
allow_insecure = ["emulator_endpoint", "http_callback", "http_webhook"]
[oss]
region = "cn-hangzhou"
bucket = "demo-bucket"
endpoint = "http://127.0.0.1:9000"
[callback]
url = ["http://127.0.0.1:8000/callback"]
[keys]
ticket = ["env:TICKET_KEY"]
seal = ["env:SEAL_KEY"]
[database]
url = "env:DATABASE_URL"
[profiles.photo]
allow = ["api_key"]
content_types = ["image/jpeg"]
"""


@pytest.fixture
def environ(secret: str) -> dict[str, str]:
    """The secrets that the settings of these tests name."""
    return {
        "OSS_ACCESS_KEY_ID": "an-id",
        "OSS_ACCESS_KEY_SECRET": "a-secret",
        "TICKET_KEY": "t" * 43,
        "SEAL_KEY": "s" * 43,
        "WEBHOOK_SECRET": secret,
    }


@pytest.fixture
def write_settings(tmp_path: Path) -> Callable[..., Path]:
    """Write a settings file that ends in a delivery section of the test's own."""

    def write(delivery: str) -> Path:
        path = tmp_path / "ossgate.toml"
        path.write_text(SETTINGS + delivery, encoding="utf-8")
        return path

    return write


@pytest.fixture
def start_ossgate(
    write_settings: Callable[..., Path], environ: dict[str, str], url: str
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command ``ossgate`` on the test's database, and end it with the test."""
    programs: list[subprocess.Popen[str]] = []

    def start(delivery: str, *arguments: str) -> subprocess.Popen[str]:
        path = write_settings(delivery)
        programs.append(
            subprocess.Popen(
                [sys.executable, "-m", "ossgate", *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=path.parent,
                env={
                    **os.environ,
                    **environ,
                    "OSSGATE_CONFIG": str(path),
                    "DATABASE_URL": url,
                    "PYTHONPATH": str(ROOT),
                    "PYTHONUNBUFFERED": "1",
                },
            )
        )
        return programs[-1]

    yield start
    for program in programs:
        program.kill()
        program.communicate()


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


class ScriptedSink:
    """A sink that notes what it is told, and fails as the script says: one entry an attempt, then none."""

    def __init__(self, name: str = "hooks", *script: DeliveryFailed | None, concurrency: int = 1) -> None:
        self.name = name
        self.script = list(script)
        self.told: list[Delivery] = []
        self.concurrency = concurrency
        self.prefetch = 2 * concurrency
        self.timeout = 5.0

    def send(self, delivery: Delivery, *, now: datetime) -> None:
        self.told.append(delivery)
        failure = self.script.pop(0) if self.script else None
        if failure is not None:
            raise failure

    def close(self) -> None:
        pass


@pytest.fixture
def make_sink() -> Callable[..., ScriptedSink]:
    return ScriptedSink


class Log(list[tuple[str, dict[str, Any]]]):
    """Keeps the events of a deliverer."""

    def __call__(self, event: str, /, **facts: object) -> None:
        self.append((event, facts))

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def make_deliverer(clock: Clock, log: Log) -> Callable[..., Deliverer]:
    """Build a deliverer without jitter on the test's clock."""

    def make(ledger: Ledger, *sinks: Any, **options: Any) -> Deliverer:
        given = {"now": clock, "log": log, "random": lambda: 0.0, "idle_seconds": 0.02}
        return Deliverer(ledger.outbox, sinks, **{**given, **options})

    return make


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], None]:
    """Wait for another thread or process, briefly and not for ever."""

    def wait(holds: Callable[[], object], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.01)

    return wait
