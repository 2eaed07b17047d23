"""`ossgate inbox`, on callbacks of a local OSS: each verdict listed, shown without its secrets, and replayed through today's code."""

import json
import os
import re
import secrets
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from ossgate.cli import main
from ossgate.inbox_commands import FAILED, INTERRUPTED, LEFT, WRONG
from ossgate.ledger import CallbackFilter

SERVER = os.environ.get("OSSGATE_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


@contextmanager
def make_database(kind, folder):
    """Name a fresh database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'inbox.sqlite3'}"
        return
    name = f"ossgate_test_{secrets.token_hex(6)}"
    engine = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield engine.url.set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


class Inbox:
    """A running set-up, and the command beside it."""

    def __init__(self, world, folder):
        self.world, self.folder = world, folder

    def run(self, *arguments):
        environ = {"OSSGATE_CONFIG": str(self.folder / "ossgate.toml")}
        return CliRunner(env=environ).invoke(main, ["inbox", *arguments])

    def ask(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)

    def list_kept(self, **wanted):
        self.world.ledger.ping(timeout=5)
        return self.world.ledger.inbox.find_callbacks(CallbackFilter(**wanted))

    def upload(self):
        """Upload a file, and return its grant."""
        grant = self.world.ask()
        self.world.post(grant)
        return grant

    def lose(self, kept):
        """Make the ledger as it was before a callback, as if it could not have been recorded."""
        engine = create_engine(self.url)
        with engine.begin() as connection:
            for table in ("history", "delivery", "upload"):
                connection.execute(
                    text(f"DELETE FROM {table} WHERE upload_id = :id"), {"id": kept.judgement.upload_id}
                )
            connection.execute(
                text("UPDATE inbox SET verdict = 'unavailable', layer = 'ledger', code = 'ledger_busy'")
            )
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def inbox(request, make_world, tmp_path):
    with make_database(request.param, tmp_path) as url:

        def change(settings):
            return re.sub(r'(?m)^url = "sqlite:.*"$', f'url = "{url}"', settings)

        with make_world(change=change) as world:
            made = Inbox(world, tmp_path)
            made.url = url
            yield made


def test_every_verdict_is_listed_shown_and_replayed(inbox):
    """A believed callback, a repeat of it, one that is refused: found, shown, and judged anew, more than once."""
    grant = inbox.upload()
    (kept,) = inbox.list_kept()
    request = kept.request
    headers = {name: value for name, value in request.headers.items() if not name.startswith("user")}
    for body in (request.body, request.body + b" "):
        inbox.world.call("POST", request.raw_target.decode(), body, **headers)
    inbox.list_kept()
    listed = inbox.ask("list")["callbacks"]

    assert ["believed", "refused", "repeated"] == sorted(one["verdict"] for one in listed)
    assert {grant["upload_id"], None} == {one["upload_id"] for one in listed}
    for arguments, count in (
        (["--verdict", "refused"], 1),
        (["--upload", grant["upload_id"]], 2),
        (["--object-key", grant["object_key"]], 2),
        (["--object-key", grant["object_key"], "--verdict", "repeated"], 1),
        (["--object-key", "nosuch"], 0),
        (["--code", "callback_signature_invalid", "--layer", "signature"], 1),
        (["--remote-addr", "127.0.0.1", "--since", "1h"], 3),
        (["--until", "2020-01-01T00:00:00Z"], 0),
    ):
        assert count == len(inbox.ask("list", *arguments)["callbacks"]), arguments
    page = inbox.ask("list", "--limit", "2")
    rest = inbox.ask("list", "--limit", "2", "--before", page["next_before"])
    assert listed == page["callbacks"] + rest["callbacks"]
    assert rest["next_before"] is None

    shown, raw = inbox.run("show", request.callback_id), inbox.run("show", request.callback_id, "--raw")
    assert (0, 0) == (shown.exit_code, raw.exit_code)
    ticket, signature = json.loads(request.body)["ticket"], request.headers["authorization"]
    assert (False, False) == (ticket in shown.stdout, signature in shown.stdout)
    assert (True, True) == (ticket in raw.stdout, signature in raw.stdout)
    assert "authorization: [redacted]" in shown.stdout
    assert f"POST {request.raw_target.decode()} HTTP/1.1" in shown.stdout
    assert request.body.decode() == inbox.ask("show", request.callback_id, "--raw")["body"]

    for _ in range(2):
        answer = inbox.run("replay", "--all", "--apply", "--json")
        report = json.loads(answer.stdout)
        assert (LEFT, {"repeated": 2, "refused": 1}) == (answer.exit_code, report["counts"])
    assert ["issued", "uploaded"] == [
        one.claim for one in inbox.world.ledger.fetch_history(grant["upload_id"])
    ]


def test_what_the_ledger_could_not_record_is_recorded_by_a_replay(inbox):
    """A dry run changes nothing; what is applied goes through the callback's own step, once."""
    grant = inbox.upload()
    (kept,) = inbox.list_kept()
    inbox.lose(kept)
    dry = inbox.run("replay", "--verdict", "unavailable")
    before = inbox.world.ledger.fetch_upload(grant["upload_id"])
    applied = inbox.run("replay", kept.request.callback_id, "--apply")
    again = inbox.run("replay", kept.request.callback_id, "--apply")
    upload = inbox.world.ledger.fetch_upload(grant["upload_id"])

    assert (0, 0, 0) == (dry.exit_code, applied.exit_code, again.exit_code)
    assert "was unavailable ledger_busy, would be believed" in dry.stdout
    assert "nothing was changed" in dry.stdout
    assert before is None
    assert "is believed" in applied.stdout
    assert "is repeated" in again.stdout
    assert ("uploaded", "replay") == (upload.state, upload.arrived_via)


def test_replay_judges_with_todays_keys_and_the_clock_of_then(inbox):
    """A ticket that has expired since is judged as it was; one whose key was removed is refused, until the key is back."""
    inbox.upload()
    (kept,) = inbox.list_kept()
    inbox.lose(kept)
    engine = create_engine(inbox.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE inbox SET at = at + 86400000000"))
    late = inbox.run("replay", "--all")
    with engine.begin() as connection:
        connection.execute(text("UPDATE inbox SET at = at - 86400000000"))
    engine.dispose()
    key = inbox.folder / "secrets" / "ticket.key"
    old = key.read_text()
    key.write_text("n" * 43)
    rotated = inbox.run("replay", "--all")
    key.write_text(old)
    back = inbox.run("replay", "--all")

    assert (LEFT, LEFT, 0) == (late.exit_code, rotated.exit_code, back.exit_code)
    assert "would be refused ticket_expired" in late.stdout
    assert "would be refused ticket_refused" in rotated.stdout


def test_object_that_has_gone_is_refused_where_nothing_was_recorded(inbox):
    """The bucket is asked anew, and a refusal of today changes nothing."""
    inbox.upload()
    (kept,) = inbox.list_kept()
    inbox.lose(kept)
    for path in (inbox.folder / "emulator").rglob("*"):
        if path.is_file():
            path.unlink()
    answer = inbox.run("replay", "--all", "--apply")

    assert LEFT == answer.exit_code
    assert "is refused object_missing" in answer.stdout


def test_stopped_replay_ends_between_two_callbacks(inbox, monkeypatch):
    """With Ctrl-C: what was done is told, and the rest can be done again."""
    for _ in range(3):
        inbox.upload()
    inbox.list_kept()
    replay = "callback.replay.Replayer.replay"
    from callback.replay import Replayer

    original = Replayer.replay

    def stop(self, kept):
        os.kill(os.getpid(), 2)
        return original(self, kept)

    monkeypatch.setattr(replay, stop)
    answer = inbox.run("replay", "--all", "--json")

    assert INTERRUPTED == answer.exit_code
    report = json.loads(answer.stdout)
    assert (True, 1) == (report["interrupted"], len(report["callbacks"]))


WRONG_ARGUMENTS = [
    (["replay"], WRONG),
    (["replay", "--all", "--code", "x"], WRONG),
    (["replay", "01X", "--all"], WRONG),
    (["replay", "01X"], FAILED),
    (["show", "01X"], FAILED),
    (["show", "a\0b"], FAILED),
    (["list", "--since", "yesterday"], WRONG),
    (["list", "--verdict", "nosuch"], WRONG),
    (["list", "--limit", "0"], WRONG),
]


def test_wrong_arguments_are_told_in_a_sentence(inbox):
    """With the exit code that the help names, and no traceback."""
    for arguments, code in WRONG_ARGUMENTS:
        answer = inbox.run(*arguments)

        assert code == answer.exit_code, arguments
        assert "Traceback" not in answer.output
        assert answer.exception is None or isinstance(answer.exception, SystemExit)


def test_what_strangers_send_does_nothing_to_a_terminal(inbox):
    """Control characters are written out, whatever bytes came."""
    inbox.world.call(
        "POST", "/callback?x=%1b", b"\x1b[2J\xff\x00", Authorization="AAAA", x_oss_pub_key_url="AAAA"
    )
    (kept,) = inbox.list_kept()
    shown = inbox.run("show", kept.request.callback_id, "--raw").stdout

    assert "\\x1b[2J\\xff\\x00" in shown
    assert "\x1b" not in shown
