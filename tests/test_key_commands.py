"""`ossgate keys`: made, listed and revoked, and what a running application makes of it."""

import json

import pytest
from click.testing import CliRunner

from ossgate.access import hash_api_key
from ossgate.access.key_file import read_key_file
from ossgate.cli import WRONG, main


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run commands in a folder as `ossgate init` leaves it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OSSGATE_CONFIG", raising=False)

    def invoke(*arguments):
        return CliRunner().invoke(main, list(arguments))

    assert invoke("init").exit_code == 0
    return invoke


def test_add_list_revoke(run, tmp_path):
    """A key is added and shown once, listed by its name, and revoked."""
    added = run("keys", "new", "--add", "--name", "shop", "--operator")
    key = next(line for line in added.output.splitlines() if line.startswith("ossgate_"))
    (stored,) = read_key_file(tmp_path / "secrets" / "api-keys.toml")

    assert ("shop", hash_api_key(key), True) == (stored.name, stored.hash, stored.operator)
    assert key not in (tmp_path / "secrets" / "api-keys.toml").read_text()
    listed = json.loads(run("keys", "list", "--json").output)["keys"]
    assert [("shop", True)] == [(one["name"], one["operator"]) for one in listed]
    assert "shop  (operator)" in run("keys", "list").output
    assert run("keys", "revoke", "shop").exit_code == 0
    assert "there are no API keys" in run("keys", "list").output


def test_keys_of_the_settings_are_listed_and_left_alone(run, tmp_path):
    """No command edits what people wrote; it names the line."""
    settings = tmp_path / "ossgate.toml"
    text = settings.read_text() + f'\n[access.api_keys.old]\nhash = "{hash_api_key("x")}"\n'
    settings.write_text(text)

    assert "old  ossgate.toml" in run("keys", "list").output
    refused = run("keys", "revoke", "old")
    assert WRONG == refused.exit_code
    line = text.splitlines().index("[access.api_keys.old]") + 1
    assert f"line {line}" in refused.output
    assert WRONG == run("keys", "new", "--add", "--name", "old").exit_code
    assert text == settings.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("revoke", "nosuch"), "there is no key nosuch"),
        (("new", "--name", "a b"), "cannot name a key"),
        (("new", "--name", "x" * 65), "cannot name a key"),
        (("new", "--add", "--name", "twice"), "there is a key twice already"),
    ],
)
def test_refusals_are_one_sentence(run, arguments, words):
    """What cannot be done is said in a sentence, with exit code 2."""
    run("keys", "new", "--add", "--name", "twice")
    refused = run("keys", *arguments)

    assert WRONG == refused.exit_code
    assert words in refused.output
    assert "Traceback" not in refused.output


def test_a_broken_file_is_said(run, tmp_path):
    """A file of something else is neither listed nor overwritten."""
    (tmp_path / "secrets" / "api-keys.toml").write_text("x")
    for arguments in (("list",), ("revoke", "k"), ("new", "--add")):
        refused = run("keys", *arguments)
        assert 1 == refused.exit_code
        assert "is not TOML" in refused.output


def test_without_a_file_nothing_is_added(run, monkeypatch):
    """Where the settings name no file, the table for the settings is the way."""
    monkeypatch.setenv("OSSGATE_ACCESS", '{"api_keys_file": ""}')
    refused = run("keys", "new", "--add")

    assert WRONG == refused.exit_code
    assert "api_keys_file is empty" in refused.output
