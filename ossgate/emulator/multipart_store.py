"""Multipart uploads on disk.

    data_dir/multipart/<bucket>/<upload id>/upload.json               what Initiate said
    data_dir/multipart/<bucket>/<upload id>/<number>.<MD5>.<CRC>.part  one part; the name holds its digests
    data_dir/multipart/<bucket>/<upload id>/complete.json             Complete is decided, and will be finished

A part is there once its file is renamed into the folder. Complete is committed by the renaming of `complete.json`:
the parts are then joined onto the first one, each removed after it has been copied, so that the disk holds little
more than the object; a killed process is followed by one that goes on where it was.
"""

import json
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossgate.emulator.errors import FILE_ALREADY_EXISTS, ErrorKind, OssError
from ossgate.emulator.file_moves import flush_folder, move_file, remove_file, replace_json
from ossgate.emulator.object_errors import NO_SUCH_UPLOAD
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.part_joiner import join_parts
from ossgate.emulator.staged_file import StagedFile
from ossgate.emulator.store import ObjectStore

_UPLOAD = "upload.json"
_COMPLETE = "complete.json"
_PART = re.compile(r"(\d{5})\.([0-9A-F]{32})\.(\d{1,20})\.part", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it lies on disk.

    Args:
        etag: MD5 in upper-case hex.
        modified: Seconds since the epoch.
    """

    number: int
    etag: str
    crc64: str
    size: int
    modified: float

    @property
    def file_name(self) -> str:
        """The name that holds all this but size and time."""
        return f"{self.number:05d}.{self.etag}.{self.crc64}.part"


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that has been initiated.

    Args:
        metadata: The object to be, without size and digests; its time is that of Initiate.
        forbid_overwrite: Whether Initiate asked to refuse a taken key.
    """

    upload_id: str
    metadata: ObjectMetadata
    forbid_overwrite: bool


class _Entry:
    """An upload with its parts; whoever changes them holds the lock."""

    def __init__(self, upload: Upload, folder: Path) -> None:
        self.upload = upload
        self.folder = folder
        self.lock = threading.Lock()
        self.ended = False
        self._parts: dict[int, Part] | None = None

    @property
    def parts(self) -> dict[int, Part]:
        """The parts by number, read from disk once."""
        if self._parts is None:
            self._parts = {}
            found = [part for path in self.folder.iterdir() if (part := _read_part(path)) is not None]
            for part in sorted(found, key=lambda part: part.modified):
                # Of two with one number the later counts: a killed process had not removed the other yet.
                self._parts[part.number] = part
        return self._parts


class MultipartStore:
    """Keeps the uploads of all buckets."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self._top = store.root / "multipart"
        self._entries: dict[str, _Entry] = {}

    def open(self) -> None:
        """Read what is on disk; finish what was being completed, clear what was being begun or aborted."""
        self._top.mkdir(exist_ok=True)
        for folder in sorted(self._top.glob("*/*")):
            if (folder / _COMPLETE).exists():
                self._finish(folder)
            elif (folder / _UPLOAD).exists():
                document = json.loads((folder / _UPLOAD).read_text("utf-8"))
                metadata = ObjectMetadata(**document["metadata"])
                upload = Upload(folder.name, metadata, document["forbid_overwrite"])
                self._entries[folder.name] = _Entry(upload, folder)
            else:
                shutil.rmtree(folder, ignore_errors=True)

    def create(self, metadata: ObjectMetadata, *, forbid_overwrite: bool) -> Upload:
        """Begin an upload.

        Raises:
            OssError: The bucket is gone.
        """
        self.store.index(metadata.bucket)
        upload = Upload(secrets.token_hex(16).upper(), metadata, forbid_overwrite)
        folder = self._top / metadata.bucket / upload.upload_id
        folder.mkdir(parents=True)
        document = {"metadata": metadata.to_json(), "forbid_overwrite": forbid_overwrite}
        replace_json(folder / _UPLOAD, document)
        self._entries[upload.upload_id] = _Entry(upload, folder)
        return upload

    def find(self, bucket: str, object_key: str, upload_id: str, *, missing: ErrorKind) -> Upload:
        """Tell an upload.

        Args:
            missing: What to raise when there is none.

        Raises:
            OssError: There is no such upload of that object.
        """
        entry = self._entries.get(upload_id)
        found = None if entry is None else entry.upload
        if found is None or (found.metadata.bucket, found.metadata.object_key) != (bucket, object_key):
            raise OssError(missing, extras=[("UploadId", upload_id)])
        return found

    def list_uploads(self, bucket: str) -> list[Upload]:
        """Tell a bucket's uploads by key and ID."""
        found = [entry.upload for entry in list(self._entries.values())]
        return sorted(
            (upload for upload in found if upload.metadata.bucket == bucket),
            key=lambda upload: (upload.metadata.object_key, upload.upload_id),
        )

    def list_parts(self, upload: Upload) -> list[Part]:
        """Tell an upload's parts by number.

        Raises:
            OssError: The upload has ended meanwhile.
        """
        entry = self._require(upload)
        with entry.lock:
            return [entry.parts[number] for number in sorted(entry.parts)]

    def add_part(self, upload: Upload, number: int, staged: StagedFile) -> Part:
        """Take a received part; an older one of the same number is replaced.

        Raises:
            OssError: The upload has ended meanwhile.
        """
        staged.flush()
        modified = staged.path.stat().st_mtime
        part = Part(number, staged.etag, staged.crc64, staged.size, modified)
        entry = self._require(upload)
        with entry.lock:
            self._check_open(entry)
            old = entry.parts.get(number)
            move_file(staged.path, entry.folder / part.file_name)
            entry.parts[number] = part
            if old is not None and old.file_name != part.file_name:
                remove_file(entry.folder / old.file_name)
        return part

    def abort(self, upload: Upload) -> None:
        """End an upload and remove its parts.

        Raises:
            OssError: The upload has ended meanwhile.
        """
        entry = self._require(upload)
        with entry.lock:
            self._end(entry)
            # Without this file the rest is no upload any more.
            remove_file(entry.folder / _UPLOAD)
            shutil.rmtree(entry.folder, ignore_errors=True)

    def complete(
        self,
        upload: Upload,
        choose: Callable[[dict[int, Part]], Sequence[Part]],
        describe: Callable[[Sequence[Part]], ObjectMetadata],
        *,
        forbid_overwrite: bool,
    ) -> ObjectMetadata:
        """Make one object of an upload's parts.

        Args:
            choose: Picks the parts, or raises what is wrong with them.
            describe: Tells the object's metadata.

        Raises:
            OssError: The upload has ended meanwhile, its parts do not hold, or the key may not be overwritten.
        """
        entry = self._require(upload)
        with entry.lock:
            self._check_open(entry)
            parts = choose(entry.parts)
            metadata = describe(parts)
            if forbid_overwrite and self.store.exists(metadata.bucket, metadata.object_key):
                raise OssError(FILE_ALREADY_EXISTS)
            document = {
                "metadata": metadata.to_json(),
                "parts": [[part.file_name, part.size] for part in parts],
                "forbid_overwrite": forbid_overwrite,
            }
            replace_json(entry.folder / _COMPLETE, document)
            flush_folder(entry.folder)
            self._end(entry)
            self._join(entry.folder, document)
        return metadata

    def _finish(self, folder: Path) -> None:
        document = json.loads((folder / _COMPLETE).read_text("utf-8"))
        try:
            self._join(folder, document)
        except OssError:
            # Somebody else has taken the key, or the bucket has gone: nothing is owed to anybody.
            shutil.rmtree(folder, ignore_errors=True)

    def _join(self, folder: Path, document: dict[str, Any]) -> None:
        metadata = ObjectMetadata(**document["metadata"])
        staged = self.store.staging_path(folder.name)
        joined = join_parts(folder, document["parts"])
        if joined is not None:
            move_file(joined, staged)
        if staged.exists():
            # Else it had been committed before the process was killed.
            try:
                self.store.commit_file(staged, metadata, forbid_overwrite=document["forbid_overwrite"])
            finally:
                staged.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def _require(self, upload: Upload) -> _Entry:
        entry = self._entries.get(upload.upload_id)
        if entry is None:
            raise OssError(NO_SUCH_UPLOAD, extras=[("UploadId", upload.upload_id)])
        return entry

    def _check_open(self, entry: _Entry) -> None:
        if entry.ended:
            raise OssError(NO_SUCH_UPLOAD, extras=[("UploadId", entry.upload.upload_id)])

    def _end(self, entry: _Entry) -> None:
        self._check_open(entry)
        entry.ended = True
        del self._entries[entry.upload.upload_id]


def _read_part(path: Path) -> Part | None:
    match = _PART.fullmatch(path.name)
    if match is None:
        return None
    found = path.stat()
    return Part(int(match[1]), match[2], match[3], found.st_size, found.st_mtime)
