"""One core for the server and one for the load, where the system lets processes choose."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores of server and load; none where processes cannot be pinned."""

    server: int | None
    load: int | None
    allowed: tuple[int, ...] = ()

    @property
    def note(self) -> str:
        """What to say of the pinning."""
        if self.server is None:
            return "nothing is pinned to a core: this system cannot, or has one core alone"
        return f"servers on core {self.server}, load on core {self.load}"


def choose_cores() -> Cores:
    """Return the two last cores that this process may use, or none."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(None, None)
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[-1], allowed[-2], tuple(allowed)) if len(allowed) > 1 else Cores(None, None)


def spread(cores: Cores, process: int) -> None:
    """Let a process run on every core that we may use, that of the load as well: several workers need several."""
    if cores.allowed:
        os.sched_setaffinity(process, cores.allowed)


def pin(core: int | None, process: int = 0) -> None:
    """Keep a process on one core; nothing happens where there is none to keep it on."""
    if core is not None:
        os.sched_setaffinity(process, {core})
