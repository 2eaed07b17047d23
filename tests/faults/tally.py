"""What a run of these tests came to, in numbers."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts over all set-ups.

    Attributes:
        outages: How the callbacks were answered that came while the database was away, by status.
        slowest_ms: The longest of those answers, in milliseconds.
    """

    setups: int = 0
    posts: int = 0
    callbacks: int = 0
    kills: int = 0
    outages: Counter = field(default_factory=Counter)
    slowest_ms: int = 0

    def add(self, world):
        self.setups += 1
        self.posts += len(world.find_events("post_object"))
        self.callbacks += len(world.answers)
        self.kills += world.kills

    def add_outage(self, events):
        """Count answers of a time when the database could not be written; the emulator's events of them."""
        for event in events:
            self.outages[200 if event["status"] == 200 else 503] += 1
            self.slowest_ms = max(self.slowest_ms, event["duration_ms"])

    def describe(self):
        told = (
            f"{self.setups:,} set-ups broken: {self.posts:,} uploads, {self.callbacks:,} callbacks, "
            f"{self.kills:,} processes killed"
        )
        if self.outages:
            told += (
                f"; {self.outages.total():,} callbacks came while the database was away, "
                f"{self.outages[503]:,} got 503, the slowest after {self.slowest_ms:,} ms"
            )
        return told
