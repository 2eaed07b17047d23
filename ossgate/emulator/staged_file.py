"""Bytes on their way in: written and hashed as they come, a megabyte at a time."""

import base64
import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from anycrc import Model

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
        self._file = path.open("xb", buffering=0)

    def write(self, data: memoryview) -> None:
        """Take further bytes."""
        self._md5.update(data)
        self._crc64 = _CRC64.calc(data, self._crc64) if len(data) else self._crc64
        self.size += len(data)
        while len(data):
            data = data[self._file.write(data) :]

    def flush(self) -> None:
        """Bring everything to the disk and end the writing."""
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
        self._file.close()
        self.path.unlink(missing_ok=True)
