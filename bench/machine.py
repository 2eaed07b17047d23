"""What machine this is: figures mean nothing without it."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = (
    "flask",
    "gunicorn",
    "cryptography",
    "itsdangerous",
    "orjson",
    "sqlalchemy",
    "psycopg",
    "urllib3",
)


def describe_machine(folder: Path) -> dict[str, str]:
    """Return processor, memory, versions, and how long the disk under a folder takes to make bytes durable."""
    return {
        "processor": f"{_read_processor()}, {os.cpu_count()} cores",
        "memory": _read_memory(),
        "system": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})",
        "libraries": ", ".join(f"{name} {_read_version(name)}" for name in LIBRARIES),
        "sqlite": sqlite3.sqlite_version,
        "fdatasync": f"p50 {measure_sync(folder) * 1000:.2f} ms",
        "load": " ".join(f"{value:.2f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "",
    }


def measure_sync(folder: Path, times: int = 50) -> float:
    """Return the median seconds of writing and syncing 4 KiB."""
    path = folder / "sync.bin"
    sync = getattr(os, "fdatasync", os.fsync)
    spent = []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(bytes(4096))
            started = time.perf_counter()
            sync(file.fileno())
            spent.append(time.perf_counter() - started)
    path.unlink()
    return statistics.median(spent)


def _read_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def _read_memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1024**3:.1f} GiB"
    except (AttributeError, ValueError, OSError):
        return "unknown"


def _read_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
