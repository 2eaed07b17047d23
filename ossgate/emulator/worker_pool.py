"""A pool of threads that grows with need.

cheroot's own pool keeps a fixed number of threads: uploads that wait for their callback would use them up, and the
HEAD that the callback's receiver asks would wait behind them for ever. Here a request that finds no idle thread
gets a new one, up to a limit that `UploadGate` stays below.
"""

import contextlib
import socket
import threading
import time
from collections import deque
from typing import Any

IDLE_SECONDS = 30.0


class WorkerPool:
    """Has the shape that cheroot asks of a pool: `min`, `idle`, `put`, `start`, `stop`.

    Args:
        server: The cheroot server whose connections are served.
        limit: The largest number of threads.
    """

    min = 1

    def __init__(self, server: Any, limit: int) -> None:
        self._server = server
        self._limit = limit
        self._waiting: deque[Any] = deque()
        self._changed = threading.Condition()
        self._serving: dict[threading.Thread, Any] = {}
        self._idle = 0
        self._stopping = False

    @property
    def idle(self) -> int:
        """How many threads have nothing to do."""
        return self._idle

    def start(self) -> None:
        """Begin; threads come with the first requests."""
        self._stopping = False

    def put(self, connection: Any) -> None:
        """Take a connection that has something to read."""
        with self._changed:
            self._waiting.append(connection)
            if len(self._waiting) > self._idle and len(self._serving) < self._limit:
                thread = threading.Thread(target=self._run, name="emulator-worker", daemon=True)
                self._serving[thread] = None
                thread.start()
            else:
                self._changed.notify()

    def stop(self, timeout: float) -> None:
        """Let running requests end; cut those that are still running after the timeout."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._serving, timeout)
            threads = dict(self._serving)
            left_over = list(self._waiting)
            self._waiting.clear()
        for connection in left_over:
            connection.close()
        for connection in threads.values():
            if connection is not None:
                # Wakes the thread, which then closes the connection itself.
                with contextlib.suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(max(0.0, deadline + 1.0 - time.monotonic()))

    def _run(self) -> None:
        current = threading.current_thread()
        while True:
            connection = self._take()
            if connection is None:
                return
            keep = False
            try:
                keep = connection.communicate()
            except ConnectionError:
                keep = False
            except Exception as error:
                self._server.error_log(repr(error), traceback=True)
            finally:
                with self._changed:
                    self._serving[current] = None
                if keep:
                    self._server.put_conn(connection)
                else:
                    with contextlib.suppress(OSError):
                        connection.close()

    def _take(self) -> Any | None:
        """Wait for a connection; None tells the thread to end."""
        current = threading.current_thread()
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting or self._stopping, IDLE_SECONDS)
            self._idle -= 1
            if self._waiting and not self._stopping:
                self._serving[current] = self._waiting.popleft()
                return self._serving[current]
            del self._serving[current]
            self._changed.notify_all()
            return None
