"""kill -9 in the middle of an upload, an append, a deletion, a completion: old or new, never torn."""

import contextlib
import hashlib
import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ossgate.emulator.complete_multipart import choose_parts, describe_object
from ossgate.emulator.multipart_store import MultipartStore
from ossgate.emulator.object_errors import NO_SUCH_UPLOAD
from ossgate.emulator.object_metadata import APPENDABLE, MULTIPART, ObjectMetadata
from ossgate.emulator.store import ObjectStore

ROOT = Path(__file__).parents[2]
NOW_ARGUMENTS = [
    "--port",
    "0",
    "--bucket",
    "test-bucket",
    "--access-key-id",
    "test-key-id",
    "--log-format",
    "json",
]


class KilledError(BaseException):
    """Stands for the end of the process: nobody catches it, nothing is cleaned up."""


class Killer:
    """Ends the process at one of the steps that change the disk; from then on nothing changes any more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fatal_step: int) -> None:
        self.dead = False
        self._left = fatal_step
        for owner, name in (
            (os, "fsync"),
            (os, "copy_file_range"),
            (Path, "replace"),
            (Path, "unlink"),
            (Path, "rmdir"),
            (shutil, "rmtree"),
        ):
            if hasattr(owner, name):
                monkeypatch.setattr(owner, name, self._wrap(getattr(owner, name)))

    def _wrap(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            self.dead = self.dead or self._left == 0
            self._left -= 1
            if self.dead:
                raise KilledError
            return real(*arguments, **named)

        return step


def open_stores(folder: Path) -> tuple[ObjectStore, MultipartStore]:
    store = ObjectStore(folder)
    store.open()
    store.add_bucket("b")
    uploads = MultipartStore(store)
    uploads.open()
    store.clear_leftovers()
    return store, uploads


def describe(store: ObjectStore, data: bytes, kind: str) -> tuple[Any, ObjectMetadata]:
    staged = store.stage()
    staged.write(memoryview(data))
    staged.join()
    metadata = ObjectMetadata("b", "k", len(data), staged.etag, "", staged.crc64, "text/plain", 1.0)
    return staged, ObjectMetadata(**{**metadata.to_json(), "object_type": kind})


def read(store: ObjectStore) -> tuple[bytes, str, int] | None:
    opened = store.open_object("b", "k")
    if opened is None:
        return None
    metadata, file = opened
    with file:
        return file.read(), metadata.crc64, len(store.index("b"))


def run_killed(monkeypatch: pytest.MonkeyPatch, fatal_step: int, act: Callable[[], None]) -> bool:
    with monkeypatch.context() as patch:
        killer = Killer(patch, fatal_step)
        with contextlib.suppress(KilledError):
            act()
        return killer.dead


def count_survivors(folder: Path) -> list[str]:
    return [path.name for path in (folder / "uploads").iterdir()]


@pytest.mark.parametrize("fatal_step", range(12))
def test_append(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fatal_step: int) -> None:
    """An appended piece is there whole or not at all, its CRC with it."""
    store, _ = open_stores(tmp_path)
    staged, metadata = describe(store, b"first", APPENDABLE)
    with staged:
        old = store.append(staged, metadata, position=0)
    staged, metadata = describe(store, b"second", APPENDABLE)
    killed = run_killed(monkeypatch, fatal_step, lambda: store.append(staged, metadata, position=5) and None)
    staged._file.close()

    store, _ = open_stores(tmp_path)
    found = read(store)
    assert found is not None
    assert found in ((b"first", old.crc64, 1), (b"firstsecond", old.extend(metadata).crc64, 1))
    assert killed or found[0] == b"firstsecond"
    assert [] == count_survivors(tmp_path)


@pytest.mark.parametrize("kind", ["put", "append"])
def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """When the disk fails after the decision, the old object stays, now and at the next start."""
    store, _ = open_stores(tmp_path)
    staged, metadata = describe(store, b"first", APPENDABLE)
    with staged:
        store.append(staged, metadata, position=0)
    before = read(store)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    staged, metadata = describe(store, b"second", APPENDABLE)
    with monkeypatch.context() as patch, staged:
        patch.setattr("ossgate.emulator.store.move_file", fail)
        patch.setattr("ossgate.emulator.file_moves.copy_bytes", fail)
        act = {
            "put": lambda: store.commit(staged, metadata, forbid_overwrite=False),
            "append": lambda: store.append(staged, metadata, position=5),
        }[kind]
        with pytest.raises(OSError, match="No space"):
            act()

    assert before == read(store)
    store, _ = open_stores(tmp_path)
    assert before == read(store)


@pytest.mark.parametrize("fatal_step", range(10))
def test_delete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fatal_step: int) -> None:
    """A deleted object is there whole or gone."""
    store, _ = open_stores(tmp_path)
    staged, metadata = describe(store, b"data", "Normal")
    with staged:
        store.commit(staged, metadata, forbid_overwrite=False)
    killed = run_killed(monkeypatch, fatal_step, lambda: store.delete("b", "k") and None)

    store, _ = open_stores(tmp_path)
    found = read(store)
    assert found in (None, (b"data", metadata.crc64, 1))
    assert killed or found is None
    assert (found is None) == (0 == len(store.index("b")))
    assert found is not None or not (tmp_path / "buckets/b/objects").exists()
    assert [] == count_survivors(tmp_path)


@pytest.mark.parametrize("fatal_step", range(24))
def test_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fatal_step: int) -> None:
    """Before Complete is decided the upload is there with all its parts; after it, the object."""
    store, uploads = open_stores(tmp_path)
    staged, metadata = describe(store, b"old", "Normal")
    with staged:
        store.commit(staged, metadata, forbid_overwrite=False)
    planned = ObjectMetadata("b", "k", 0, "", "", "0", "text/plain", 1.0, object_type=MULTIPART)
    upload = uploads.create(planned, forbid_overwrite=False)
    pieces = [b"a" * 102_400, b"b" * 102_400, b"c"]
    for number, data in enumerate(pieces, 1):
        staged, _ = describe(store, data, "Normal")
        with staged:
            uploads.add_part(upload, number, staged)

    def complete() -> None:
        uploads.complete(
            upload,
            lambda parts: choose_parts(parts, None),
            lambda parts: describe_object(upload, parts, now=datetime(2030, 1, 1, tzinfo=UTC)),
            forbid_overwrite=False,
        )

    killed = run_killed(monkeypatch, fatal_step, complete)

    store, uploads = open_stores(tmp_path)
    found = read(store)
    assert found is not None
    assert found[0] in (b"old", b"".join(pieces))
    assert killed or found[0] != b"old"
    if found[0] == b"old":
        again = uploads.find("b", "k", upload.upload_id, missing=NO_SUCH_UPLOAD)
        assert [1, 2, 3] == [part.number for part in uploads.list_parts(again)]
    else:
        assert [] == uploads.list_uploads("b")
        assert [] == list((tmp_path / "multipart/b").iterdir())
    assert [] == count_survivors(tmp_path)


@contextlib.contextmanager
def run_emulator(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    command = [sys.executable, "-m", "ossgate.emulator", "--data-dir", str(folder), *NOW_ARGUMENTS]
    command += ["--access-key-secret", "test-key-secret"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield process, urlsplit(json.loads(process.stdout.readline())["url"]).port or 0
        finally:
            process.kill()


class Writer(threading.Thread):
    """Writes one way for as long as the emulator answers."""

    def __init__(self, client: Any, port: int, way: str) -> None:
        super().__init__()
        self.client = client
        self.port = port
        self.way = way
        self.written = 0

    def ask(self, method: str, query: dict[str, str], body: bytes = b"", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        signed = self.client.make_headers_v4(method, self.way, query=query, headers=named)
        target = f"/test-bucket/{self.way}?" + "&".join(f"{name}={value}" for name, value in query.items())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, body=body, headers=signed)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def run(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                getattr(self, f"write_{self.way}")(bytes([self.written % 256]))
                self.written += 1

    def write_put(self, letter: bytes) -> None:
        self.ask("PUT", {}, letter * 1_000_000)

    def write_append(self, letter: bytes) -> None:
        response, _ = self.ask("HEAD", {})
        position = response.headers["x-oss-next-append-position"] or "0"
        self.ask("POST", {"append": "", "position": position}, letter * 100_000)

    def write_multipart(self, letter: bytes) -> None:
        _, body = self.ask("POST", {"uploads": ""})
        upload_id = body.decode().split("<UploadId>")[1].split("<")[0]
        for number in (1, 2, 3):
            self.ask("PUT", {"partNumber": str(number), "uploadId": upload_id}, letter * 200_000)
        self.ask("POST", {"uploadId": upload_id}, x_oss_complete_all="yes")


@pytest.mark.parametrize("round_number", range(2))
def test_killed_for_real(client: Any, tmp_path: Path, round_number: int) -> None:
    """A process that is killed while everything is being written starts again with whole objects only."""
    folder = tmp_path / "killed"
    with run_emulator(folder) as (process, port):
        writers = [Writer(client, port, way) for way in ("put", "append", "multipart")]
        for writer in writers:
            writer.start()
        deadline = time.monotonic() + 20
        while min(writer.written for writer in writers) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(random.random() * 0.1)
        process.kill()
        process.wait()
        for writer in writers:
            writer.join()
    with run_emulator(folder) as (_, port):
        for way in ("put", "append", "multipart"):
            response, body = Writer(client, port, way).ask("GET", {})
            pieces = 100_000 if way == "append" else len(body)

            assert response.status == 200, way
            assert len(body) in {"put": (1_000_000,), "multipart": (600_000,)}.get(way, (len(body),)), way
            assert 0 == len(body) % pieces
            assert all(
                len(set(body[start : start + pieces])) == 1 for start in range(0, len(body), pieces)
            ), way
            if way == "put":
                assert hashlib.md5(body).hexdigest().upper() == response.headers["ETag"].strip('"')
    assert min(writer.written for writer in writers) >= 2
