"""Lines on their way to standard output: those of requests wait a moment for others, and a thread writes them together.

A write each lets the interpreter's lock go, which sixteen busy threads then queue for: that cost a request more than its signature. So a crash may
lose the last tenth of a second of the log; what happened is in the ledger. An orderly end loses nothing.
"""

from __future__ import annotations

import atexit
import os
import select
import threading
import time
from collections import deque
from queue import SimpleQueue

GATHER_SECONDS = 0.1
PIPE_BYTES = getattr(select, "PIPE_BUF", 512)
"""So much a pipe takes whole."""
LARGEST_WAITING = 5000
"""So many lines wait at most, where whoever reads the log has stopped; then requests wait, too."""


class LogLines:
    """Writes lines to a file descriptor, whole and in their order. No thread begins before a line waits, also after a fork."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_ending = False
        self._start_empty()
        atexit.register(self.end)
        if hasattr(os, "register_at_fork"):
            # What waits is the parent's to write.
            os.register_at_fork(after_in_child=self._start_empty)

    def _start_empty(self) -> None:
        self._lines: deque[bytes] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._has_rung = False
        self._turn = threading.Lock()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, line: bytes) -> None:
        """Write a line soon."""
        self._lines.append(line)
        if self._is_ending or len(self._lines) > LARGEST_WAITING:
            self.write_all()
        elif not self._has_rung:
            self._has_rung = True
            if self._thread is None:
                self._begin()
            self._bell.put(None)

    def write_all(self) -> None:
        """Write what waits, now."""
        with self._turn:
            while self._lines:
                self._write(self._take())

    def end(self) -> None:
        """Write what waits; from now on each line is written at once."""
        self._is_ending = True
        self.write_all()

    def _begin(self) -> None:
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ossgate-log", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            self._bell.get()
            time.sleep(GATHER_SECONDS)
            # Before the lines are taken: whoever adds one after this rings again.
            self._has_rung = False
            self.write_all()

    def _take(self) -> bytes:
        """Return as many lines as a pipe takes whole, so that none of another process comes between."""
        taken = [self._lines.popleft()]
        size = len(taken[0])
        while self._lines and (size := size + len(self._lines[0])) <= PIPE_BYTES:
            taken.append(self._lines.popleft())
        return b"".join(taken)

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            # A full disk, or nobody who reads: no reason to answer nobody any more.
            return
