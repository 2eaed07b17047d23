"""How many uploads may be in progress at once.

An upload holds a thread while it waits for its callback, and the callback's receiver asks HEAD before it answers.
The gate keeps uploads below the number of threads, so that some are always left for HEAD.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class UploadGate:
    """Counts uploads in and out.

    Args:
        limit: Uploads that are let in at once.
    """

    def __init__(self, limit: int) -> None:
        self._places = threading.BoundedSemaphore(limit)

    @contextmanager
    def enter(self) -> Iterator[bool]:
        """Hold a place for a `with` block; false when none was free."""
        admitted = self._places.acquire(blocking=False)
        try:
            yield admitted
        finally:
            if admitted:
                self._places.release()
