"""Random operations against a small model: the same states, the same sums."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossgate.ledger import Arrival, Ledger, NewUpload, QuotaExceeded, QuotaLimit, TransitionForbidden
from ossgate.ledger.states import is_allowed

LIMIT = QuotaLimit(pending_uploads=3, bytes=5000)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("issue"), st.lists(st.integers(0, 2000), min_size=1, max_size=2)),
        st.tuples(
            st.just("arrive"),
            st.integers(0, 7),
            st.sampled_from(["uploaded", "unconfirmed"]),
            st.integers(0, 2000),
            st.sampled_from("AB"),
        ),
        st.tuples(st.just("state"), st.integers(0, 7), st.sampled_from(["expired", "aborted", "deleted"])),
        st.tuples(st.just("wait"), st.integers(1, 12)),
    ),
    max_size=25,
)
examples = itertools.count()
TOLD = {"expired", "uploaded", "replaced", "deleted", "aborted"}


@pytest.fixture
def ledger(make_ledger: Callable[..., Ledger]) -> Ledger:
    """Open a ledger that tells one sink of everything."""
    return make_ledger(routes=lambda profile, event: ("hooks",))


class Model:
    """Hold what the ledger should hold: each upload's state, promise, size, ETag and expiry."""

    def __init__(self) -> None:
        self.uploads: list[dict[str, Any]] = []

    def held(self) -> tuple[int, int]:
        issued = [each["promised"] for each in self.uploads if each["state"] == "issued"]
        stored = [each["size"] for each in self.uploads if each["state"] in ("unconfirmed", "uploaded")]
        return len(issued), sum(issued) + sum(stored)

    def fits(self, sizes: list[int]) -> bool:
        pending, size = self.held()
        return pending + len(sizes) <= 3 and size + sum(sizes) <= 5000

    def issue(self, sizes: list[int], now: datetime) -> bool:
        if not self.fits(sizes):
            for each in self.uploads:
                if each["state"] == "issued" and each["expires"] + timedelta(minutes=10) < now:
                    each["state"] = "expired"
        if self.fits(sizes):
            expires = now + timedelta(minutes=5)
            self.uploads += [
                {"state": "issued", "promised": size, "size": None, "etag": None, "expires": expires}
                for size in sizes
            ]
            return True
        return False

    def arrive(self, each: dict[str, Any], target: str, size: int, etag: str) -> bool:
        first = is_allowed(each["state"], target)
        if first:
            each.update(state=target, size=size, etag=etag)
        return first


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS)
def test_random_operations(
    operations: list[tuple[Any, ...]],
    ledger: Ledger,
    make_upload: Callable[..., NewUpload],
    make_arrival: Callable[..., Arrival],
    now: datetime,
    read_accounts: Callable[[], dict[tuple[str, str, str], tuple[int, int]]],
) -> None:
    """Whatever happens in whatever order, ledger and model agree on states, sizes, histories, quota sums and the outbox."""
    key, model, news = f"example {next(examples)}", Model(), list[NewUpload]()
    for name, *arguments in operations:
        if name == "wait":
            now += timedelta(minutes=arguments[0])
        elif name == "issue":
            fresh = [
                make_upload(
                    quota_key=key, size_max=size, created_at=now, expires_at=now + timedelta(minutes=5)
                )
                for size in arguments[0]
            ]
            try:
                ledger.record_issued(fresh, quota=LIMIT, now=now, timeout=30)
                granted = True
            except QuotaExceeded:
                granted = False
            assert granted == model.issue(arguments[0], now)
            news += fresh if granted else []
        elif arguments[0] < len(news):
            number, target, *facts = arguments
            each, before = model.uploads[number], dict(model.uploads[number])
            try:
                if name == "arrive":
                    size, etag = facts
                    arrival = make_arrival(news[number], target=target, size=size, etag=etag)
                    outcome = ledger.record_arrival(arrival, now=now, timeout=30)
                    assert outcome.first == model.arrive(each, target, size, etag)
                    assert outcome.conflict == (before["state"] == "uploaded" and before["etag"] != etag)
                else:
                    ledger.record_state(news[number].upload_id, target, now=now, timeout=30)
                    assert each["state"] == target or is_allowed(each["state"], target)
                    each["state"] = target
            except TransitionForbidden:
                assert not is_allowed(before["state"], target)
                assert each == before

    for new, each in zip(news, model.uploads, strict=True):
        found = ledger.fetch_upload(new.upload_id)
        assert found is not None
        assert (found.state, found.size, found.etag) == (each["state"], each["size"], each["etag"])
        claims = [change.claim for change in ledger.fetch_history(new.upload_id)]
        assert each["state"] in claims
        assert len(set(claims)) == len(claims)
        # Of an unconfirmed upload nobody has heard, so nobody hears that it is gone.
        untold = {"deleted"} if "uploaded" not in claims else set()
        changes = sorted(name for claim in claims if (name := claim.partition(":")[0]) in TOLD - untold)
        told = sorted(
            each.type.removeprefix("upload.") for each in ledger.outbox.list_deliveries(new.upload_id)
        )
        assert told == changes
    assert read_accounts().get((key, "photo", "ever"), (0, 0)) == model.held()
