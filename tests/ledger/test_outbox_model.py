"""Random work of several deliverers against a small model of the outbox: the same claims, in the same order."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossgate.ledger import Arrival, Delivery, Ledger, NewUpload

LEASE = timedelta(minutes=1)
STEPS = {"upload.uploaded": 2, "upload.deleted": 4}
NUMBERS = st.integers(0, 5)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("arrive")),
        st.tuples(st.just("delete"), NUMBERS),
        st.tuples(st.just("claim"), st.sampled_from(["one", "two"])),
        st.tuples(st.just("claim"), st.sampled_from(["one", "two"])),
        st.tuples(st.sampled_from(["finish", "bury", "release"]), NUMBERS),
        st.tuples(st.just("retry"), NUMBERS, st.integers(0, 5)),
        st.tuples(st.just("replay")),
        st.tuples(st.just("wait"), st.integers(0, 3)),
    ),
    min_size=20,
    max_size=60,
)
examples = itertools.count()
sinks: dict[str, str] = {}


@pytest.fixture
def ledger(make_ledger: Callable[..., Ledger]) -> Ledger:
    """Open a ledger that tells the sink of the example."""
    return make_ledger(routes=lambda profile, event: (sinks["here"],))


@dataclass
class Row:
    """Hold what one row of the outbox should hold."""

    upload: int
    type: str
    next_at: datetime
    state: str = "pending"
    holder: str | None = None
    attempts: int = 0


class Model:
    """Know which rows a deliverer must get, and what becomes of them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def find(self, upload: int, event: str) -> Row:
        return next(row for row in self.rows if (row.upload, row.type) == (upload, event))

    def claim(self, holder: str, now: datetime) -> set[tuple[int, str, int]]:
        pending = [row for row in self.rows if row.state == "pending"]
        firsts = [
            row
            for row in pending
            if not any(
                other.upload == row.upload and STEPS[other.type] < STEPS[row.type] for other in pending
            )
        ]
        claimed = [row for row in firsts if row.next_at <= now]
        for row in claimed:
            row.holder, row.next_at, row.attempts = holder, now + LEASE, row.attempts + 1
        return {(row.upload, row.type, row.attempts) for row in claimed}

    def finish(self, row: Row, attempts: int, now: datetime) -> None:
        if row.state != "delivered":
            row.state, row.holder = "delivered", None
        if attempts > 1:
            self._move(row, now)

    def settle(self, row: Row, holder: str | None, attempts: int, state: str, next_at: datetime) -> None:
        if row.state == "pending" and row.holder == holder:
            row.state, row.holder, row.next_at, row.attempts = state, None, next_at, attempts

    def settle_and_move(
        self, row: Row, holder: str | None, attempts: int, state: str, next_at: datetime
    ) -> None:
        self.settle(row, holder, attempts, state, next_at)
        self._move(row, next_at)

    def replay(self, now: datetime) -> int:
        dead = [row for row in self.rows if row.state == "dead"]
        for row in dead:
            row.state, row.next_at, row.attempts = "pending", now, 0
        return len(dead)

    def _move(self, row: Row, next_at: datetime) -> None:
        for other in self.rows:
            if other.upload == row.upload and other.state == "pending" and other.holder is None:
                other.next_at = next_at


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS)
def test_random_deliverers(
    operations: list[tuple[Any, ...]],
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
) -> None:
    """Whatever deliverers do, in time or late, ledger and model give out the same rows and end in the same states."""
    # One ledger for all examples, since each holds connections; one sink for each.
    name = sinks["here"] = f"sink {next(examples)}"
    outbox, model = ledger.outbox, Model()
    news: list[NewUpload] = []
    claims: list[Delivery] = []
    for operation, *arguments in operations:
        if operation == "wait":
            now += timedelta(minutes=arguments[0])
        elif operation == "arrive":
            news.append(make_upload())
            ledger.record_arrival(make_arrival(news[-1]), now=now, timeout=30)
            model.rows.append(Row(len(news) - 1, "upload.uploaded", now))
        elif operation == "delete" and news:
            number = arguments[0] % len(news)
            before = ledger.fetch_upload(news[number].upload_id)
            assert before is not None
            ledger.record_state(before.upload_id, "deleted", now=now, timeout=30)
            if before.state != "deleted":
                model.rows.append(Row(number, "upload.deleted", now))
        elif operation == "claim":
            got = outbox.claim_deliveries(
                {name: 100}, locked_by=arguments[0], lease=LEASE, now=now, timeout=30
            )
            ids = [new.upload_id for new in news]
            found = {(ids.index(each.upload_id), each.type, each.attempts) for each in got}
            assert found == model.claim(arguments[0], now)
            claims += got
        elif operation == "replay":
            assert outbox.replay_dead(name, limit=100, now=now, timeout=30) == model.replay(now)
        elif operation in ("finish", "bury", "release", "retry") and claims:
            # Any claim, also one whose lease is long over.
            claimed = claims[-1 - arguments[0] % len(claims)]
            upload = [new.upload_id for new in news].index(claimed.upload_id)
            row = model.find(upload, claimed.type)
            held_by, attempts = claimed.locked_by, claimed.attempts
            if operation == "finish":
                outbox.finish_delivery(claimed, now=now, timeout=30)
                model.finish(row, attempts, now)
            elif operation == "release":
                outbox.release_deliveries([claimed], now=now, timeout=30)
                model.settle(row, held_by, attempts - 1, "pending", now)
            elif operation == "bury":
                outbox.bury_delivery(claimed, error="no", now=now, timeout=30)
                model.settle_and_move(row, held_by, attempts, "dead", now)
            else:
                next_at = now + timedelta(minutes=arguments[1])
                outbox.retry_delivery(claimed, next_at=next_at, error="no", timeout=30)
                model.settle_and_move(row, held_by, attempts, "pending", next_at)

    for row in model.rows:
        told = {each.type: each for each in outbox.list_deliveries(news[row.upload].upload_id)}[row.type]
        assert (told.state, told.locked_by, told.attempts) == (row.state, row.holder, row.attempts)
