"""Many part files made into one, in place and without a second copy of it all."""

import os
from collections.abc import Sequence
from pathlib import Path

from ossgate.emulator.file_moves import copy_bytes, move_file, remove_file

_JOINED = "joined.data"
# So much is copied before it is flushed and the parts that it came from are removed.
_BATCH_BYTES = 64 * 1024 * 1024


def join_parts(folder: Path, parts: Sequence[tuple[str, int]]) -> Path | None:
    """Append all parts to the first and remove them; can be done again from wherever it was interrupted.

    Args:
        parts: File names and sizes, in order.

    Returns:
        The joined file, or None when neither it nor the first part is there any more.
    """
    joined = folder / _JOINED
    (first_name, offset), *others = parts
    if (folder / first_name).exists():
        move_file(folder / first_name, joined)
    if not joined.exists():
        return None
    with joined.open("r+b", buffering=0) as writer:
        copied: list[Path] = []
        waiting = 0
        for name, size in others:
            path = folder / name
            # A part that is gone had been copied and flushed before.
            if path.exists():
                with path.open("rb") as reader:
                    copy_bytes(reader.fileno(), writer.fileno(), offset, size)
                copied.append(path)
                waiting += size
            offset += size
            if waiting >= _BATCH_BYTES:
                _settle(writer.fileno(), copied)
                copied, waiting = [], 0
        _settle(writer.fileno(), copied)
    return joined


def _settle(descriptor: int, copied: list[Path]) -> None:
    os.fsync(descriptor)
    for path in copied:
        remove_file(path)
