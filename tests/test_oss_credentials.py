"""The server's own credentials: files that are rewritten while it runs, and Alibaba's provider chain."""

import sys
import types
from types import SimpleNamespace

import pytest

from ossgate.oss_credentials import ChainCredentials, FileCredentials
from signer.credentials import Credentials, CredentialsUnavailable


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def events():
    return []


@pytest.fixture
def log(events):
    return lambda event, **facts: events.append((event, facts))


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / "id", tmp_path / "secret"]
    for path, text in zip(paths, ("id1", "secret1"), strict=True):
        path.write_text(text)
    return paths


@pytest.fixture
def credentials(files, clock, log):
    def read():
        key_id, secret = (path.read_text() for path in files)
        if not key_id or not secret:
            raise ValueError("an empty key")
        return Credentials(key_id, secret)

    return FileCredentials(read, files, log=log, clock=clock)


def test_pair_is_read_again_once_both_files_rest(files, clock, credentials, events):
    """Between the two writes the old pair is used, which a rotation leaves valid; never one half of each."""
    files[0].write_text("id2")
    clock.now += 1
    assert credentials() == Credentials("id1", "secret1")
    clock.now += 1.5
    files[1].write_text("secret2-longer")
    assert credentials() == Credentials("id1", "secret1")
    clock.now += 1.5
    assert credentials() == Credentials("id1", "secret1")
    clock.now += 1.5

    assert credentials() == Credentials("id2", "secret2-longer")
    assert events == [("credentials_changed", {"access_key_id": "id2"})]


def test_files_are_looked_at_once_a_second(files, clock, credentials, monkeypatch):
    """However many grants are signed."""
    looked = []
    kind = type(files[0])
    fine = kind.stat
    monkeypatch.setattr(kind, "stat", lambda self, **options: looked.append(self) or fine(self, **options))
    for _ in range(100):
        clock.now += 0.009
        credentials()
    assert looked == []
    clock.now += 0.2
    credentials()

    assert looked == files


def test_unreadable_change_leaves_the_old_pair(files, clock, credentials, events):
    """A file that is empty or gone is told once, and read when it is whole again."""
    files[1].unlink()
    for _ in range(6):
        clock.now += 1
        assert credentials() == Credentials("id1", "secret1")
    assert [event for event, _ in events] == ["credentials_unreadable"]
    files[1].write_text("secret3")
    for _ in range(4):
        clock.now += 1
        credentials()

    assert credentials() == Credentials("id1", "secret3")


@pytest.fixture
def chain(clock, log):
    """A chain whose answers a test writes: credentials, or an error."""
    answers, loaded = [], []

    class Client:
        def get_credential(self):
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    def load():
        loaded.append(1)
        return Client()

    made = ChainCredentials(log=log, clock=clock, load_client=load)
    return SimpleNamespace(ask=made, answers=answers, loaded=loaded)


def found(number, token="token"):
    return SimpleNamespace(access_key_id=f"id{number}", access_key_secret="secret", security_token=token)


def test_chain_is_loaded_on_first_use_and_asked_rarely(chain, clock):
    """Nothing is imported before the first signature, and the chain renews by itself."""
    assert chain.loaded == []
    chain.answers += [found(1), found(2, token="")]
    assert [chain.ask(), chain.ask()] == [Credentials("id1", "secret", "token")] * 2
    clock.now += 30

    assert chain.ask() == Credentials("id2", "secret", None)
    assert chain.loaded == [1]


def test_chain_without_credentials_is_told(chain, events):
    """There is nothing to sign with; the next request asks again."""
    chain.answers += [RuntimeError("no"), found(1)]
    with pytest.raises(CredentialsUnavailable):
        chain.ask()

    assert chain.ask().access_key_id == "id1"
    assert events == [("credentials_unavailable", {"reason": "RuntimeError"})]


def test_chain_that_fails_later_leaves_what_it_gave_for_a_while(chain, clock):
    """The metadata service may be away for a moment; what it gave last is good for some minutes more."""
    chain.answers += [found(1), RuntimeError("away"), found(1, token=None), RuntimeError("away")]
    chain.ask()
    clock.now += 31
    assert chain.ask().access_key_id == "id1"
    assert chain.ask().access_key_id == "id1"
    clock.now += 601
    with pytest.raises(CredentialsUnavailable):
        chain.ask()


def test_chain_that_gives_nothing_is_refused(chain):
    """Credentials without a key are none."""
    chain.answers.append(SimpleNamespace(access_key_id="", access_key_secret="", security_token=""))

    with pytest.raises(CredentialsUnavailable):
        chain.ask()


def test_library_is_the_official_one(clock, log, monkeypatch):
    """The client of alibabacloud-credentials is imported by its name, on first use."""
    module = types.ModuleType("alibabacloud_credentials.client")
    module.Client = lambda: SimpleNamespace(get_credential=lambda: found(7))
    monkeypatch.setitem(sys.modules, "alibabacloud_credentials", types.ModuleType("alibabacloud_credentials"))
    monkeypatch.setitem(sys.modules, "alibabacloud_credentials.client", module)

    assert ChainCredentials(log=log, clock=clock)().access_key_id == "id7"
