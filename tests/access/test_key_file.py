"""The file of API keys that commands own: written whole, read again when it changes."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from ossgate.access import ApiKey, hash_api_key
from ossgate.access.key_file import KeyFile, KeyFileBroken, add_key, read_key_file, revoke_key

HASH = hash_api_key("x")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "secrets" / "api-keys.toml"


@pytest.fixture
def make_file(path):
    """Make a reader whose clock a test moves, and whose events it sees."""

    def make(*fixed):
        now, events = [0.0], []
        file = KeyFile(path, fixed, log=lambda event, **facts: events.append(event), clock=lambda: now[0])

        def names(after=1.0):
            now[0] += after
            return [key.name for key in file.list_keys()]

        return names, events

    return make


def test_added_keys_are_read_and_revoked_ones_are_gone(path):
    """What was added is what is read, in its order; the file is its owner's alone."""
    add_key(path, ApiKey("shop", HASH))
    add_key(path, ApiKey("support", HASH, operator=True))
    assert [ApiKey("shop", HASH), ApiKey("support", HASH, operator=True)] == read_key_file(path)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)

    assert revoke_key(path, "shop")
    assert not revoke_key(path, "shop")
    assert ["support"] == [key.name for key in read_key_file(path)]
    assert {path.name, f".{path.name}.lock"} == {file.name for file in path.parent.iterdir()}


def test_a_name_is_given_once(path):
    """A key that stands is never replaced by another of its name."""
    add_key(path, ApiKey("shop", HASH))
    with pytest.raises(FileExistsError):
        add_key(path, ApiKey("shop", hash_api_key("y")))
    assert [ApiKey("shop", HASH)] == read_key_file(path)


def test_a_file_that_is_not_there_holds_no_keys(path):
    """Who has made no key needs no file."""
    assert [] == read_key_file(path)
    assert not revoke_key(path, "shop")
    assert not path.parent.exists()


def test_commands_at_the_same_time_lose_nothing(path):
    """Sixteen keys that are added at once are sixteen keys."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: add_key(path, ApiKey(f"k{number}", HASH)), range(16)))

    assert {f"k{number}" for number in range(16)} == {key.name for key in read_key_file(path)}


@pytest.mark.parametrize(
    "text",
    ["x", "[shop]", "[shop]\nhash = 7", "[shop]\nhash = 'sha256:x'", f"[shop]\nhash = '{HASH}'\noperator = 'yes'", "shop = 7",
     f"['a b']\nhash = '{HASH}'", f"[a.b]\nhash = '{HASH}'"],
)  # fmt: skip
def test_another_file_is_refused_and_left_alone(path, text):
    """A file of something else stops the start, and no command overwrites it."""
    path.parent.mkdir()
    path.write_text(text)
    for attempt in (
        read_key_file,
        lambda file: add_key(file, ApiKey("k", HASH)),
        lambda file: revoke_key(file, "k"),
    ):
        with pytest.raises(KeyFileBroken):
            attempt(path)
    assert text == path.read_text()


def test_a_file_that_is_no_text_is_refused(path):
    """Neither bytes nor a folder are keys."""
    path.parent.mkdir()
    path.write_bytes(b"\xff")
    with pytest.raises(KeyFileBroken, match="UTF-8"):
        read_key_file(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(KeyFileBroken, match="cannot read"):
        read_key_file(path)


def test_a_running_server_sees_changes(path, make_file):
    """A key that is added or revoked counts within a second, beside those of the settings."""
    names, events = make_file(ApiKey("fixed", HASH))
    assert ["fixed"] == names()
    add_key(path, ApiKey("shop", HASH))

    assert ["fixed"] == names(0.5)
    assert ["fixed", "shop"] == names(0.6)
    revoke_key(path, "shop")
    assert ["fixed"] == names()
    assert [] == events


def test_a_running_server_survives_a_broken_file(path, make_file):
    """Half a line that somebody saved locks no backend out; it is told once, and what follows counts."""
    add_key(path, ApiKey("shop", HASH))
    names, events = make_file()
    path.write_text("[shop")

    assert ["shop"] == names()
    assert ["shop"] == names()
    assert ["api_keys_broken"] == events
    path.unlink()
    assert [] == names()


def test_a_running_server_believes_no_file_that_others_may_write(path, make_file):
    """Keys that somebody else may have put there do not count; those before go on, and it is told."""
    add_key(path, ApiKey("shop", HASH))
    names, events = make_file()
    add_key(path, ApiKey("other", HASH))
    path.chmod(0o606)

    assert ["shop"] == names()
    assert ["api_keys_broken"] == events
    path.chmod(0o600)
    assert ["shop", "other"] == names()


def test_a_broken_file_stops_the_start(path, make_file):
    """At start, what cannot be read is a problem to be told."""
    path.parent.mkdir()
    path.write_text("x")
    with pytest.raises(KeyFileBroken):
        make_file()
