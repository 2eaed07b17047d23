"""The instruments themselves: names, labels, buckets. Labels are ours alone, so that no client can make new series.

With several worker processes each writes its numbers into files of one folder, `PROMETHEUS_MULTIPROC_DIR`, and whichever is asked
adds them up (https://prometheus.github.io/client_python/multiprocess/). The library decides between the two when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import ValueClass

CONTENT_TYPE = CONTENT_TYPE_LATEST
# OSS gives up after five seconds; we answer within four.
_CALLBACK_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0)
# A HEAD may take a second.
_HEAD_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Instruments:
    """One registry; children of known labels are made once, since to find one costs more than to count."""

    def __init__(self, profiles: Iterable[str]) -> None:
        self._registry = CollectorRegistry()
        self.is_shared = getattr(ValueClass, "_multiprocess", False)
        grants = self._counter("ossgate_grants_issued", "Grants that were issued.", "profile")
        self.grants = {profile: grants.labels(profile).inc for profile in profiles}
        self._arrivals = self._counter(
            "ossgate_arrivals", "Uploads that arrived, each once a state.", "via", "state"
        )
        self._callbacks = self._counter(
            "ossgate_callbacks", "Callbacks by how they ended, and at which layer.", "outcome", "layer"
        )
        self._refusals = self._counter("ossgate_refusals", "Answers that are errors, by code.", "code")
        self.callback_seconds = self._histogram(
            "ossgate_callback_seconds", "From a callback's arrival to its answer.", _CALLBACK_BUCKETS
        )
        self.head_seconds = self._histogram(
            "ossgate_bucket_head_seconds", "What the bucket took to tell of an object.", _HEAD_BUCKETS
        )
        self.head_failures = self._counter(
            "ossgate_bucket_head_failures", "HEAD requests that told nothing."
        ).inc
        self.ledger_waiting = Gauge(
            "ossgate_ledger_waiting",
            "What waits for the ledger's writer.",
            registry=self._registry,
            multiprocess_mode="livesum",
        ).set
        self.ledger_dropped = self._counter(
            "ossgate_ledger_dropped", "Callbacks and notes that were not kept."
        ).inc
        self._children: dict[tuple[str, ...], Callable[[], None]] = {}

    def count_arrival(self, via: str, state: str) -> None:
        """Count an upload that arrived."""
        self._count(self._arrivals, via, state)

    def count_callback(self, outcome: str, layer: str) -> None:
        """Count a callback."""
        self._count(self._callbacks, outcome, layer)

    def count_refusal(self, code: str) -> None:
        """Count an answer that is an error."""
        self._count(self._refusals, code)

    def render(self) -> bytes:
        """Return the text that Prometheus reads, of all processes together."""
        if not self.is_shared:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _count(self, counter: Counter, *labels: str) -> None:
        key = (counter._name, *labels)
        count = self._children.get(key)
        if count is None:
            count = self._children[key] = counter.labels(*labels).inc
        count()

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(name, help_text, labels, registry=self._registry)

    def _histogram(self, name: str, help_text: str, buckets: tuple[float, ...]) -> Callable[[float], None]:
        return Histogram(name, help_text, buckets=buckets, registry=self._registry).observe
