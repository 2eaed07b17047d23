"""The faults that were asked for, by whoever asked; safe for several threads."""

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from ossgate.emulator.fault_matching import ActiveFault, Occasion, choose_faults
from ossgate.emulator.fault_rules import FaultRefused, FaultRule, parse_rule

MAX_FAULTS = 1000


class FaultPlan:
    """Keeps faults in the order in which they came; spent ones stay, to tell how often they were played."""

    def __init__(self) -> None:
        self._faults: list[ActiveFault] = []
        self._lock = threading.Lock()
        self._last_number = 0

    def add(self, document: object) -> str:
        """Take a fault as the admin API gets it; tell its ID.

        Raises:
            FaultRefused: It is not understood, or there are too many.
        """
        return self.add_rules([parse_rule(document)])[0]

    def add_rules(self, rules: Sequence[FaultRule]) -> list[str]:
        """Take faults, all or none; tell their IDs.

        Raises:
            FaultRefused: There are too many.
        """
        with self._lock:
            if len(self._faults) + len(rules) > MAX_FAULTS:
                self._faults = [fault for fault in self._faults if not fault.spent]
            if len(self._faults) + len(rules) > MAX_FAULTS:
                raise FaultRefused(
                    f"there are {len(self._faults)} faults, more than {MAX_FAULTS} are not kept"
                )
            added = []
            for rule in rules:
                self._last_number += 1
                added.append(ActiveFault(f"f{self._last_number}", rule))
            self._faults += added
            return [fault.fault_id for fault in added]

    def remove(self, fault_id: str) -> bool:
        """Forget a fault; false when there is none of that ID."""
        with self._lock:
            kept = [fault for fault in self._faults if fault.fault_id != fault_id]
            removed = len(kept) < len(self._faults)
            self._faults = kept
            return removed

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def find(self, fault_id: str) -> dict[str, Any] | None:
        """Tell one fault; None when there is none of that ID."""
        return next((fault for fault in self.list_faults() if fault["id"] == fault_id), None)

    def list_faults(self) -> list[dict[str, Any]]:
        """Tell all faults with how often they were played."""
        with self._lock:
            return [fault.describe() for fault in self._faults]

    def take(
        self,
        places: Iterable[str],
        occasion: Occasion,
        *,
        own: Iterable[ActiveFault] = (),
        keyed_only: bool = False,
    ) -> list[ActiveFault]:
        """Use up what is played at an occasion.

        Args:
            own: Faults that a request brought along; they go first.
            keyed_only: Whether rules that ask for no key are left out.
        """
        with self._lock:
            # Most runs have no fault at all.
            if not self._faults and not own:
                return []
            return choose_faults([*own, *self._faults], places, occasion, keyed_only=keyed_only)
