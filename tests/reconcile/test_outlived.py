"""Objects that were to stay for some days: gone by a lifecycle rule, deleted when told to, and otherwise left alone."""

from datetime import timedelta

import pytest

from ossgate.bucket import BucketUnavailable
from ossgate.ledger import LedgerBusy
from ossgate.reconcile import Interrupted
from ossgate.reconcile.comparison import RULE_EARLY, RULE_LATE, Ages, suspect
from ossgate.reconcile.findings import Kind

DAY = timedelta(days=1)
TOLD = ("outlived", "left")
DELETED = {"delete_outlived": True, "apply": True}


@pytest.fixture
def kept(world):
    """An upload of so many days that arrived as long ago as said; its object is there."""

    def make(name="a", *, days=2, ago=3 * DAY, stored=True, **changes):
        facts = world.facts(name, keep_days=days)
        world.arrive(facts, at=world.now - ago)
        if stored:
            world.store(facts, **{"at": world.now - ago} | changes)
        return facts

    return make


@pytest.mark.parametrize(
    ("ago", "kind"),
    [
        (2 * DAY - RULE_EARLY - timedelta(minutes=1), Kind.GONE),
        (2 * DAY - RULE_EARLY, Kind.OUTLIVED),
        (3 * DAY, Kind.OUTLIVED),
    ],
)
def test_absent_object_is_gone_or_outlived(now, make_swept, ago, kind):
    """A rule may have acted some hours before our end of days; earlier it was none."""
    upload = make_swept("k", uploaded_at=now - ago, keep_until=now - ago + 2 * DAY)

    assert kind == suspect(upload, None, Ages(now, timedelta(minutes=10)))


@pytest.mark.parametrize(
    ("ago", "kind"),
    [(DAY / 48, Kind.GONE), (DAY / 2 - timedelta(minutes=1), Kind.GONE), (DAY / 2, Kind.OUTLIVED)],
)
def test_of_a_single_day_only_its_later_half_is_early(now, make_swept, ago, kind):
    """A rule deletes nothing that has just arrived."""
    upload = make_swept("k", uploaded_at=now - ago, keep_until=now - ago + DAY)

    assert kind == suspect(upload, None, Ages(now, timedelta(minutes=10)))


def test_empty_bucket_is_no_loss_of_what_was_to_stay_a_day(world, kept):
    """The brake holds: what arrived an hour ago was to be there still."""
    uploads = [kept(f"a{n}", days=1, ago=DAY / 24, stored=False) for n in range(3)]
    world.run(max_gone=1)

    assert ["deleted", "uploaded", "uploaded"] == sorted(world.state(facts) for facts in uploads)


@pytest.mark.parametrize(
    ("stored", "kind"),
    [
        ({}, Kind.OUTLIVED),
        ({"etag": "CD34"}, Kind.CHANGED),
        ({"last_modified": DAY}, Kind.NEWER),
    ],
)
def test_present_object_is_compared_first(now, make_swept, make_listed, stored, kind):
    """Other bytes are not what was to be deleted, and what was written again has all its days before it."""
    arrived = now - 3 * DAY
    modified = arrived if "last_modified" not in stored else now - stored["last_modified"]
    listed = make_listed("k", **stored | {"last_modified": modified})
    upload = make_swept("k", uploaded_at=arrived, keep_until=arrived + 2 * DAY)

    assert kind == suspect(upload, listed, Ages(now, timedelta(minutes=10)))


def test_object_that_a_rule_has_deleted_is_no_alarm(world, kept):
    """It is what was agreed: deleted, with its reason, however many there are."""
    uploads = [kept(f"a{n}", stored=False) for n in range(3)]
    run = world.run(max_gone=1)

    assert {("outlived", "settled")} == {found[:2] for found in world.find(run)}
    assert ["deleted"] * 3 == [world.state(facts) for facts in uploads]
    assert {"reason": "outlived"} == world.ledger.fetch_history(uploads[0].upload_id)[-1].facts
    assert [] == world.find(world.run())


def test_object_is_deleted_when_told_to(make_world):
    """In the bucket, then in the ledger; the application hears of it, once."""
    world = make_world(routes=lambda profile, event: ("hook",))
    facts, young, forever = (
        world.facts(name, keep_days=days) for name, days in (("a", 2), ("b", 9), ("c", 0))
    )
    for one in (facts, young, forever):
        world.arrive(one, at=world.now - 3 * DAY)
        world.store(one, at=world.now - 3 * DAY)
    run = world.run(**DELETED)

    assert [("outlived", "settled", facts.object_key)] == world.find(run)
    assert [facts.object_key] == world.bucket.deleted
    assert ["deleted", "uploaded", "uploaded"] == [world.state(one) for one in (facts, young, forever)]
    assert ["upload.deleted"] == [
        one.type
        for one in world.ledger.outbox.list_deliveries(facts.upload_id)
        if one.type != "upload.uploaded"
    ]
    assert [] == world.find(world.run(**DELETED))


