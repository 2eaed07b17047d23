"""Keys of our own: made at random, written to files that only their owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def new_key() -> str:
    """Return a new key: 256 random bits as text."""
    return secrets.token_urlsafe(32)


def write_secret(path: Path, content: str) -> None:
    """Write a secret with mode 0600, whole or not at all.

    Raises:
        FileExistsError: The file is there; a key in use is never overwritten.
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written aside and linked into place, so that a process that is killed here leaves no half of a key.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def ensure_key(path: Path) -> None:
    """Make a key unless the file is there."""
    if not path.exists():
        write_secret(path, new_key())
