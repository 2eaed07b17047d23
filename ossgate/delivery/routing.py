"""Which sinks hear of what; pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a sink wants to hear; an empty set means everything."""

    sink: str
    types: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()

    def wants(self, profile: str, event: str) -> bool:
        """Tell whether an event of a profile is for this sink."""
        return (not self.types or event in self.types) and (not self.profiles or profile in self.profiles)


class Routes:
    """Names the sinks of an event, as the ledger asks for them with every change."""

    def __init__(self, subscriptions: Iterable[Subscription]) -> None:
        self._subscriptions = tuple(subscriptions)
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    def __call__(self, profile: str, event: str) -> tuple[str, ...]:
        """Return the sinks' names."""
        found = self._known.get((profile, event))
        if found is None:
            found = tuple(each.sink for each in self._subscriptions if each.wants(profile, event))
            self._known[profile, event] = found
        return found
