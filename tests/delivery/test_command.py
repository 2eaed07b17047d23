"""`ossgate deliver`: what operators see and do, and how it ends."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from ossgate.cli import main
from ossgate.delivery.signatures import WebhookSigner

HANDLER = '\n[[delivery.handlers]]\nname = "hooks"\nfunction = "{module}:told"\n'
MODULE = """
def told(event):
    if {fails}:
        raise ValueError("no room")
"""


@pytest.fixture
def run(write_settings, environ, url, tmp_path, monkeypatch):
    """Run `ossgate deliver` on the test's database with one handler, which fails or not."""
    numbers = iter(range(100))

    def invoke(*arguments, fails=False):
        module = f"handlers_of_the_test_{next(numbers)}_{abs(hash(str(tmp_path)))}"
        (tmp_path / f"{module}.py").write_text(MODULE.format(fails=fails))
        monkeypatch.syspath_prepend(tmp_path)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("OSSGATE_CONFIG", str(write_settings(HANDLER.format(module=module))))
        return CliRunner().invoke(main, ["deliver", *arguments])

    return invoke


@pytest.fixture
def bury(ledger, now):
    """Let what is due be given up."""

    def bury_due():
        claimed = ledger.outbox.claim_deliveries(
            {"hooks": 100}, locked_by="test", lease=timedelta(minutes=1), now=now
        )
        for each in claimed:
            ledger.outbox.bury_delivery(each, error="no room", now=now)
        return [each.delivery_id for each in claimed]

    return bury_due


def test_once_delivers_and_reports(run, ledger, arrive):
    """With --once what is due is delivered, counted, and the exit code is 0; the standard output holds the report alone."""
    for _ in range(3):
        arrive(ledger)
    first, second = run("--once", "--json"), run("--once")

    assert (first.exit_code, json.loads(first.stdout)) == (0, {"delivered": 3})
    assert (second.exit_code, second.stdout) == (0, "0 delivered\n")


def test_once_that_fails(run, ledger, arrive):
    """What was not delivered is counted, told on the standard error, and makes the exit code 1."""
    arrive(ledger)
    result = run("--once", "--json", fails=True)

    assert (result.exit_code, json.loads(result.stdout)) == (1, {"retried": 1})
    assert json.loads(result.stderr)["reason"] == "the function raised ValueError: no room"


def test_list_shows_sinks(run, ledger, arrive, bury, now):
    """Every sink is listed with what waits and what was given up, disabled ones with the reason."""
    arrive(ledger)
    bury()
    arrive(ledger)
    ledger.outbox.disable_sink("hooks", reason="answered 410", now=now)
    ledger.outbox.disable_sink("old one", reason="answered 410", now=now)

    shown, as_json = run("list"), run("list", "--json")

    assert shown.stdout == (
        "hooks: 1 waiting, 1 given up; disabled since 2026-01-02T03:04:05Z: answered 410\n"
        "old one: 0 waiting, 0 given up; disabled since 2026-01-02T03:04:05Z: answered 410; not in the settings any more\n"
    )
    sinks = json.loads(as_json.stdout)["sinks"]
    assert [(each["sink"], each["pending"], each["in_settings"]) for each in sinks] == [
        ("hooks", 1, True),
        ("old one", 0, False),
    ]


def test_list_shows_deliveries(run, ledger, arrive):
    """What waits for a sink, and what an upload's sinks were told."""
    upload = arrive(ledger)
    run("--once", fails=True)

    waiting = run("list", "--sink", "hooks")
    (told,) = json.loads(run("list", "--upload", upload.upload_id, "--json").stdout)["deliveries"]

    assert f"upload.uploaded  {upload.upload_id}  hooks  pending, attempts: 1, next at 20" in waiting.stdout
    assert "    the function raised ValueError: no room\n" in waiting.stdout
    assert (told["state"], told["last_error"]) == ("pending", "the function raised ValueError: no room")
    assert run("list", "--sink", "nobody").stdout == "nothing\n"


def test_dead_and_replay(run, ledger, arrive, bury):
    """What was given up is listed, replayed by id, and delivered under it."""
    arrive(ledger)
    arrive(ledger)
    ids = bury()
    dead = json.loads(run("dead", "--json").stdout)["deliveries"]
    one = run("replay", ids[0], "--json")
    again = run("replay", ids[0])
    rest = run("replay", "--all")
    delivered = run("--once", "--json")

    assert {each["delivery_id"] for each in dead} == set(ids)
    assert json.loads(one.stdout) == {"replayed": 1}
    assert (again.exit_code, "1 of the ids are of nothing that was given up" in again.stderr) == (1, True)
    assert rest.stdout == "1 will be delivered again\n"
    assert json.loads(delivered.stdout) == {"delivered": 2}
    assert run("dead").stdout == "nothing\n"


def test_replay_of_a_sink(run, ledger, arrive, bury):
    """Of one sink everything can be replayed, of others nothing happens."""
    arrive(ledger)
    bury()

    assert run("replay", "--sink", "another").stdout == "0 will be delivered again\n"
    assert run("replay", "--sink", "hooks").stdout == "1 will be delivered again\n"


@pytest.mark.parametrize("arguments", [(), ("dl_1", "--all"), ("--all", "--sink", "hooks")])
def test_replay_needs_one_choice(run, arguments):
    """Neither nothing nor two things at once are replayed."""
    result = run("replay", *arguments)

    assert result.exit_code == 2
    assert "name the ids of deliveries, or --sink NAME, or --all" in result.stderr


def test_enable(run, ledger, arrive, now):
    """A disabled sink is enabled by name; a name that nobody knows is refused."""
    arrive(ledger)
    ledger.outbox.disable_sink("hooks", reason="answered 410", now=now)
    before = run("--once", "--json")
    enabled = run("enable", "hooks")
    after = run("--once", "--json")
    unknown = run("enable", "nobody")

    assert json.loads(before.stdout) == {}
    assert (enabled.exit_code, json.loads(after.stdout)) == (0, {"delivered": 1})
    assert (unknown.exit_code, "there is no sink nobody" in unknown.stderr) == (2, True)


def test_without_sinks(write_settings, environ, url, monkeypatch):
    """Where nobody is named there is nothing to run."""
    for name, value in {**environ, "DATABASE_URL": url, "OSSGATE_CONFIG": str(write_settings(""))}.items():
        monkeypatch.setenv(name, value)

    result = CliRunner().invoke(main, ["deliver"])

    assert result.exit_code == 2
    assert "name nobody to deliver to" in result.stderr


def test_without_tables(write_settings, environ, tmp_path, monkeypatch):
    """A ledger that was never upgraded is one sentence and exit code 1."""
    settings = write_settings(HANDLER.format(module="json").replace(":told", ":dumps"))
    variables = {
        **environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/none.sqlite3",
        "OSSGATE_CONFIG": str(settings),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    result = CliRunner().invoke(main, ["deliver", "--once"])

    assert result.exit_code == 1
    assert "run `ossgate db upgrade`" in result.stderr


def test_new_webhook_secret(tmp_path):
    """`ossgate keys new --kind webhook` makes a secret that signs."""
    shown = CliRunner().invoke(main, ["keys", "new", "--kind", "webhook"]).stdout.strip()
    written = CliRunner().invoke(main, ["keys", "new", "--kind", "webhook", "--to", str(tmp_path / "hook")])

    assert WebhookSigner([shown, (tmp_path / "hook").read_text().strip()])
    assert "at secret of a [[delivery.webhooks]]" in written.stdout
