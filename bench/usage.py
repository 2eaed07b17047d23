"""CPU time and memory of running processes, read from /proc; nothing where there is no /proc."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")


def list_family(process: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [process]
    for task in (PROC / str(process) / "task").glob("*"):
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            found += list_family(int(child))
    return found


def read_cpu_seconds(processes: Iterable[int]) -> float | None:
    """Return the CPU seconds of processes with all threads that live, to the nanosecond."""
    total = 0
    seen = False
    for process in processes:
        for task in (PROC / str(process) / "task").glob("*"):
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except OSError:
                continue
            seen = True
    return total / 1e9 if seen else None


def read_memory(process: int) -> tuple[float, float] | None:
    """Return a process's resident and proportional memory in MB (10⁶ bytes)."""
    try:
        lines = (PROC / str(process) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    kibibytes = {line.partition(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return kibibytes["Rss"] * 1024 / 1e6, kibibytes["Pss"] * 1024 / 1e6
