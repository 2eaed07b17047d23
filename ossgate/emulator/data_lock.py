"""One emulator a folder: two would clear away each other's uploads."""

import os
import sys
from pathlib import Path


class DataDirInUse(RuntimeError):
    """Another emulator holds the folder."""


class DataLock:
    """Held from start to stop; the system lets go of it when the process dies."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "emulator.lock"
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the folder.

        Raises:
            DataDirInUse: Somebody else has it.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise DataDirInUse(str(self._path)) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the folder back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
