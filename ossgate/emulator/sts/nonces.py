"""Nonces: a signed call counts once.

Source: "Common parameters", https://www.alibabacloud.com/help/en/ram/developer-reference/common-parameters
"""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=15)
_MAX_NONCES = 100_000
_MAX_LENGTH = 256


class NonceMemory:
    """Remembers nonces for as long as a call that bears one could be sent again."""

    def __init__(self) -> None:
        self._until: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._lock = threading.Lock()

    def use(self, access_key_id: str, nonce: str, *, timestamp: datetime, now: datetime) -> bool:
        """Take a nonce; false when it was used within the window.

        Args:
            timestamp: The call's own time: a call of the future stays valid for longer.
        """
        key = (access_key_id, nonce[:_MAX_LENGTH])
        with self._lock:
            self._forget(now)
            if self._until.get(key, now) > now:
                return False
            self._until[key] = max(timestamp, now) + WINDOW
            self._until.move_to_end(key)
        return True

    def _forget(self, now: datetime) -> None:
        # Oldest first; one of the future may hold up those behind it for another quarter of an hour.
        while self._until:
            key, until = next(iter(self._until.items()))
            if until > now and len(self._until) < _MAX_NONCES:
                break
            del self._until[key]
