"""Python functions of the application that are told of events, at least once each."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ossgate.delivery.envelopes import Envelope
from ossgate.delivery.errors import DeliveryFailed
from ossgate.ledger import Delivery

Function = Callable[[dict[str, Any]], object]
_MAX_OVERRUNNING = 32


class HandlerSink:
    """Calls a function with each event, as a dictionary with its ``id``; to return is to have received it."""

    def __init__(
        self,
        name: str,
        function: Function,
        *,
        envelope: Envelope | None = None,
        timeout: float = 30.0,
        concurrency: int = 4,
    ) -> None:
        self.name = name
        self.concurrency = concurrency
        self.prefetch = 2 * concurrency
        self.timeout = timeout
        self._function = function
        self._envelope = envelope or Envelope()
        # A function cannot be stopped from outside, only be left alone; not too many of them.
        self._running = threading.BoundedSemaphore(concurrency + _MAX_OVERRUNNING)

    def send(self, delivery: Delivery, *, now: datetime) -> None:
        """Call the function on a thread of its own and wait for its end.

        Raises:
            DeliveryFailed: It raised, or took too long; then it may still be running when it is called again.
        """
        event = {"id": delivery.delivery_id, **self._envelope.render(delivery)}
        failed: list[BaseException] = []

        def call() -> None:
            try:
                self._function(event)
            except BaseException as error:
                # The application's own code may raise anything, SystemExit among it.
                failed.append(error)
            finally:
                self._running.release()

        if not self._running.acquire(blocking=False):
            raise DeliveryFailed(
                "too many calls of the function have overrun and are still running", is_slow=True
            )
        thread = threading.Thread(target=call, name="ossgate-handler", daemon=True)
        thread.start()
        thread.join(self.timeout)
        if thread.is_alive():
            raise DeliveryFailed(f"the function did not return within {self.timeout:g} seconds")
        if failed:
            raise DeliveryFailed(f"the function raised {type(failed[0]).__name__}: {str(failed[0])[:150]}")

    def close(self) -> None:
        """Keep nothing open between calls."""
