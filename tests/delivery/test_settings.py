"""`[delivery]`: what loads, and every problem with its place and fix, all at once."""

import re

import pytest

from ossgate.assembly import assemble
from ossgate.delivery_settings import EventType
from ossgate.ledger import EVENT_TYPES
from ossgate.problems import SettingsInvalid
from ossgate.settings import load_settings

GOOD = """
[delivery]
source = "https://uploads.example.com"
[[delivery.webhooks]]
url = "https://app.example.com/hooks/uploads?key=hidden"
secret = "env:WEBHOOK_SECRET"
[[delivery.webhooks]]
name = "audit"
url = "https://audit.example.com/"
secret = ["env:WEBHOOK_SECRET", "env:WEBHOOK_SECRET"]
types = ["upload.deleted"]
profiles = ["photo"]
[[delivery.brokers]]
url = "amqp://broker.example.com//"
[[delivery.handlers]]
function = "json:dumps"
"""


@pytest.fixture
def load(write_settings, environ, tmp_path):
    """Assemble settings that end so."""

    def assemble_them(delivery, **variables):
        database = {"DATABASE_URL": f"sqlite:///{tmp_path}/ledger.sqlite3"}
        return assemble(load_settings(write_settings(delivery), {**environ, **database, **variables}))

    return assemble_them


@pytest.fixture
def describe(load):
    """The problems of settings that end so."""

    def describe_them(delivery, **variables):
        with pytest.raises(SettingsInvalid) as caught:
            load(delivery, **variables)
        return caught.value.describe()

    return describe_them


def test_types_are_those_of_the_ledger():
    """The settings know every type of event, and no other."""
    assert EventType.__args__ == tuple(sorted(EVENT_TYPES, key=EventType.__args__.index))


def test_without_delivery_nothing_is_told(load):
    """By default there is no sink, and the ledger's changes go nowhere."""
    parts = load("")

    assert parts.delivery.sinks == ()
    assert parts.delivery.routes("photo", "upload.uploaded") == ()
    assert parts.delivery.in_server


def test_sinks_and_routes(load):
    """Each table is a sink with a name of its own, without what its URL may hide, and hears of what it names."""
    parts = load(GOOD)

    names = ["app.example.com/hooks/uploads", "audit", "amqp:ossgate", "json:dumps"]
    assert [sink.name for sink in parts.delivery.sinks] == names
    assert parts.delivery.routes("photo", "upload.uploaded") == (names[0], names[2], names[3])
    assert parts.delivery.routes("photo", "upload.deleted") == tuple(names)


def test_all_problems_at_once(describe):
    """Everything that is wrong with all sinks is told in one answer, each with its line and its table."""
    described = describe(
        """
[[delivery.webhooks]]
url = "https://10.0.0.5/hook"
secret = "env:WEBHOOK_SECRET"
[[delivery.webhooks]]
url = "ftp://app.example.com/"
secret = ["env:WEBHOOK_SECRET", "env:NOBODY_SET_THIS"]
profiles = ["foto"]
[[delivery.webhooks]]
url = "https://app.example.com/"
secret = "env:SHORT"
types = ["upload.upload"]
[[delivery.brokers]]
url = "amqp://user:hidden@broker.example.com//"
[[delivery.brokers]]
name = "broker two"
url = "gopher://broker.example.com//"
timeout = 600
[[delivery.webhooks]]
url = "https://[::1/"
secret = "env:WEBHOOK_SECRET"
[[delivery.handlers]]
function = "nobodys_module:told"
[[delivery.handlers]]
function = "json:dumps"
name = "app.example.com"
""",
        SHORT="whsec_c2hvcnQ=",
    )

    for words in (
        r"line \d+, \[\[delivery\.webhooks\]\] \(number 1\) url: 10\.0\.0\.5 is not a public address",
        r"line \d+, \[\[delivery\.webhooks\]\] \(number 2\) url: is no URL that begins with https",
        r"\[\[delivery\.webhooks\]\] \(number 2\) secret: the environment variable NOBODY_SET_THIS is not set",
        r"\[\[delivery\.webhooks\]\] \(number 2\) profiles: there is no profile foto\n      fix: did you mean photo\?",
        r"\[\[delivery\.webhooks\]\] \(number 3\) secret: a secret has 5 bytes, not 24 to 64\n      fix: make one with",
        r"\[\[delivery\.webhooks\]\] \(number 3\) types: input should be",
        r"\[\[delivery\.webhooks\]\] \(number 4\) url: is no URL",
        r"\[\[delivery\.brokers\]\] \(number 1\) url: holds a password; write env:NAME",
        r"\[\[delivery\.brokers\]\] \(number 2\) url: 'gopher' is no broker",
        r"\[\[delivery\.brokers\]\] \(number 2\) name: cannot name a sink",
        r"\[\[delivery\.brokers\]\] \(number 2\) timeout: ",
        r"\[\[delivery\.handlers\]\] \(number 1\) function: the handler 'nobodys_module:told' cannot be imported",
        r"\[\[delivery\.handlers\]\] \(number 2\) name: another sink is called app\.example\.com",
    ):
        assert re.search(words, described), (words, described)
    assert "hidden" not in described


def test_problem_names_the_line_of_its_own_table(describe, tmp_path):
    """Of several tables of one kind the line is that of the wrong one."""
    described = describe(GOOD.replace("https://audit.example.com/", "https://127.0.0.1/"))

    (line,) = re.findall(r"line (\d+), \[\[delivery\.webhooks\]\] \(number 2\) url", described)
    text = (tmp_path / "ossgate.toml").read_text()
    assert text.splitlines()[int(line) - 1] == 'url = "https://127.0.0.1/"'


def test_misspelt_setting_of_a_sink(describe):
    """A misspelt name in a list of tables is told with what was meant."""
    described = describe(GOOD.replace("types =", "typs ="))

    assert re.search(
        r"\[\[delivery\.webhooks\]\] \(number 2\) typs: is no setting of ossgate\n      fix: did you mean types\?",
        described,
    )


def test_plain_http_needs_its_override(describe, load, write_settings):
    """A webhook without TLS is refused by name, and passes by name."""
    hook = '[[delivery.webhooks]]\nurl = "http://app.example.com/"\nsecret = "env:WEBHOOK_SECRET"\n'
    parts = load(hook)
    path = write_settings(hook)
    path.write_text(path.read_text().replace(', "http_webhook"', ""))

    assert "http_webhook" in parts.overridden
    with pytest.raises(SettingsInvalid, match="add http_webhook to allow_insecure"):
        assemble(load_settings(path, {}))


def test_sinks_from_the_environment(load, monkeypatch):
    """Lists of tables come from the environment as JSON, like any other value."""
    written = '[{"url": "https://app.example.com/hook", "secret": "env:WEBHOOK_SECRET"}]'

    monkeypatch.setenv("OSSGATE_DELIVERY__WEBHOOKS", written)

    parts = load("")

    assert [sink.name for sink in parts.delivery.sinks] == ["app.example.com/hook"]
