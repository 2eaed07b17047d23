"""A small HTTP client that loads a server: one thread, kept connections, requests whose bytes are ready.

Closed loop: each connection sends its next request when the last is answered, which finds the capacity. Open loop: requests are due at random
moments (Poisson), and each is timed from when it was due, so that a server that falls behind is not spared.
"""

from __future__ import annotations

import random
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

CONNECTIONS = 32
ANSWER_SECONDS = 30.0
_GOOD = (b"200", b"201")


@dataclass(slots=True)
class Sample:
    """What one run of requests took."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    cpu_seconds: float | None = None

    @property
    def rate(self) -> float:
        """Requests answered per second."""
        return len(self.latencies) / self.seconds

    @property
    def cpu_each(self) -> float | None:
        """CPU seconds of the server for each request."""
        return None if self.cpu_seconds is None else self.cpu_seconds / len(self.latencies)

    def percentile(self, share: float) -> float:
        """Return the latency below which this share of the requests stayed, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class LoadFailed(Exception):
    """An answer that is no success, with its beginning."""


class _Connection:
    """One kept connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.started = 0.0
        self._received = b""

    def send(self, request: bytes, started: float) -> None:
        self.started = started
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what has come; true when the answer is whole.

        Raises:
            LoadFailed: It is no success, or the server hung up.
        """
        chunk = self.socket.recv(65536)
        if not chunk:
            raise LoadFailed("the server closed a connection without an answer")
        self._received += chunk
        head, mark, body = self._received.partition(b"\r\n\r\n")
        if not mark:
            return False
        if head[9:12] not in _GOOD:
            raise LoadFailed(self._received[:600].decode(errors="replace"))
        at = head.lower().index(b"content-length:") + 15
        if len(body) < int(head[at:].split(b"\r\n", 1)[0]):
            return False
        self._received = b""
        return True


class Load:
    """Kept connections to one server, opened when the first requests are sent.

    A fresh connection that sends nothing holds one of gunicorn's threads for five seconds, so none is opened in advance.
    """

    def __init__(self, port: int, connections: int = CONNECTIONS) -> None:
        self._port = port
        self._unopened = connections
        self._selector = selectors.DefaultSelector()
        self._idle: deque[_Connection] = deque()

    def close(self) -> None:
        """Close all connections."""
        for key in list(self._selector.get_map().values()):
            key.data.socket.close()
        self._selector.close()

    def run_closed(self, requests: Iterator[bytes], count: int) -> Sample:
        """Send so many requests, one after the other on each connection.

        Raises:
            LoadFailed: From the first answer that is no success.
        """
        sample = Sample()
        started = time.perf_counter()
        sent = 0
        while sent < count and (connection := self._find_idle()):
            connection.send(next(requests), time.perf_counter())
            sent += 1
        while len(sample.latencies) < count:
            for connection in self._wait(ANSWER_SECONDS):
                if not connection.receive():
                    continue
                now = time.perf_counter()
                sample.latencies.append(now - connection.started)
                if sent < count:
                    connection.send(next(requests), now)
                    sent += 1
                else:
                    self._idle.append(connection)
        sample.seconds = time.perf_counter() - started
        return sample

    def run_open(self, requests: Iterator[bytes], count: int, rate: float) -> Sample:
        """Send so many requests at random moments, so many a second on average.

        Raises:
            LoadFailed: From the first answer that is no success.
        """
        sample = Sample()
        # The same moments in each run: nothing but the server differs.
        chance = random.Random(1)
        started = due = time.perf_counter()
        waiting: deque[float] = deque()
        planned = 0
        while len(sample.latencies) < count:
            now = time.perf_counter()
            while planned < count and due <= now:
                waiting.append(due)
                due += chance.expovariate(rate)
                planned += 1
            while waiting and (connection := self._find_idle()):
                connection.send(next(requests), waiting.popleft())
            # A selector sleeps whole milliseconds; the last one before the next request is spent asking.
            left = due - time.perf_counter() if planned < count else ANSWER_SECONDS
            for connection in self._wait(left - 0.0015 if left > 0.0015 else 0):
                if connection.receive():
                    sample.latencies.append(time.perf_counter() - connection.started)
                    self._idle.append(connection)
        sample.seconds = time.perf_counter() - started
        return sample

    def _find_idle(self) -> _Connection | None:
        if self._idle:
            return self._idle.popleft()
        if not self._unopened:
            return None
        self._unopened -= 1
        connection = _Connection(self._port)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        return connection

    def _wait(self, seconds: float) -> list[_Connection]:
        ready = [key.data for key, _ in self._selector.select(seconds)]
        if not ready and seconds >= ANSWER_SECONDS:
            raise LoadFailed(f"no answer within {ANSWER_SECONDS:.0f} seconds")
        return ready
