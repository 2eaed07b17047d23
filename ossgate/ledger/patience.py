"""PostgreSQL connections that wait for the server so long and no longer.

A server that hangs, or a way to it that swallows everything, leaves a connection open: TCP acknowledges what nobody reads, and no timeout of
the server's own helps. Whoever waits for such an answer would wait for ever, and with him the thread that should answer OSS.
"""

import time
from collections.abc import Generator
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from psycopg import Connection

Waiting = TypeVar("Waiting")
Ready = TypeVar("Ready")
Result = TypeVar("Result")


@cache
def load_connection_class() -> "type[Connection[Any]]":
    """Return the class of connections; each has ``patience``, the seconds that one answer may take, or none for no end.

    Whoever loses patience gets a ``TimeoutError``, and the connection is closed.

    Raises:
        ImportError: There is no psycopg.
    """
    from psycopg import Connection

    class PatientConnection(Connection[Any]):
        patience: float | None = None

        def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
            if self.patience is None:
                return super().wait(gen, *arguments, **options)
            try:
                return super().wait(wait_until(gen, time.monotonic() + self.patience), *arguments, **options)
            except TimeoutError:
                self.close()
                raise

    return PatientConnection


def wait_until(steps: Generator[Waiting, Ready, Result], end: float) -> Generator[Waiting, Ready, Result]:
    """Pass on what the driver waits for, until the time is up.

    The driver comes back every now and then with nothing that is ready; what is ready is never too late.

    Raises:
        TimeoutError: The time is up.
    """
    try:
        waiting = next(steps)
        while True:
            ready = yield waiting
            if not ready and time.monotonic() > end:
                raise TimeoutError("the database does not answer")
            waiting = steps.send(ready)
    except StopIteration as stop:
        result: Result = stop.value
        return result
