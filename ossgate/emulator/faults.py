"""Faults on demand: callbacks that are lost, late, or answered with an error."""

import threading
from dataclasses import asdict, dataclass
from typing import Any

ACTIONS = ("drop", "delay", "status")
MAX_DELAY = 60.0


class FaultRefused(ValueError):
    """What was asked for is no fault that the emulator can play; the text says why."""


@dataclass(slots=True)
class Fault:
    """One fault, played a number of times.

    Args:
        action: `drop`: not sent, OSS could not connect; `delay`: sent late; `status`: not sent, as if the
            receiver had answered with that status.
        times: How often it is still played.
    """

    on: str
    action: str
    times: int
    seconds: float = 0.0
    status: int = 500


class FaultPlan:
    """The faults still to come, first in, first played."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, document: object) -> None:
        """Take a fault as the admin API gets it.

        Raises:
            FaultRefused: It is not understood.
        """
        fault = _parse_fault(document)
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def list_faults(self) -> list[dict[str, Any]]:
        """Tell what is still to come."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def take(self, on: str) -> Fault | None:
        """Use up one playing of the first fault for an occasion."""
        with self._lock:
            for fault in self._faults:
                if fault.on == on:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault
        return None


def _parse_fault(document: object) -> Fault:
    if not isinstance(document, dict):
        raise FaultRefused("a fault is a JSON object")
    unknown = set(document) - {"on", "action", "times", "seconds", "status"}
    if unknown:
        raise FaultRefused(f"unknown member {sorted(unknown)[0]}")
    if document.get("on") != "callback":
        raise FaultRefused('"on" must be "callback"')
    action = document.get("action")
    if action not in ACTIONS:
        raise FaultRefused(f'"action" must be one of {", ".join(ACTIONS)}')
    times = document.get("times", 1)
    seconds = document.get("seconds", 0.0)
    status = document.get("status", 500)
    if not isinstance(times, int) or isinstance(times, bool) or times < 1:
        raise FaultRefused('"times" must be a positive integer')
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= MAX_DELAY:
        raise FaultRefused(f'"seconds" must be a number from 0 to {MAX_DELAY:g}')
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        raise FaultRefused('"status" must be an HTTP status')
    return Fault("callback", action, times, float(seconds), status)
