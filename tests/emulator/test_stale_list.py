"""Listings as the bucket was a while ago."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.emulator.key_index import KeyIndex
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.recent_changes import MAX_CHANGES, RecentChanges, StaleKeys


def make_metadata(key: str, size: int = 0) -> ObjectMetadata:
    return ObjectMetadata("b", key, size, "E", "", "0", "text/plain", 0.0)


def list_all(keys: StaleKeys) -> list[str]:
    """Walk over all keys in both ways, which must agree."""
    found = []
    key = keys.find_from("")
    while key is not None:
        found.append(key)
        assert key == keys.find_from(key)
        key = keys.find_after(key)
    return found


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=30), st.integers(0, 30))
def test_state_is_that_of_the_moment(steps: list[tuple[str, bool]], then: int) -> None:
    """Whatever is written and deleted, the keys of any moment can be listed afterwards."""
    moment = 0.0
    changes = RecentChanges(clock=lambda: moment)
    index, now = KeyIndex(), dict[str, ObjectMetadata]()
    states: list[dict[str, ObjectMetadata]] = [{}]
    for number, (key, written) in enumerate(steps):
        moment = number + 1
        changes.record("b", key, now.get(key))
        if written:
            now[key] = make_metadata(key, number)
            index.add(key)
        else:
            now.pop(key, None)
            index.discard(key)
        states.append(dict(now))
    then = min(then, len(steps))
    moment = len(steps)
    state = changes.find_state("b", len(steps) - then)

    assert sorted(states[then]) == list_all(StaleKeys(index, state))
    assert {} == changes.find_state("other", 1000)


def test_changes_are_bounded() -> None:
    """The newest twenty thousand changes are kept."""
    changes = RecentChanges()
    for number in range(MAX_CHANGES + 10):
        changes.record("b", str(number), None)

    assert MAX_CHANGES == len(changes.find_state("b", 3600))


def list_keys(client: Any, **query: str) -> list[str]:
    body = client.send("GET", query=query).body.decode()
    return [part.partition("</Key>")[0] for part in body.split("<Key>")[1:]]


@pytest.mark.parametrize("version", [{}, {"list-type": "2"}])
def test_stale_list(client: Any, version: dict[str, str]) -> None:
    """What came, went and changed since is not told, until the fault is removed; reads tell the truth."""
    for key in ("kept", "changed", "gone"):
        client.put(key, b"old")
    changes = client.emulator._server.app.store.changes
    # A minute passes.
    for change in list(changes._changes):
        object.__setattr__(change, "moment", change.moment - 60)
    client.put("new")
    client.put("changed", b"newer")
    client.delete("gone")
    assert ["changed", "kept", "new"] == list_keys(client, **version)
    rule = {"on": "list", "action": "stale", "seconds": 30}
    client.request("POST", "/_emulator/faults", body=json.dumps(rule).encode())
    stale = client.send("GET", query=version).body.decode()

    assert ["changed", "gone", "kept"] == list_keys(client, **version)
    assert "<Size>5</Size>" not in stale
    assert ["gone"] == list_keys(client, prefix="g", **version)
    assert (404, 200) == (client.head("gone").status, client.head("new").status)
    client.request("DELETE", "/_emulator/faults")
    assert ["changed", "kept", "new"] == list_keys(client, **version)


def test_writers_and_a_stale_listing(start_emulator: Callable[..., Any]) -> None:
    """While objects are written, a stale listing stays as it was."""
    client = start_emulator()
    client.put("old")
    changes = client.emulator._server.app.store.changes
    changes._changes.clear()
    client.request("POST", "/_emulator/faults", body=b'"list.stale=3600"')
    threads = [threading.Thread(target=client.put, args=(f"new-{number}",)) for number in range(10)]
    for thread in threads:
        thread.start()
    seen = [list_keys(client) for _ in range(5)]
    for thread in threads:
        thread.join()

    assert [["old"]] * 5 == seen
