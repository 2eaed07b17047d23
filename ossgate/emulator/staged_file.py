"""Bytes on their way in: written and hashed as they come, a megabyte at a time.

MD5 is the slowest step: a large piece is hashed on a thread of the upload's own while it is written and the next
one is received. So a piece must stay untouched until the next `write` or `join` has returned.
"""

import base64
import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from anycrc import Model

# Below this a piece is hashed at once: the hand-over would cost more than it saves.
_PARALLEL_BYTES = 256 * 1024
# CRC-64/XZ is what OSS calls crc64ecma.
_CRC64 = Model("CRC64-XZ")


class StagedFile:
    """One temporary file with its running digests.

    Used as a context manager it removes its file at the end, unless that has been moved away.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc64 = 0
        self._hasher: ThreadPoolExecutor | None = None
        self._hashing: Future[None] | None = None
        self._file = path.open("xb", buffering=0)

    def write(self, data: memoryview) -> None:
        """Take further bytes."""
        self.join()
        if len(data) < _PARALLEL_BYTES:
            self._hash(data)
        else:
            if self._hasher is None:
                self._hasher = ThreadPoolExecutor(1, "emulator-hasher")
            self._hashing = self._hasher.submit(self._hash, data)
        self.size += len(data)
        while len(data):
            data = data[self._file.write(data) :]

    def join(self) -> None:
        """Wait for the hashing of the last piece, whose memory may be used again afterwards."""
        if self._hashing is not None:
            self._hashing.result()
            self._hashing = None

    def _hash(self, data: memoryview) -> None:
        if len(data):
            self._md5.update(data)
            self._crc64 = _CRC64.calc(data, self._crc64)

    def flush(self) -> None:
        """Bring everything to the disk and end the writing."""
        self.join()
        os.fsync(self._file.fileno())
        self._file.close()

    @property
    def etag(self) -> str:
        """MD5 in upper-case hex."""
        return self._md5.hexdigest().upper()

    @property
    def content_md5(self) -> str:
        """MD5 in base64."""
        return base64.b64encode(self._md5.digest()).decode()

    @property
    def crc64(self) -> str:
        """CRC-64/XZ as a decimal number."""
        return str(self._crc64)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._hasher is not None:
            self._hasher.shutdown()
        self._file.close()
        self.path.unlink(missing_ok=True)