@pytest.mark.parametrize("options", [{"delete_outlived": True}, {**DELETED, "dry_run": True, "apply": False}])
def test_nothing_is_deleted_without_apply(world, kept, options):
    """It is told what would be."""
    facts = kept()
    run = world.run(**options)

    assert [("outlived", "dry_run", facts.object_key)] == world.find(run)
    assert ([], "uploaded") == (world.bucket.deleted, world.state(facts))


@pytest.mark.parametrize(("late", "found"), [(RULE_LATE - timedelta(minutes=1), []), (RULE_LATE, [TOLD])])
def test_object_that_nothing_deletes_is_told_after_some_days(world, kept, late, found):
    """A rule is carried out once a day, so for three days nothing is said; nor is the bucket asked."""
    kept(ago=2 * DAY + late)
    run = world.run()

    assert found == [one[:2] for one in world.find(run)]
    assert [] == [key for what, key in world.bucket.asked if what == "HEAD"]


def test_quick_run_finds_what_is_due_without_listing(world, kept):
    """The ledger's own index says whom to ask about; one that a rule has deleted meanwhile is settled, too."""
    there, gone, young = kept("a"), kept("b", stored=False), kept("c", days=9)
    run = world.run(quick=True, **DELETED)

    assert [("outlived", "settled", key) for key in (there.object_key, gone.object_key)] == sorted(
        world.find(run)
    )
    assert ["deleted", "deleted", "uploaded"] == [world.state(one) for one in (there, gone, young)]
    assert [there.object_key] == world.bucket.deleted
    assert "LIST" not in {what for what, _ in world.bucket.asked}


def test_quick_run_without_being_told_asks_about_none(world, kept):
    """It is for what waits."""
    kept()
    world.run(quick=True)

    assert [] == world.bucket.asked


def test_quick_run_goes_on_where_it_was_stopped(world, kept, monkeypatch):
    """Page by page; what was deleted before the stop is not met again."""
    monkeypatch.setattr("ossgate.reconcile.reconciler.PAGE_UPLOADS", 1)
    uploads = [kept(f"a{n}") for n in range(3)]
    stops = iter([False, True])
    with pytest.raises(Interrupted):
        world.run(quick=True, should_stop=lambda: next(stops, True), **DELETED)
    assert 0 < len(world.bucket.deleted) < 3
    world.run(quick=True, **DELETED)

    assert ["deleted"] * 3 == [world.state(facts) for facts in uploads]
    assert 3 == len(set(world.bucket.deleted)) == len(world.bucket.deleted)


@pytest.mark.parametrize("quick", [False, True])
def test_object_that_changes_while_it_is_looked_at_stays(world, kept, quick):
    """Age and bytes are read again just before anything is done."""
    facts = kept()
    world.bucket.on_head = lambda key: world.store(facts, etag="CD34", at=world.now - timedelta(hours=1))
    world.run(quick=quick, **DELETED)

    assert ([], "uploaded") == (world.bucket.deleted, world.state(facts))


def test_object_that_cannot_be_deleted_is_uploaded_still(world, kept, monkeypatch):
    """The ledger never runs ahead of the bucket."""
    facts = kept()

    def refuse(place, key, *, seconds):
        raise BucketUnavailable("the bucket answered 503")

    monkeypatch.setattr(world.bucket, "delete_object", refuse)
    run = world.run(**DELETED)

    assert [("unknown", "left", facts.object_key)] == world.find(run)
    assert "uploaded" == world.state(facts)


def test_deletion_that_the_ledger_missed_is_found_by_the_next_run(world, kept, monkeypatch):
    """Between bucket and ledger a process may die; then the object is gone and its days are over."""
    facts = kept()
    monkeypatch.setattr(type(world.ledger), "record_state", _raise_busy)
    first = world.run(**DELETED)
    monkeypatch.undo()
    second = world.run()

    assert [("unknown", "left", facts.object_key)] == world.find(first)
    assert [("outlived", "settled", facts.object_key)] == world.find(second)
    assert "deleted" == world.state(facts)


def _raise_busy(*arguments, **options):
    raise LedgerBusy("the ledger did not get to it in time")


def test_profile_narrows_what_is_deleted(world, kept):
    """Of others nothing is touched."""
    facts = kept()
    world.run(profile="other", **DELETED)
    world.run(profile="other", quick=True, **DELETED)

    assert ([], "uploaded") == (world.bucket.deleted, world.state(facts))
