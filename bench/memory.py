"""Memory of a worker that has answered requests, beside a worker that serves one bare view."""

from __future__ import annotations

from collections.abc import Mapping

from bench.aims import Row
from bench.usage import read_memory

YARDSTICK = "bare"


def summarize_memory(workers: Mapping[str, int]) -> list[Row]:
    """Return a line for each kind of worker; none where memory cannot be told."""
    read = {name: read_memory(process) for name, process in workers.items()}
    bare = read[YARDSTICK]
    if bare is None:
        return []
    rows = []
    for name, memory in read.items():
        if memory is None:
            continue
        resident, proportional = memory
        detail = f"RSS {resident:.0f} MB, PSS {proportional:.0f} MB"
        # The aim is the shipped server's; the others show where it comes from.
        is_ours = name in ("SQLite", "PostgreSQL")
        label = f"memory of a worker: {name}"
        rows.append(Row("memory" if is_ours else f"memory_{name}", label, resident / bare[0], None, detail))
    return rows
