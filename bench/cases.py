"""What is put under load: servers, and the kinds of requests that they get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

from bench.load import Load, Sample
from bench.servers import Child
from bench.usage import read_cpu_seconds

BARE = "bare"


@dataclass(slots=True)
class Case:
    """One kind of request to one server."""

    name: str
    label: str
    server: Child
    requests: Iterator[bytes]
    load: Load
    beside: tuple[int, ...] = ()
    """Processes that work for the server, such as a database's."""

    def run_closed(self, count: int) -> Sample:
        """Find the capacity with so many requests."""
        before = self._read_cpu()
        sample = self.load.run_closed(self.requests, count)
        return self._note_cpu(sample, before)

    def run_open(self, count: int, rate: float) -> Sample:
        """Find the latencies at a rate."""
        before = self._read_cpu()
        sample = self.load.run_open(self.requests, count, rate)
        return self._note_cpu(sample, before)

    def _read_cpu(self) -> float | None:
        own = self.server.read_cpu_seconds()
        return own if own is None else own + (read_cpu_seconds(self.beside) or 0.0)

    def _note_cpu(self, sample: Sample, before: float | None) -> Sample:
        after = self._read_cpu()
        if before is not None and after is not None:
            sample.cpu_seconds = after - before
        return sample


def repeat(requests: list[bytes]) -> Iterator[bytes]:
    """Return requests that may be sent again and again."""
    return cycle(requests)
