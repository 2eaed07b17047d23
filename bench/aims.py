"""What was aimed at, and one line of the table for each measurement."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound on a ratio: at least or at most."""

    kind: Literal["least", "most"]
    bound: float

    def is_met(self, measured: float) -> bool:
        """Tell whether a ratio keeps the bound, to the two digits that are printed."""
        shown = round(measured, 2)
        return shown >= self.bound if self.kind == "least" else shown <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.kind == 'least' else '≤'} {self.bound:.2f}"


AIMS = {
    "issue": Aim("least", 0.75),
    "issue_sqlite": Aim("least", 0.45),
    "callback": Aim("least", 0.60),
    "callback_sqlite": Aim("least", 0.40),
    "callback_postgresql": Aim("least", 0.33),
    "callback_head_sqlite": Aim("least", 0.25),
    "callback_head_postgresql": Aim("least", 0.22),
    "commits_2ms": Aim("least", 5),
    "commits_10ms": Aim("least", 10),
    "signing": Aim("most", 3.5),
    "over_boto3": Aim("least", 1.5),
    "over_companion": Aim("least", 5),
    "memory": Aim("most", 2.5),
}
"""What each is to reach at least (`≥`) or at most (`≤`); a measurement without an aim is there to be looked at."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a ratio, the same ratio by CPU time where that can be told, and the figures behind it."""

    name: str
    label: str
    ratio: float | None
    cpu_ratio: float | None = None
    detail: str = ""

    @property
    def aim(self) -> Aim | None:
        """The bound on this measurement, if there is one."""
        return AIMS.get(self.name)

    @property
    def verdict(self) -> str:
        """Whether the aim is met; on a busy machine the CPU time tells better than the clock."""
        if self.aim is None or self.ratio is None:
            return ""
        met = self.aim.is_met(self.ratio)
        if not met and self.cpu_ratio is not None and self.aim.is_met(self.cpu_ratio):
            return "by CPU"
        return "yes" if met else "no"

    def to_json(self) -> dict[str, Any]:
        """Return the line for machines."""
        aim = str(self.aim) if self.aim else None
        return {**asdict(self), "aim": aim, "met": self.verdict or None}
