"""Where the numbers come from: the events that are logged anyway, the callback's view, the bucket's client, the ledger's queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

from callback.errors import CallbackRefused
from ossgate.bucket import BucketClient, BucketUnavailable, ObjectHead
from ossgate.ledger import Ledger, LedgerBusy, LedgerUnavailable
from signer.credentials import Credentials
from signer.places import BucketPlace

if TYPE_CHECKING:
    from ossgate.metrics.instruments import Instruments

SAMPLE_SECONDS = 2.0


class Log(Protocol):
    """Writes one structured line."""

    def __call__(self, event: str, /, **facts: object) -> None: ...  # noqa: D102


class Metrics:
    """Counts what happens in one process. Nothing is imported and no thread begins before something is counted."""

    def __init__(self, profiles: Iterable[str], ledger: Ledger) -> None:
        self._profiles = tuple(profiles)
        self._ledger = ledger
        self._lock = threading.Lock()
        self._instruments: Instruments | None = None
        self._dropped = 0

    def count_events(self, log: Log) -> Log:
        """Return a log that counts what it writes."""

        def write(event: str, /, **facts: Any) -> None:
            log(event, **facts)
            if event == "issued":
                self.instruments.grants[facts["profile"]]()
            elif event == "recorded":
                self.instruments.count_arrival(facts["via"], facts["state"])
            elif event == "refused":
                self.instruments.count_refusal(facts.get("code") or "page")

        return write

    def time_callbacks(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """Return a view, or a door of the front, that counts how callbacks end, and how long they take."""

        @wraps(view)
        def answer(*arguments: Any, **named: Any) -> Any:
            began = time.perf_counter()
            outcome, layer = "believed", ""
            try:
                return view(*arguments, **named)
            except CallbackRefused as error:
                outcome, layer = "refused", error.layer
                raise
            except (LedgerBusy, LedgerUnavailable):
                outcome, layer = "unavailable", "ledger"
                raise
            except Exception:
                outcome = "crashed"
                raise
            finally:
                self.instruments.count_callback(outcome, layer)
                self.instruments.callback_seconds(time.perf_counter() - began)

        return answer

    @property
    def instruments(self) -> Instruments:
        """The instruments, made when they are first needed."""
        return self._instruments or self._build()

    def render(self) -> bytes:
        """Return the text that Prometheus reads."""
        self._sample(self.instruments)
        return self.instruments.render()

    def _build(self) -> Instruments:
        with self._lock:
            if self._instruments is None:
                # Tens of milliseconds and some megabytes: for the first request, not for the start.
                from ossgate.metrics.instruments import Instruments

                built = Instruments(self._profiles)
                if built.is_shared:
                    # Another process may be the one that is asked, and cannot look into this one's queue.
                    threading.Thread(
                        target=self._keep_sampling, args=(built,), name="ossgate-metrics", daemon=True
                    ).start()
                self._instruments = built
        return self._instruments

    def _keep_sampling(self, instruments: Instruments) -> None:
        while True:
            self._sample(instruments)
            time.sleep(SAMPLE_SECONDS)

    def _sample(self, instruments: Instruments) -> None:
        with self._lock:
            instruments.ledger_waiting(self._ledger.waiting)
            dropped = self._ledger.dropped
            instruments.ledger_dropped(dropped - self._dropped)
            self._dropped = dropped


class TimedBucketClient(BucketClient):
    """A client that tells how long each HEAD took, and whether it told anything."""

    def __init__(
        self, credentials: Callable[[], Credentials], *, now: Callable[[], datetime], metrics: Metrics
    ) -> None:
        super().__init__(credentials, now=now)
        self._metrics = metrics

    def head_object(self, place: BucketPlace, object_key: str, *, seconds: float) -> ObjectHead | None:
        """Return what the bucket says of an object, timed."""
        began = time.perf_counter()
        try:
            return super().head_object(place, object_key, seconds=seconds)
        except BucketUnavailable:
            self._metrics.instruments.head_failures()
            raise
        finally:
            self._metrics.instruments.head_seconds(time.perf_counter() - began)
