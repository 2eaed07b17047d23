"""What is being done, on one line of the terminal's error stream; a line each where that is no terminal."""

from __future__ import annotations

import shutil
import sys
import time


class Progress:
    """Tells each step with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._rewrites = sys.stderr.isatty()
        self._last = ""

    def tell(self, step: str) -> None:
        """Show a step; steps that only count on are left out of logs."""
        line = f"{time.monotonic() - self._started:4.0f} s  {step}"
        if self._rewrites:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r" + line[:width].ljust(width))
        elif step.split(" ", 1)[0] != self._last.split(" ", 1)[0] or "round" in step:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()
        self._last = step

    def end(self) -> None:
        """Clear the line."""
        if self._rewrites:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r" + " " * width + "\r")
            sys.stderr.flush()
