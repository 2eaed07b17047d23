"""What the deliverer asks of a sink."""

from datetime import datetime
from typing import Protocol

from ossgate.ledger import Delivery


class Sink(Protocol):
    """Tells somebody. A sink with a ``concurrency`` above one is called by several threads at once.

    ``prefetch`` is how many deliveries may be claimed for it at a time; ``timeout`` is the longest that ``send`` takes.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def concurrency(self) -> int: ...  # noqa: D102

    @property
    def prefetch(self) -> int: ...  # noqa: D102

    @property
    def timeout(self) -> float: ...  # noqa: D102

    def send(self, delivery: Delivery, *, now: datetime) -> None:
        """Hand a delivery over; to return is to know that it was received.

        Raises:
            DeliveryFailed: Whatever else.
        """

    def close(self) -> None:
        """End what is open; ``send`` may be called again afterwards."""
