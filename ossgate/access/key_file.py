"""The file of API keys that the commands own: names and hashes, read by the server, written by `ossgate keys`.

Apart from ossgate.toml, so that no command ever edits what people wrote. A running server sees a change within a second.
"""

from __future__ import annotations

import os
import secrets
import stat
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ossgate.access.keys import ApiKey, is_key_hash, is_key_name

LOOK_SECONDS = 1.0
_HEAD = "# API keys, written by `ossgate keys new --add` and `ossgate keys revoke`: their hashes, from which no key can be made.\n"


class KeyFileBroken(ValueError):
    """A file of keys that cannot be read; the message says what is wrong with it."""


class Log(Protocol):
    """Writes one structured line."""

    def __call__(self, event: str, /, **facts: object) -> None: ...  # noqa: D102


class KeyFile:
    """Reads the file again when it has changed."""

    def __init__(
        self,
        path: Path,
        fixed: Sequence[ApiKey],
        *,
        log: Log,
        lax: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the file for the first time; one that is not there holds no keys.

        Args:
            path: The file.
            fixed: Keys from the settings, listed before the file's.
            log: Told when the file breaks while the server runs.
            lax: Whether a file is believed that others than its owner may write.
            clock: Monotonic seconds.

        Raises:
            KeyFileBroken: The file is there and holds something else.
        """
        self._path = path
        self._fixed = tuple(fixed)
        self._log = log
        self._lax = lax
        self._clock = clock
        self._stamp = _stamp(path)
        self._keys = (*self._fixed, *read_key_file(path))
        self._looked_at = clock()
        self._lock = threading.Lock()

    def list_keys(self) -> Sequence[ApiKey]:
        """Return the keys that stand now."""
        if self._clock() - self._looked_at >= LOOK_SECONDS:
            with self._lock:
                self._looked_at = self._clock()
                self._look()
        return self._keys

    def _look(self) -> None:
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            if not self._lax and may_be_written_by_others(self._path):
                raise KeyFileBroken(f"{self._path} can be written by others than its owner")
            self._keys = (*self._fixed, *read_key_file(self._path))
        except KeyFileBroken as error:
            # Not every backend is locked out because somebody saved half a line.
            self._log("api_keys_broken", reason=str(error), keys_kept=len(self._keys))


def may_be_written_by_others(path: Path) -> bool:
    """Tell whether others than its owner may write a file, and so make keys of their own."""
    try:
        return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    except OSError:
        return False


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode


def read_key_file(path: Path) -> list[ApiKey]:
    """Return the keys of a file; one that is not there holds none.

    Raises:
        KeyFileBroken: It cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileBroken(
            f"cannot read {path}: {getattr(error, 'strerror', '') or 'it is not UTF-8'}"
        ) from error
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KeyFileBroken(f"{path} is not TOML: {error}") from error
    return [_read_key(path, name, table) for name, table in tables.items()]


def _read_key(path: Path, name: str, table: object) -> ApiKey:
    given = table if isinstance(table, dict) else {}
    hashed, operator = given.get("hash"), given.get("operator", False)
    if (
        not is_key_name(name)
        or not isinstance(hashed, str)
        or not is_key_hash(hashed)
        or type(operator) is not bool
    ):
        raise KeyFileBroken(f"{path}: [{name}] is no API key; it has a hash, and operator = true or false")
    return ApiKey(name, hashed, operator)


def add_key(path: Path, key: ApiKey) -> None:
    """Add a key to the file, which is made when it is not there.

    Raises:
        FileExistsError: A key of this name is in the file.
        KeyFileBroken: The file holds something else, and is left as it is.
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(path):
        keys = read_key_file(path)
        if any(one.name == key.name for one in keys):
            raise FileExistsError(key.name)
        _write(path, [*keys, key])


def revoke_key(path: Path, name: str) -> bool:
    """Take a key out of the file; tell whether it was there.

    Raises:
        KeyFileBroken: The file holds something else, and is left as it is.
        OSError: It cannot be written.
    """
    if not path.exists():
        return False
    with _locked(path):
        keys = read_key_file(path)
        left = [key for key in keys if key.name != name]
        if len(left) == len(keys):
            return False
        _write(path, left)
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one command at a time read and write; on systems without such locks, the last one wins."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.with_name(f".{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, keys: Sequence[ApiKey]) -> None:
    lines = [_HEAD]
    for key in keys:
        operator = "operator = true\n" if key.operator else ""
        lines.append(f'\n[{key.name}]\nhash = "{key.hash}"\n{operator}')
    # Written aside and moved into place, so that no server ever reads half of it.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("".join(lines))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
