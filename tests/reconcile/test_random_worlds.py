"""Random worlds: whatever the ledger lost and the bucket holds, one run makes them agree and the next finds nothing."""

import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossgate.ledger import Ledger

ROWS = ("none", "issued", "expired", "unconfirmed", "uploaded", "deleted", "aborted")
OBJECTS = ("none", "sealed", "replaced", "unsealed", "foreign seal", "too large")
# Differences that a run may not settle by itself: they are told each time.
FOR_PEOPLE = {"stranger", "disputed", "closed"}

PLANS = st.lists(
    st.tuples(
        st.sampled_from(ROWS),
        st.sampled_from(OBJECTS),
        st.sampled_from(["healthy", "head fails first"]),
    ),
    max_size=9,
)


@pytest.fixture(scope="module")
def empty_ledger(tmp_path_factory):
    """A database whose tables are made, to be copied."""
    path = tmp_path_factory.mktemp("ledger") / "empty.sqlite3"
    ledger = Ledger(f"sqlite:///{path}")
    ledger.upgrade()
    ledger.close()
    return path


@pytest.fixture
def open_world(empty_ledger, make_world_on):
    """Open a world on a database of its own, for as long as a block lasts."""

    def run(check):
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(empty_ledger, Path(folder) / "ledger.sqlite3")
            ledger = Ledger(f"sqlite:///{path}")
            try:
                check(make_world_on(ledger))
            finally:
                ledger.close()

    return run


def build(world, plan):
    """Put each planned upload into the world, and return its facts with the plan."""
    made = []
    for number, (row, stored, trouble) in enumerate(plan):
        facts = world.facts(f"a{number}")
        if row in ("issued", "expired", "aborted"):
            world.issue(facts)
        if row in ("expired", "aborted"):
            world.ledger.record_state(facts.upload_id, row, now=world.now, timeout=5)
        if row in ("unconfirmed", "uploaded", "deleted"):
            world.arrive(facts, target="uploaded" if row == "deleted" else row)
        if row == "deleted":
            world.ledger.record_state(facts.upload_id, row, now=world.now, timeout=5)
        if stored == "unsealed":
            world.bucket.put(facts.object_key)
        elif stored == "foreign seal":
            world.store(facts, seal=world.seal_keys.issue_seal(world.facts("somebody else")))
        elif stored != "none":
            world.store(facts, **{"replaced": {"etag": "CD34"}, "too large": {"size": 999}}.get(stored, {}))
        if trouble != "healthy":
            world.bucket.failing.add(("head", facts.object_key))
        made.append((facts, row, stored))
    return made


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=PLANS, page_size=st.integers(1, 4))
def test_one_run_makes_both_sides_agree(open_world, plan, page_size):
    """Every sealed object has exactly one upload, every uploaded row its object, and a second run finds nothing new."""

    def check(world):
        world.bucket.page_size = page_size
        made = build(world, plan)
        before = {facts.upload_id: world.claims(facts) for facts, _, _ in made}
        blind = {
            facts.object_key for facts, _, _ in made if ("head", facts.object_key) in world.bucket.failing
        }
        world.run()
        for facts, _, _ in made:
            if facts.object_key in blind:
                assert before[facts.upload_id] == world.claims(facts)
        world.bucket.failing.clear()
        world.run()
        for facts, row, stored in made:
            if stored in ("sealed", "replaced") and row not in ("deleted", "aborted"):
                assert "uploaded" == world.state(facts)
        keys = Counter(one.object_key for one in world.ledger.list_uploads(limit=500))
        assert all(count == 1 for count in keys.values())
        for one in world.ledger.list_uploads(state="uploaded", limit=500):
            assert one.object_key in world.bucket.objects
        world.now += timedelta(minutes=1)
        again = world.run()
        assert {kind for kind, _, _ in world.find(again)} <= FOR_PEOPLE
        assert {"left"} >= {outcome for _, outcome, _ in world.find(again)}

    open_world(check)
