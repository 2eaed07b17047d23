"""Objects on disk: whole or not at all."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ossgate.emulator.errors import OssError
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.staged_file import StagedFile
from ossgate.emulator.store import ObjectStore

Put = Callable[..., None]


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    """An empty store."""
    store = ObjectStore(tmp_path)
    store.open()
    store.add_bucket("b")
    return store


def put(store: ObjectStore, key: str, data: bytes, *, forbid_overwrite: bool = False) -> None:
    with store.stage() as staged:
        staged.write(memoryview(data))
        store.commit(staged, describe(staged, key), forbid_overwrite=forbid_overwrite)


def describe(staged: StagedFile, key: str) -> ObjectMetadata:
    return ObjectMetadata(
        "b", key, staged.size, staged.etag, staged.content_md5, staged.crc64, "text/plain", 0.0
    )


def read(store: ObjectStore, key: str) -> tuple[str, bytes] | None:
    opened = store.open_object("b", key)
    if opened is None:
        return None
    metadata, file = opened
    with file:
        return metadata.etag, file.read()


def test_layout_can_be_browsed(store: ObjectStore, tmp_path: Path) -> None:
    """The bytes lie as a plain file under their key, the metadata beside them as JSON."""
    put(store, "photos/cat.jpg", b"meow")
    metadata = json.loads((tmp_path / "buckets/b/metadata/photos/cat.jpg.json").read_text("utf-8"))

    assert b"meow" == (tmp_path / "buckets/b/objects/photos/cat.jpg").read_bytes()
    assert ("photos/cat.jpg", 4) == (metadata["object_key"], metadata["size"])
    assert [] == list((tmp_path / "uploads").iterdir())


def test_file_and_folder_of_one_name(store: ObjectStore) -> None:
    """An object may be called like another's folder."""
    for key in ("a", "a/b", "a/b/c", "a/"):
        put(store, key, key.encode())
    for key in ("a", "a/b", "a/b/c", "a/"):
        assert key.encode() == (read(store, key) or ("", b""))[1]
    assert read(store, "a/b/") is None


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("fatal_call", range(8))
def test_killed_anywhere_old_or_new(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fatal_call: int
) -> None:
    """Killed before any flush or rename, the next start shows the old object or the new, whole."""
    put(store, "a.txt", b"old")
    old = read(store, "a.txt")
    calls = iter(range(100))

    def kill_at(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if next(calls) == fatal_call:
                raise KilledError
            return real(*arguments)

        return call

    # A killed process cleans nothing up.
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    monkeypatch.setattr(os, "fsync", kill_at(os.fsync))
    monkeypatch.setattr(Path, "replace", kill_at(Path.replace))
    killed = False
    try:
        put(store, "a.txt", b"new")
    except KilledError:
        killed = True
    monkeypatch.undo()

    reopened = ObjectStore(tmp_path)
    reopened.open()
    reopened.clear_leftovers()
    found = read(reopened, "a.txt")
    new = ("22AF645D1859CB5CA6DA0C484F1F37EA", b"new")
    assert found in (old, new)
    assert killed or found == new
    assert [] == list((tmp_path / "uploads").iterdir())


def test_overwrite_is_refused_at_the_last_moment(store: ObjectStore) -> None:
    """Of two uploads that both found the key free, only one wins."""
    put(store, "a.txt", b"first", forbid_overwrite=True)

    with pytest.raises(OssError, match="FileAlreadyExists"):
        put(store, "a.txt", b"second", forbid_overwrite=True)
    assert b"first" == (read(store, "a.txt") or ("", b""))[1]


def test_edited_by_hand(store: ObjectStore, tmp_path: Path) -> None:
    """A file that a person changed is served as it is now; one that is gone is missing."""
    put(store, "a.txt", b"hello")
    path = tmp_path / "buckets/b/objects/a.txt"
    path.write_bytes(b"hello world")

    found = store.find("b", "a.txt")
    assert found is not None
    assert 11 == found.size
    path.unlink()
    assert store.find("b", "a.txt") is None
