"""Objects on disk: bytes as plain files, metadata beside them as JSON, switched together.

    data_dir/buckets/<bucket>/objects/<path>         the object's bytes
    data_dir/buckets/<bucket>/metadata/<path>.json   its key, ETag, type, headers
    data_dir/uploads/                                what is being received

A put writes both files under `uploads/`, flushes them, and renames the metadata to `<id>.json`: that rename is
the moment of commitment. The two files then move to their places. When the process dies in between, the next
start finds `<id>.json` and finishes the moves; whatever has no `<id>.json` was never committed and is removed.
So after kill -9 either the old object is there or the new one, whole. An append is committed by `<id>.append`,
a deletion by `<id>.gone`, and finished in the same way.
"""

import json
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ossgate.emulator.bucket_errors import BUCKET_NOT_EMPTY
from ossgate.emulator.errors import FILE_ALREADY_EXISTS, NO_SUCH_BUCKET, OssError
from ossgate.emulator.file_moves import (
    append_file,
    copy_bytes,
    flush_folder,
    make_folder,
    move_file,
    prune_folders,
    remove_file,
    write_json,
)
from ossgate.emulator.key_index import KeyIndex
from ossgate.emulator.object_errors import NOT_APPENDABLE, POSITION_NOT_EQUAL
from ossgate.emulator.object_metadata import APPENDABLE, ObjectMetadata
from ossgate.emulator.object_paths import map_key, read_key
from ossgate.emulator.recent_changes import RecentChanges
from ossgate.emulator.staged_file import StagedFile

_LOCK_STRIPES = 64


