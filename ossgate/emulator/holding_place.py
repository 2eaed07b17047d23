"""Where one callback waits for another to overtake it."""

import threading


class HoldingPlace:
    """Has room for one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._delivered = 0
        self._waiting = False
        self._closed = False

    def hold(self, seconds: float) -> None:
        """Wait until a callback has been delivered; not at all while another waits already, which this one frees."""
        with self._changed:
            if self._waiting or self._closed:
                return
            self._waiting = True
            before = self._delivered
            self._changed.wait_for(lambda: self._closed or self._delivered != before, seconds)
            self._waiting = False

    def tell_delivered(self) -> None:
        """Let the one that waits go."""
        with self._changed:
            self._delivered += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let everybody go, now and later."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
