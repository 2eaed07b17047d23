"""Ledger, outbox and reconciler against a model of a few lines: whatever happens in whatever order, they end where the model ends."""

import itertools
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from callback.arrived import ArrivedObject
from callback.deadline import Deadline
from callback.errors import UploadClosed, UploadReplaced
from ossgate.delivery.deliverer import Deliverer
from ossgate.delivery.errors import DeliveryFailed
from ossgate.ledger import Ledger, QuotaLimit
from ossgate.ledger.events import EVENT_STEPS
from ossgate.ledger.tables import metadata

QUOTA = QuotaLimit(pending_uploads=1000, bytes=10**9)
NUMBERS = st.integers(0, 5)
SEALED_ETAGS, OTHER_ETAGS = ("AA", "BB"), ("CC", "DD")
SIZES = {"AA": 3, "BB": 50, "CC": 7, "DD": 90}
names = itertools.count()


@dataclass
class Model:
    """One upload as it should be; ``state`` is none where the ledger has no row."""

    state: str | None
    etag: str = ""
    stored: str = ""
    is_sealed: bool = False
    posted: str = ""
    events: list = field(default_factory=list)
    replaced: set = field(default_factory=set)

    def enter(self, state, etag="", *, is_told=True):
        self.state, self.etag = state, etag or self.etag
        self.events += [f"upload.{state}"] * is_told

    def arrive(self, etag):
        if self.state in (None, "issued", "expired", "unconfirmed"):
            self.enter("uploaded", etag)
        elif self.state == "uploaded" and etag not in (self.etag, *self.replaced):
            self.replaced.add(etag)
            self.events.append("upload.replaced")

    def claim(self, etag):
        """A callback comes while the bucket cannot be asked."""
        if self.state in (None, "issued", "expired"):
            self.enter("unconfirmed", etag, is_told=False)

    def reconcile(self):
        if not self.stored and self.state in ("uploaded", "unconfirmed"):
            self.enter("deleted", is_told=self.state == "uploaded")
        elif self.state == "issued" and not self.is_sealed:
            self.enter("expired")
        elif self.stored and (self.is_sealed or self.state == "uploaded") and self.state != "deleted":
            self.arrive(self.stored)


class Sink:
    """Hears events, and fails as often as it is told to."""

    name, concurrency, prefetch, timeout = "app", 1, 2, 5.0

    def __init__(self):
        self.told, self.failures = [], 0

    def send(self, delivery, *, now):
        self.told.append(delivery)
        if self.failures:
            self.failures -= 1
            raise DeliveryFailed("not now")

    def close(self):
        pass


