"""What delivery raises.

SinkInvalid      the settings of a sink cannot work
DeliveryFailed   an attempt came to nothing; says what the schedule needs to know
"""

from datetime import timedelta


class SinkInvalid(ValueError):
    """Say why a sink cannot be built, and the fix."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class DeliveryFailed(Exception):
    """Tell how an attempt failed.

    Args:
        reason: One short line, kept with the delivery.
        retry_after: How long the receiver asked to be left alone.
        is_slow: The receiver has too much to do, so nothing else should be sent there for a while.
        is_gone: The receiver wants nothing any more.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: timedelta | None = None,
        is_slow: bool = False,
        is_gone: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.is_slow = is_slow
        self.is_gone = is_gone
