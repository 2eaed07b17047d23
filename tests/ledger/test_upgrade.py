"""Migrations: from nothing, again, by several at once, and ending in the tables that the code expects."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from ossgate.ledger import (
    Arrival,
    CallbackFilter,
    Ledger,
    LedgerUnavailable,
    QuotaExceeded,
    QuotaLimit,
    SchemaOutdated,
)
from ossgate.ledger.tables import HEAD_REVISION, metadata
from ossgate.ledger.upgrade import MIGRATIONS

UPGRADE = """
import sys
from ossgate.ledger import Ledger
ledger = Ledger(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
ledger.upgrade()
ledger.ping(timeout=30)
ledger.close()
"""


AT = int(datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC).timestamp() * 1000)
FIRST_ROWS: dict[str, dict[str, Any]] = {
    "upload": {
        "upload_id": "01OLD", "profile": "photo", "subject": "alice", "issuer": "api_key:shop", "via": "post",
        "bucket": "demo-bucket", "object_key": "photos/a.jpg", "file_name": "猫.jpg", "content_type": "image/jpeg",
        "size_min": 0, "size_max": 1000, "variables": '{"album":"七月"}', "quota_key": "alice",
        "quota_period": "ever", "created_at": AT, "expires_at": AT + 1, "state": "issued", "changed_at": AT,
    },
    "history": {"upload_id": "01OLD", "claim": "issued", "at": AT, "facts": "{}"},
    "quota": {"quota_key": "alice", "profile": "photo", "period": "ever", "pending_uploads": 1, "bytes": 1000},
    "refusal": {
        "refusal_id": "01REF", "at": AT, "layer": "ticket", "code": "ticket_forged", "detail": "d",
        "raw_target": "/callback", "body": b"\x00body", "remote_addr": "192.0.2.7",
    },
}  # fmt: skip


def test_upgrade_when_empty(url: str) -> None:
    """The migrations end in the very tables of tables.py."""
    engine = create_engine(url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
        tables = set(inspect(connection).get_table_names())
    engine.dispose()

    assert differences == []
    assert tables == {
        "alembic_version", "upload", "history", "quota", "inbox", "delivery", "sink",
        "lease", "reconcile_run", "reconcile_finding",
    }  # fmt: skip


def test_upgrade_when_done_already(url: str) -> None:
    """A second upgrade finds nothing to do."""
    ledger = Ledger(url)
    ledger.upgrade()
    ledger.ping(timeout=5)
    ledger.close()


@pytest.fixture
def upgrade_to(empty_url: str) -> Iterator[Callable[[str], Engine]]:
    """Bring the database to one revision, as an older ossgate left it, and give its engine."""
    engine = create_engine(empty_url, poolclass=NullPool)

    def upgrade(revision: str) -> Engine:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
        return engine

    yield upgrade
    engine.dispose()


def test_upgrade_from_each_older_schema(
    empty_url: str, upgrade_to: Callable[[str], Engine], make_arrival: Callable[..., Arrival], now: datetime
) -> None:
    """What the first version has written is what the newest reads, whichever version stood between them."""
    engine = upgrade_to("0001")
    with engine.begin() as connection:
        for table, row in FIRST_ROWS.items():
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
    for number in range(2, int(HEAD_REVISION)):
        upgrade_to(f"{number:04d}")
    ledger = Ledger(empty_url, routes=lambda profile, event: ("hooks",))
    ledger.upgrade()
    before = ledger.fetch_upload("01OLD")
    assert before is not None
    outcome = ledger.record_arrival(make_arrival(before), now=now, timeout=5)
    history, refused = ledger.fetch_history("01OLD"), ledger.inbox.find_callbacks(CallbackFilter())
    listed = ledger.sweeps.list_by_key("demo-bucket")
    with pytest.raises(QuotaExceeded, match="bytes: 400 of 400 used"):
        ledger.require_room("alice", "photo", quota=QuotaLimit(bytes=400), size=1, now=now)
    ledger.close()

    assert ("issued", "猫.jpg", {"album": "七月"}, now) == (
        before.state, before.file_name, before.variables, before.created_at,
    )  # fmt: skip
    assert ("uploaded", 400) == (outcome.upload.state, outcome.upload.size)
    assert ["issued", "uploaded"] == [change.claim for change in history]
    assert [("01REF", "refused", "ticket_forged", b"\x00body", "headers")] == [
        (
            one.request.callback_id,
            one.judgement.verdict,
            one.judgement.code,
            one.request.body,
            one.request.cut,
        )
        for one in refused
    ]
    assert ["01OLD"] == [each.upload_id for each in listed]
    with engine.connect() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), metadata)


@pytest.mark.parametrize("first", [None, "0001"])
def test_upgrade_when_several_at_once(
    empty_url: str,
    upgrade_to: Callable[[str], Engine],
    start_program: Callable[..., subprocess.Popen[str]],
    first: str | None,
) -> None:
    """Five processes that upgrade a database at once, empty or old, all find it ready."""
    if first is not None:
        upgrade_to(first)
    programs = [start_program(UPGRADE, empty_url) for _ in range(5)]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()

    assert [program.wait() for program in programs] == [0] * 5


def test_upgrade_makes_the_folder(tmp_path: Path) -> None:
    """The parent folder of an SQLite file is made, whatever its name."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'a b%20?#' / '数据' / 'ledger.sqlite3'}".replace("?", "%3F"))
    ledger.upgrade()
    ledger.ping(timeout=5)
    ledger.close()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_upgrade_makes_files_for_their_owner_alone(tmp_path: Path) -> None:
    """Links, names and the tickets of refused callbacks are nothing for other accounts of the machine; the log beside it neither."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    ledger.upgrade()
    ledger.ping(timeout=5)
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    ledger.close()

    assert "ledger.sqlite3-wal" in modes
    assert set(modes.values()) == {0o600}


def test_upgrade_when_the_folder_cannot_be_made(tmp_path: Path) -> None:
    """A file in the way of the folder is told in a sentence."""
    (tmp_path / "file").write_text("")
    ledger = Ledger(f"sqlite:///{tmp_path / 'file' / 'ledger.sqlite3'}")

    with pytest.raises(LedgerUnavailable, match="folder"):
        ledger.upgrade()
    ledger.close()


def test_upgrade_when_the_server_is_gone() -> None:
    """A server that cannot be reached is our error, without its password."""
    ledger = Ledger("postgresql+psycopg://user:secret@127.0.0.1:1/none")

    with pytest.raises(LedgerUnavailable) as caught:
        ledger.upgrade()

    assert "secret" not in str(caught.value)
    ledger.close()


def test_schema_when_older_or_newer(url: str) -> None:
    """An older revision is refused; a newer one passes, so that nodes can be upgraded one by one."""
    for revision, passes in (("0000", False), ("9999", True)):
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
            )
        engine.dispose()
        ledger = Ledger(url)
        if passes:
            ledger.ping(timeout=5)
        else:
            with pytest.raises(SchemaOutdated, match=f"revision '{revision}'"):
                ledger.ping(timeout=5)
        ledger.close()


def test_indexes_of_a_part_of_the_rows_are_so_on_both_databases(url: str) -> None:
    """The tables say it for SQLite alone, and comparing them does not tell."""
    said = {
        index.name
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    engine = create_engine(url)
    with engine.connect() as connection:
        inspector = inspect(connection)
        found = {
            index["name"]
            for table in metadata.tables
            for index in inspector.get_indexes(table)
            if {"sqlite_where", "postgresql_where"} & set(index.get("dialect_options", {}))
        }
    engine.dispose()

    assert len(said) > 5
    assert said == found


def test_head_revision_is_the_migrations_head() -> None:
    """The constant that start-up compares with names the newest migration."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_current_head() == HEAD_REVISION


def test_alembic_is_not_imported_by_a_server() -> None:
    """Only an upgrade loads Alembic, nothing loads the ORM, and the other database's dialect waits until it is needed."""
    heavy = ("alembic", "sqlalchemy.orm", "sqlalchemy.dialects.postgresql", "psycopg")
    program = f"import sys, ossgate.app; print([name for name in {heavy} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert printed.stdout == "[]\n"
