"""Which faults are played at an occasion: no input, no output, no clock.

A rule counts the occasions that fit it. From its `nth` on it is played, until it has been `times` times; a rule
with a probability throws its own dice, so that a seed repeats a run whatever the other rules do.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ossgate.emulator.fault_rules import FaultRule


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that may go wrong.

    Args:
        operation: OSS's own name of it.
        object_key: None while it is not known, as before a form's fields are read.
    """

    operation: str
    bucket: str = ""
    object_key: str | None = ""


@dataclass(slots=True)
class ActiveFault:
    """A rule with its counters."""

    fault_id: str
    rule: FaultRule
    seen: int = 0
    fired: int = 0
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Repeatability is what is wanted of these.
        self._dice = random.Random(self.rule.seed)  # noqa: S311

    @property
    def spent(self) -> bool:
        """Tell whether it has been played as often as it was to be."""
        return self.rule.times is not None and self.fired >= self.rule.times

    def fits(self, occasion: Occasion) -> bool:
        """Tell whether the rule is about such an occasion."""
        rule = self.rule
        if rule.operation and not any(
            fnmatchcase(occasion.operation, pattern.strip()) for pattern in rule.operation.split(",")
        ):
            return False
        if rule.bucket and not fnmatchcase(occasion.bucket, rule.bucket):
            return False
        if not self.needs_key:
            return True
        key = occasion.object_key
        return key is not None and key.startswith(rule.prefix) and fnmatchcase(key, rule.key or "*")

    @property
    def needs_key(self) -> bool:
        """Tell whether the object's key decides."""
        return bool(self.rule.key or self.rule.prefix)

    def is_due(self) -> bool:
        """Tell whether the fault is to be played at the occasion that was counted last."""
        if self.spent or self.seen < self.rule.nth:
            return False
        return self.rule.probability >= 1 or self._dice.random() < self.rule.probability

    def describe(self) -> dict[str, Any]:
        """Tell rule and counters."""
        left = None if self.rule.times is None else max(self.rule.times - self.fired, 0)
        return {
            "id": self.fault_id,
            **self.rule.describe(),
            "seen": self.seen,
            "fired": self.fired,
            "left": left,
        }


def choose_faults(
    faults: Iterable[ActiveFault], places: Iterable[str], occasion: Occasion, *, keyed_only: bool = False
) -> list[ActiveFault]:
    """Tell which faults are played at an occasion, and count them.

    Of those that exclude each other the first is played, and the others keep their turns.

    Args:
        places: What is about to happen: the `on` of rules that come into question.
        keyed_only: Whether rules that ask for no key are left out: they have had this occasion already.
    """
    chosen: dict[tuple[str, str], ActiveFault] = {}
    wanted = set(places)
    for fault in faults:
        rule = fault.rule
        if rule.on not in wanted or (keyed_only and not fault.needs_key) or not fault.fits(occasion):
            continue
        fault.seen += 1
        if (rule.on, rule.group) not in chosen and fault.is_due():
            chosen[rule.on, rule.group] = fault
    for fault in chosen.values():
        fault.fired += 1
    return list(chosen.values())
