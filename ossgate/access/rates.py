"""Rate limits: how often somebody may ask, counted by person and by address.

Answered with 429, Retry-After, and the fields of https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from ossgate.access.callers import ANONYMOUS, API_KEY, Caller, network_of

BY_ANONYMOUS, BY_SUBJECT, BY_ADDRESS = "anonymous", "subject", "address"
COUNTED = (BY_ANONYMOUS, BY_SUBJECT, BY_ADDRESS)
ISSUE, CONFIRM, PARTS, BEARERS = "issue", "confirm", "parts", "bearers"
ACTIONS = (ISSUE, CONFIRM, PARTS, BEARERS)
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"([1-9][0-9]{0,8}) ?/ ?(?:([1-9][0-9]{0,3}) )?(second|minute|hour|day)s?")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many seconds."""

    amount: int
    seconds: int


def parse_rate(written: str) -> Rate:
    """Return a rate such as ``60/minute`` or ``100/5 minutes``.

    Raises:
        ValueError: Written otherwise.
    """
    form = _RATE.fullmatch(written.strip())
    if form is None:
        raise ValueError(
            f'{written!r} is no rate; write one such as "60/minute" or "100/5 minutes", or "" for none'
        )
    return Rate(int(form[1]), int(form[2] or 1) * _UNITS[form[3]])


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands with a rate: whether this request passed, what is left, and in how many seconds there is more."""

    policy: str
    rate: Rate
    passed: bool
    remaining: int
    reset: int


class RateLimited(Exception):
    """Somebody who asks too often; answered with 429."""

    code = "rate_limited"

    def __init__(self, standing: Standing) -> None:
        super().__init__(f"more than {standing.rate.amount} in {standing.rate.seconds} seconds")
        self.retry_after = max(1, standing.reset)


class Counter(Protocol):
    """Counts what somebody did."""

    def hit(self, rate: Rate, key: str, cost: int) -> tuple[bool, int, float] | None:
        """Count a request; return whether it passes, what is left and the seconds until more is; nothing when it cannot tell."""
        ...


class RateLimits:
    """Counts each caller against the rates that are set.

    Args:
        rates: By action; an action without one is not counted.
        per: Whom to count: anonymous callers by their network, named ones by subject, or all but API keys by network.
        counter: Where it is counted.
        note: Told where the caller stands, for the answer's fields.
    """

    def __init__(
        self,
        rates: Mapping[str, Rate],
        *,
        per: Sequence[str],
        counter: Counter,
        note: Callable[[Standing], None] = lambda standing: None,
    ) -> None:
        self._rates = dict(rates)
        self._per = frozenset(per)
        self._counter = counter
        self._note = note

    def hit(self, action: str, caller: Caller, subject: str = "", *, cost: int = 1) -> None:
        """Count a request.

        Args:
            action: What is asked for.
            caller: Who asks.
            subject: For whom, where an API key asks.
            cost: For how many; one request that asks for more than the whole rate passes when nothing else was asked.

        Raises:
            RateLimited: Too often.
        """
        rate = self._rates.get(action)
        if rate is None:
            return
        for kind, whom in self._list_counted(caller, subject):
            # Hashed, so that no store of counters holds who asked.
            key = blake2b(f"{action}\n{kind}\n{whom}".encode(), digest_size=16).hexdigest()
            counted = self._counter.hit(rate, key, min(cost, rate.amount))
            if counted is None:
                continue
            passed, remaining, seconds = counted
            standing = Standing(f"{action}-{kind}", rate, passed, remaining, max(0, -int(-seconds // 1)))
            self._note(standing)
            if not passed:
                raise RateLimited(standing)

    def _list_counted(self, caller: Caller, subject: str) -> Iterator[tuple[str, str]]:
        if caller.way == ANONYMOUS:
            if BY_ANONYMOUS in self._per or BY_ADDRESS in self._per:
                yield BY_ANONYMOUS, network_of(caller.address)
            return
        if BY_SUBJECT in self._per:
            yield BY_SUBJECT, caller.quota_key(subject or caller.default_subject)
        # A backend asks for all of its people from one address.
        if BY_ADDRESS in self._per and caller.way != API_KEY:
            yield BY_ADDRESS, network_of(caller.address)


def format_policies(standings: Sequence[Standing]) -> str:
    """Return the field ``RateLimit-Policy``, such as ``"issue-anonymous";q=60;w=60``."""
    return ", ".join(f'"{one.policy}";q={one.rate.amount};w={one.rate.seconds}' for one in standings)


def format_standings(standings: Sequence[Standing]) -> str:
    """Return the field ``RateLimit``, such as ``"issue-anonymous";r=59;t=12``."""
    return ", ".join(f'"{one.policy}";r={one.remaining};t={one.reset}' for one in standings)
