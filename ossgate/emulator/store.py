"""Objects on disk: bytes as plain files, metadata beside them as JSON, switched together.

    data_dir/buckets/<bucket>/objects/<path>         the object's bytes
    data_dir/buckets/<bucket>/metadata/<path>.json   its key, ETag, type, headers
    data_dir/uploads/                                what is being received

A put writes both files under `uploads/`, flushes them, and renames the metadata to `<id>.json`: that rename is
the moment of commitment. The two files then move to their places. When the process dies in between, the next
start finds `<id>.json` and finishes the moves; whatever has no `<id>.json` was never committed and is removed.
So after kill -9 either the old object is there or the new one, whole.
"""

import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from ossgate.emulator.errors import FILE_ALREADY_EXISTS, OssError
from ossgate.emulator.object_paths import map_key
from ossgate.emulator.staged_file import StagedFile

_LOCK_STRIPES = 64
_REPLACE_TRIES = 20


@dataclass(frozen=True, slots=True)
class ObjectMetadata:
    """What is known of an object beside its bytes.

    Args:
        etag: MD5 of the bytes in upper-case hex, without quotes.
        content_md5: The same, base64.
        crc64: CRC-64/XZ as a decimal number.
        modified: Seconds since the epoch.
        http_headers: Cache-Control and its like, answered as they were given.
        user_metadata: `x-oss-meta-*` by full lower-case name.
        acl: "default" means the bucket's.
    """

    bucket: str
    object_key: str
    size: int
    etag: str
    content_md5: str
    crc64: str
    content_type: str
    modified: float
    http_headers: dict[str, str] = field(default_factory=dict)
    user_metadata: dict[str, str] = field(default_factory=dict)
    acl: str = "default"
    storage_class: str = "Standard"
    object_type: str = "Normal"


class ObjectStore:
    """Keeps the objects of all buckets under one folder."""

    def __init__(self, data_dir: Path) -> None:
        root = data_dir.resolve()
        # Windows needs this prefix for paths of more than 260 characters.
        self._root = Path("\\\\?\\" + str(root)) if os.name == "nt" else root
        self._uploads = self._root / "uploads"
        self._locks = [threading.Lock() for _ in range(_LOCK_STRIPES)]

    def open(self) -> None:
        """Make the folders and finish or clear what a killed process left behind."""
        self._uploads.mkdir(parents=True, exist_ok=True)
        (self._root / "buckets").mkdir(exist_ok=True)
        for committed in sorted(self._uploads.glob("*.json")):
            metadata = ObjectMetadata(**json.loads(committed.read_text("utf-8")))
            self._move_into_place(committed, metadata)
        for leftover in self._uploads.iterdir():
            leftover.unlink()

    def stage(self) -> StagedFile:
        """Begin to receive an object's bytes; discard or commit the result."""
        return StagedFile(self._uploads / f"{secrets.token_hex(16)}.data")

    def commit(self, staged: StagedFile, metadata: ObjectMetadata, *, forbid_overwrite: bool) -> None:
        """Make a received object visible, all at once.

        Raises:
            OssError: The key is taken and may not be overwritten.
        """
        staged.flush()
        draft = staged.path.with_suffix(".draft")
        try:
            with draft.open("w", encoding="utf-8") as file:
                json.dump(asdict(metadata), file, ensure_ascii=False, indent=1)
                file.flush()
                os.fsync(file.fileno())
            with self._lock_of(metadata.bucket, metadata.object_key):
                if forbid_overwrite and self._metadata_path(metadata.bucket, metadata.object_key).exists():
                    raise OssError(FILE_ALREADY_EXISTS)
                committed = staged.path.with_suffix(".json")
                draft.replace(committed)
                _flush_folder(self._uploads)
                self._move_into_place(committed, metadata)
        finally:
            draft.unlink(missing_ok=True)

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
        return self._root / "buckets" / bucket / "objects" / map_key(object_key)

    def _metadata_path(self, bucket: str, object_key: str) -> Path:
        relative = map_key(object_key)
        return self._root / "buckets" / bucket / "metadata" / relative.with_name(relative.name + ".json")

    def _read(self, bucket: str, object_key: str) -> ObjectMetadata | None:
        try:
            text = self._metadata_path(bucket, object_key).read_text("utf-8")
            size = self.data_path(bucket, object_key).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        # A person may have edited the file: what is there now is what is served.
        return ObjectMetadata(**{**json.loads(text), "size": size})

    def _move_into_place(self, committed: Path, metadata: ObjectMetadata) -> None:
        data = committed.with_suffix(".data")
        data_path = self.data_path(metadata.bucket, metadata.object_key)
        metadata_path = self._metadata_path(metadata.bucket, metadata.object_key)
        data_path.parent.mkdir(parents=True, exist_ok=True)
        metadata_path.parent.mkdir(parents=True, exist_ok=True)
        if data.exists():
            _retry(lambda: data.replace(data_path))
        _retry(lambda: committed.replace(metadata_path))

    def _lock_of(self, bucket: str, object_key: str) -> threading.Lock:
        return self._locks[hash((bucket, object_key)) % _LOCK_STRIPES]


def _retry(move: Callable[[], object]) -> None:
    # Windows refuses to replace a file while somebody reads it.
    for attempt in range(_REPLACE_TRIES):
        try:
            move()
        except PermissionError:
            if os.name != "nt" or attempt == _REPLACE_TRIES - 1:
                raise
            time.sleep(0.05)
        else:
            return


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