class ObjectStore:
    """Keeps the objects of all buckets under one folder.

    Args:
        data_dir: `open` makes it and its folders.
    """

    def __init__(self, data_dir: Path) -> None:
        root = data_dir.resolve()
        # Windows needs this prefix for paths of more than 260 characters.
        self.root = Path("\\\\?\\" + str(root)) if os.name == "nt" else root
        self._uploads = self.root / "uploads"
        self._locks = [threading.RLock() for _ in range(_LOCK_STRIPES)]
        self._indexes: dict[str, KeyIndex] = {}
        self.changes = RecentChanges()

    def open(self) -> None:
        """Make the folders and finish what a killed process had committed."""
        self._uploads.mkdir(parents=True, exist_ok=True)
        (self.root / "buckets").mkdir(exist_ok=True)
        for pattern, finish in (
            ("*.json", self._move_into_place),
            ("*.append", self._finish_append),
            ("*.gone", self._finish_removal),
        ):
            for committed in sorted(self._uploads.glob(pattern)):
                finish(committed, ObjectMetadata(**json.loads(committed.read_text("utf-8"))))

    def clear_leftovers(self) -> None:
        """Remove what a killed process was receiving."""
        for leftover in self._uploads.iterdir():
            leftover.unlink()

    def add_bucket(self, bucket: str) -> None:
        """Take a bucket in, with the objects that lie in its folder."""
        self._indexes[bucket] = KeyIndex(self._walk_keys(bucket))

    def drop_bucket(self, bucket: str) -> None:
        """Let a bucket go, unless it holds something.

        Raises:
            OssError: It is not empty.
        """
        with ExitStack() as locks:
            for lock in self._locks:
                locks.enter_context(lock)
            if len(self.index(bucket)):
                raise OssError(BUCKET_NOT_EMPTY, extras=[("BucketName", bucket)])
            del self._indexes[bucket]
            shutil.rmtree(self.root / "buckets" / bucket, ignore_errors=True)

    def index(self, bucket: str) -> KeyIndex:
        """Tell the keys of a bucket.

        Raises:
            OssError: The bucket is gone.
        """
        found = self._indexes.get(bucket)
        if found is None:
            raise OssError(NO_SUCH_BUCKET, extras=[("BucketName", bucket)])
        return found

    def stage(self) -> StagedFile:
        """Begin to receive an object's bytes; discard or commit the result."""
        return StagedFile(self._uploads / f"{secrets.token_hex(16)}.data")

    def staging_path(self, name: str) -> Path:
        """Tell where `commit_file` takes a finished file from."""
        return self._uploads / f"{name}.data"

    @contextmanager
    def stage_copy(self, file: BinaryIO, size: int) -> Iterator[Path]:
        """Copy the first bytes of an open file to where `commit_file` takes them from, for a `with` block."""
        path = self.staging_path(secrets.token_hex(16))
        try:
            with path.open("xb", buffering=0) as target:
                copy_bytes(file.fileno(), target.fileno(), 0, size)
                os.fsync(target.fileno())
            yield path
        finally:
            path.unlink(missing_ok=True)

    def commit(self, staged: StagedFile, metadata: ObjectMetadata, *, forbid_overwrite: bool) -> None:
        """Make a received object visible, all at once.

        Raises:
            OssError: The key is taken and may not be overwritten, or the bucket is gone.
        """
        staged.flush()
        self.commit_file(staged.path, metadata, forbid_overwrite=forbid_overwrite)

    def commit_file(self, path: Path, metadata: ObjectMetadata, *, forbid_overwrite: bool) -> None:
        """Make a complete file visible as an object.

        Raises:
            OssError: The key is taken and may not be overwritten, or the bucket is gone.
        """
        draft = path.with_suffix(".draft")
        try:
            write_json(draft, metadata.to_json())
            with self._lock_of(metadata.bucket, metadata.object_key):
                index = self.index(metadata.bucket)
                if forbid_overwrite and self._metadata_path(metadata.bucket, metadata.object_key).exists():
                    raise OssError(FILE_ALREADY_EXISTS)
                taken = index.find_from(metadata.object_key) == metadata.object_key
                before = self._read(metadata.bucket, metadata.object_key) if taken else None
                self._journal(draft, ".json")
                self._move_into_place(path.with_suffix(".json"), metadata)
                index.add(metadata.object_key)
                self.changes.record(metadata.bucket, metadata.object_key, before)
        finally:
            draft.unlink(missing_ok=True)

    def append(self, staged: StagedFile, metadata: ObjectMetadata, *, position: int) -> ObjectMetadata:
        """Lengthen an appendable object, or begin one.

        Args:
            metadata: Of a new object; of an old one only bytes, digests and time change.

        Raises:
            OssError: The object cannot be appended to, or is not as long as the position says.
        """
        staged.flush()
        draft = staged.path.with_suffix(".draft")
        try:
            with self._lock_of(metadata.bucket, metadata.object_key):
                index = self.index(metadata.bucket)
                old = self._read(metadata.bucket, metadata.object_key)
                self.check_position(old, position)
                new = metadata if old is None else old.extend(metadata)
                write_json(draft, new.to_json())
                if old is None:
                    self._journal(draft, ".json")
                    self._move_into_place(staged.path.with_suffix(".json"), new)
                    index.add(metadata.object_key)
                else:
                    self._journal(draft, ".append")
                    self._finish_append(staged.path.with_suffix(".append"), new)
                self.changes.record(metadata.bucket, metadata.object_key, old)
        finally:
            draft.unlink(missing_ok=True)
        return new

    @staticmethod
    def check_position(old: ObjectMetadata | None, position: int) -> None:
        """Refuse an append that does not begin where the object ends.

        Raises:
            OssError: The object is of another type, or has another length.
        """
        if old is not None and old.object_type != APPENDABLE:
            raise OssError(NOT_APPENDABLE)
        size = 0 if old is None else old.size
        if position != size:
            raise OssError(POSITION_NOT_EQUAL, headers=[("x-oss-next-append-position", str(size))])

    def change(self, metadata: ObjectMetadata) -> None:
        """Write an object's metadata anew; its bytes stay. The caller holds `locked`."""
        path = self._metadata_path(metadata.bucket, metadata.object_key)
        draft = self._uploads / f"{secrets.token_hex(16)}.draft"
        write_json(draft, metadata.to_json())
        move_file(draft, path)

    def locked(self, bucket: str, object_key: str) -> threading.RLock:
        """Hold an object still for a `with` block."""
        return self._lock_of(bucket, object_key)

    def delete(self, bucket: str, object_key: str) -> ObjectMetadata | None:
        """Remove an object; tells what it was, None when there was none."""
        with self._lock_of(bucket, object_key):
            index = self.index(bucket)
            metadata = self._read(bucket, object_key)
            gone = self._uploads / f"{secrets.token_hex(16)}.gone"
            try:
                self._metadata_path(bucket, object_key).replace(gone)
            except (FileNotFoundError, NotADirectoryError):
                return None
            index.discard(object_key)
            self.changes.record(bucket, object_key, metadata)
            if metadata is not None:
                self._finish_removal(gone, metadata)
            gone.unlink(missing_ok=True)
            return metadata

    def measure(self, bucket: str) -> tuple[int, int]:
        """Count a bucket's objects and their bytes.

        Raises:
            OssError: The bucket is gone.
        """
        count = len(self.index(bucket))
        files = (self.root / "buckets" / bucket / "objects").rglob("*")
        return count, sum(path.stat().st_size for path in files if path.is_file())

    def exists(self, bucket: str, object_key: str) -> bool:
        """Tell whether an object is there."""
        return self.find(bucket, object_key) is not None

    def find(self, bucket: str, object_key: str) -> ObjectMetadata | None:
        """Read an object's metadata; None when there is no such object."""
        with self._lock_of(bucket, object_key):
            return self._read(bucket, object_key)

    def open_object(self, bucket: str, object_key: str) -> tuple[ObjectMetadata, BinaryIO] | None:
        """Open an object for reading; a later overwrite does not disturb the reader."""
        with self._lock_of(bucket, object_key):
            metadata = self._read(bucket, object_key)
            if metadata is None:
                return None
            return metadata, self.data_path(bucket, object_key).open("rb")

    def data_path(self, bucket: str, object_key: str) -> Path:
        """Tell where an object's bytes lie."""
        return self.root / "buckets" / bucket / "objects" / map_key(object_key)

    def _metadata_path(self, bucket: str, object_key: str) -> Path:
        relative = map_key(object_key)
        return self.root / "buckets" / bucket / "metadata" / relative.with_name(relative.name + ".json")

    def _read(self, bucket: str, object_key: str) -> ObjectMetadata | None:
        try:
            text = self._metadata_path(bucket, object_key).read_text("utf-8")
            size = self.data_path(bucket, object_key).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        # A person may have edited the file: what is there now is what is served.
        return replace(ObjectMetadata(**json.loads(text)), size=size)

    def _journal(self, draft: Path, suffix: str) -> None:
        draft.replace(draft.with_suffix(suffix))
        flush_folder(self._uploads)

    def _move_into_place(self, committed: Path, metadata: ObjectMetadata) -> None:
        data = committed.with_suffix(".data")
        metadata_path = self._metadata_path(metadata.bucket, metadata.object_key)
        try:
            make_folder(metadata_path.parent)
            if data.exists():
                move_file(data, self.data_path(metadata.bucket, metadata.object_key))
        except OSError:
            # A full disk, say: nothing has been switched, and nothing must be at the next start.
            committed.unlink(missing_ok=True)
            raise
        move_file(committed, metadata_path)

    def _finish_append(self, committed: Path, metadata: ObjectMetadata) -> None:
        data = committed.with_suffix(".data")
        target = self.data_path(metadata.bucket, metadata.object_key)
        # Done again from the start of the piece, whatever a killed process had written of it.
        start = metadata.size - data.stat().st_size
        try:
            append_file(data, target, start)
            move_file(committed, self._metadata_path(metadata.bucket, metadata.object_key))
        except OSError:
            os.truncate(target, start)
            committed.unlink(missing_ok=True)
            raise

    def _finish_removal(self, gone: Path, metadata: ObjectMetadata) -> None:
        data = self.data_path(metadata.bucket, metadata.object_key)
        remove_file(data)
        top = self.root / "buckets" / metadata.bucket
        prune_folders(data.parent, top)
        prune_folders(self._metadata_path(metadata.bucket, metadata.object_key).parent, top)
        gone.unlink()

    def _walk_keys(self, bucket: str) -> Iterator[str]:
        top = self.root / "buckets" / bucket / "metadata"
        folders = [(str(top), "")]
        while folders:
            folder, inside = folders.pop()
            try:
                entries = list(os.scandir(folder))
            except FileNotFoundError:
                continue
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, f"{inside}{entry.name}/"))
                elif entry.name.endswith(".json"):
                    relative = PurePosixPath(inside + entry.name.removesuffix(".json"))
                    key = read_key(relative)
                    yield (
                        json.loads(Path(entry.path).read_text("utf-8"))["object_key"] if key is None else key
                    )

    def _lock_of(self, bucket: str, object_key: str) -> threading.RLock:
        return self._locks[hash((bucket, object_key)) % _LOCK_STRIPES]
