"""Steps on files that the stores are made of: flushed writes, moves and removals that mind what lies around."""

import contextlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_REPLACE_TRIES = 20
_FOLDER_TRIES = 20
_COPY_BYTES = 1024 * 1024


def write_json(path: Path, document: Any) -> None:
    """Write a document and bring it to the disk."""
    with path.open("w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())


def replace_json(path: Path, document: Any) -> None:
    """Write a document so that the old or the new one is there at any moment."""
    draft = path.with_name(path.name + ".draft")
    write_json(draft, document)
    _retry(lambda: draft.replace(path))


def move_file(source: Path, target: Path) -> None:
    """Move a file, making the target's folder; a removal next door may take an empty folder away meanwhile."""
    for attempt in range(_FOLDER_TRIES):
        make_folder(target.parent)
        try:
            _retry(lambda: source.replace(target))
        except FileNotFoundError:
            if attempt == _FOLDER_TRIES - 1 or not source.exists():
                raise
        else:
            return


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, while others may be removing them."""
    for attempt in range(_FOLDER_TRIES):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileNotFoundError, FileExistsError):
            if attempt == _FOLDER_TRIES - 1:
                raise
        else:
            return


def remove_file(path: Path) -> None:
    """Remove a file, if it is there."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        _retry(path.unlink)


def prune_folders(folder: Path, top: Path) -> None:
    """Remove a folder and those above it as far as they are empty, up to a top that stays."""
    with contextlib.suppress(OSError):
        while folder != top:
            folder.rmdir()
            folder = folder.parent


def append_file(source: Path, target: Path, start: int) -> None:
    """Copy a file behind the first `start` bytes of another, whatever that held there, and flush it."""
    with source.open("rb") as reader, target.open("r+b", buffering=0) as writer:
        writer.truncate(start)
        copy_bytes(reader.fileno(), writer.fileno(), start, os.fstat(reader.fileno()).st_size)
        os.fsync(writer.fileno())


def copy_bytes(reader: int, writer: int, start: int, size: int) -> None:
    """Copy the first `size` bytes of an open file into another at an offset, by the kernel where it can."""
    done = 0
    while done < size and hasattr(os, "copy_file_range"):
        try:
            step = os.copy_file_range(reader, writer, size - done, done, start + done)
        except OSError:
            break
        if step == 0:
            break
        done += step
    os.lseek(reader, done, os.SEEK_SET)
    os.lseek(writer, start + done, os.SEEK_SET)
    while done < size and (piece := os.read(reader, min(_COPY_BYTES, size - done))):
        done += len(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(writer, view) :]


def flush_folder(folder: Path) -> None:
    """Bring a folder's renames to the disk."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _retry(step: Callable[[], object]) -> None:
    # Windows refuses to replace or remove a file while somebody reads it.
    for attempt in range(_REPLACE_TRIES):
        try:
            step()
        except PermissionError:
            if os.name != "nt" or attempt == _REPLACE_TRIES - 1:
                raise
            time.sleep(0.05)
        else:
            return