class Machine(RuleBasedStateMachine):
    """All that can happen to some uploads."""

    def __init__(self, url, make_world_on):
        super().__init__()
        self.url = url
        self.engine = create_engine(url, poolclass=NullPool)
        with self.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        self.sink = Sink()
        self.world = make_world_on(self.open())
        self.uploads = []

    def open(self):
        return Ledger(self.url, routes=lambda profile, event: ("app",))

    def pick(self, number):
        return self.uploads[number % len(self.uploads)] if self.uploads else None

    def pass_time(self, **length):
        self.world.now += timedelta(**length)
        self.world.bucket.now = self.world.now

    def put(self, facts, model, etag, *, is_sealed):
        seal = self.world.seal_keys.issue_seal(facts) if is_sealed else None
        self.world.bucket.put(facts.object_key, etag=etag, size=SIZES[etag], seal=seal, at=self.world.now)
        model.stored, model.is_sealed = etag, is_sealed

    def record(self, facts, etag, target, via):
        arrivals = self.world.reconciler().arrivals
        arrived = ArrivedObject(SIZES[etag], etag, facts.content_type)
        try:
            arrivals.record(
                arrivals.profiles["photo"], facts, arrived, target=target, via=via, deadline=Deadline(60)
            )
        except (UploadClosed, UploadReplaced):
            # It counts for nothing, or for a note, as the model says.
            return

    @rule(is_lost=st.booleans())
    def issue(self, is_lost):
        """A grant; its row may be lost at once."""
        self.pass_time(seconds=1)
        facts = self.world.facts(f"n{next(names):06d}")
        if not is_lost:
            self.world.issue(facts, quota=QUOTA, quota_key="alice")
        self.uploads.append((facts, Model(None if is_lost else "issued")))

    @rule(number=NUMBERS, etag=st.sampled_from(SEALED_ETAGS))
    def post(self, number, etag):
        """The form is posted; OSS overwrites nothing."""
        if (found := self.pick(number)) and not found[1].stored:
            self.put(*found, etag, is_sealed=True)
            found[1].posted = etag

    @rule(number=NUMBERS, via=st.sampled_from(["callback", "confirm"]))
    def tell(self, number, via):
        """A callback, or `confirm`, and the bucket agrees."""
        if (found := self.pick(number)) and found[1].is_sealed and found[1].stored:
            self.record(found[0], found[1].stored, "uploaded", via)
            found[1].arrive(found[1].stored)

    @rule(number=NUMBERS)
    def tell_without_bucket(self, number):
        """A callback, perhaps of an object that has changed since, and the bucket cannot be asked."""
        if (found := self.pick(number)) and found[1].posted:
            self.record(found[0], found[1].posted, "unconfirmed", "callback")
            found[1].claim(found[1].posted)

    @rule(number=NUMBERS)
    def expire(self, number):
        """Room is short, and a grant that is over makes some."""
        if (found := self.pick(number)) and found[1].state == "issued":
            self.world.ledger.record_state(found[0].upload_id, "expired", now=self.world.now, timeout=30)
            found[1].enter("expired")

    @rule(number=NUMBERS)
    def delete_object(self, number):
        """Somebody deletes the object."""
        if (found := self.pick(number)) and found[1].stored:
            del self.world.bucket.objects[found[0].object_key]
            found[1].stored, found[1].is_sealed = "", False

    @rule(number=NUMBERS, etag=st.sampled_from(OTHER_ETAGS))
    def overwrite_object(self, number, etag):
        """Somebody else writes under the key."""
        if found := self.pick(number):
            self.put(*found, etag, is_sealed=False)

    @rule(number=NUMBERS)
    def lose_row(self, number):
        """The database comes back without an upload and all that was of it."""
        found = self.pick(number)
        if not found or found[1].state is None:
            return
        upload_id = found[0].upload_id
        upload, quota = metadata.tables["upload"], metadata.tables["quota"]
        with self.engine.begin() as connection:
            row = connection.execute(select(upload).where(upload.c.upload_id == upload_id)).one()
            for name in ("delivery", "history", "upload"):
                table = metadata.tables[name]
                connection.execute(table.delete().where(table.c.upload_id == upload_id))
            pending, size = _hold(row)
            if row.quota_period:
                connection.execute(
                    quota.update().values(
                        pending_uploads=quota.c.pending_uploads - pending, bytes=quota.c.bytes - size
                    )
                )
        found[1].state, found[1].etag, found[1].events, found[1].replaced = None, "", [], set()

    @rule()
    def reconcile(self):
        """Some hours later the bucket is walked."""
        self.pass_time(hours=3)
        self.world.run()
        for _, model in self.uploads:
            model.reconcile()

    @rule(failures=st.integers(0, 3), minutes=st.sampled_from([0, 6, 600]))
    def deliver(self, failures, minutes):
        """What is due is delivered, or not."""
        self.pass_time(minutes=minutes, seconds=1)
        self.sink.failures = failures
        deliverer = Deliverer(
            self.world.ledger.outbox, [self.sink], now=lambda: self.world.now,
            log=lambda event, **facts: None, random=lambda: 0.0, idle_seconds=0.01,
        )  # fmt: skip
        deliverer.run(until_empty=True)
        self.sink.failures = 0

    @rule(was_sent=st.booleans())
    def crash(self, was_sent):
        """Server and deliverer die, the latter with something in its hands that may have been sent; new ones begin."""
        claimed = self.world.ledger.outbox.claim_deliveries(
            {"app": 2}, locked_by="dead", lease=timedelta(minutes=1), now=self.world.now, timeout=30
        )
        self.sink.told += claimed if was_sent else []
        self.world.ledger.close()
        self.world.ledger = self.open()

    @invariant()
    def states_and_accounts_agree(self):
        """At any time each upload is in the model's state, and the accounts are the sums over the rows."""
        with self.engine.connect() as connection:
            rows = {row.upload_id: row for row in connection.execute(select(metadata.tables["upload"]))}
            accounts = connection.execute(select(metadata.tables["quota"])).all()
        for facts, model in self.uploads:
            row = rows.get(facts.upload_id)
            found = None if row is None else row.state
            assert found == model.state
            if found in ("unconfirmed", "uploaded"):
                assert row.etag == model.etag
        counted = [_hold(row) for row in rows.values() if row.quota_period]
        assert [(sum(one[0] for one in counted), sum(one[1] for one in counted))] * len(accounts) == [
            (account.pending_uploads, account.bytes) for account in accounts
        ]

    def teardown(self):
        """At the end all is delivered: each event once in the outbox, heard at least once, in its upload's order."""
        try:
            self.reconcile()
            for _ in range(12):
                self.world.ledger.outbox.replay_dead("app", limit=1000, now=self.world.now, timeout=30)
                self.deliver(failures=0, minutes=26 * 60)
            self.states_and_accounts_agree()
            self.check_deliveries()
        finally:
            self.world.ledger.close()
            self.engine.dispose()

    def check_deliveries(self):
        heard = {}
        for delivery in self.sink.told:
            heard.setdefault(delivery.delivery_id, delivery)
        for facts, model in self.uploads:
            rows = self.world.ledger.outbox.list_deliveries(facts.upload_id)
            assert Counter(model.events) == Counter(row.type for row in rows)
            assert {"delivered"} >= {row.state for row in rows}
            kept = {row.delivery_id for row in rows}
            assert kept <= heard.keys()
            types = [one.type for key, one in heard.items() if key in kept]
            assert types == sorted(types, key=EVENT_STEPS.__getitem__)
            assert {facts.upload_id} >= {json.loads(heard[key].body)["data"]["upload_id"] for key in kept}


def _hold(row):
    """What an upload holds of its account."""
    if row.state == "issued":
        return 1, row.size_max
    stored = row.size if row.replaced_size is None else row.replaced_size
    return 0, stored if row.state in ("unconfirmed", "uploaded") else 0


@pytest.mark.parametrize(
    "examples", [10, pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
def test_everything_in_any_order(url, make_world_on, examples):
    """Grants, posts, callbacks, losses, overwriting, reconciliation, delivery and crashes, in any order."""
    run_state_machine_as_test(
        lambda: Machine(url, make_world_on),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
