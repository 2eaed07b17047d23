"""Each kind of difference, found in a fake bucket and settled in a real ledger."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ossgate.bucket import BucketRefused, BucketUnavailable
from ossgate.ledger import QuotaExceeded, QuotaLimit

HOUR = timedelta(hours=1)
SETTLED = [
    ("overdue", "settled", "photos/overdue.jpg"),
    ("unrecorded", "settled", "photos/unrecorded.jpg"),
    ("untold", "settled", "photos/untold.jpg"),
]


def test_world_that_agrees(world):
    """Where both sides agree nothing is asked beyond the listing, and nothing is found."""
    for n in range(7):
        facts = world.facts(f"a{n}")
        world.arrive(facts)
        world.store(facts)
    run = world.run()

    assert ([], 7, 7) == (world.find(run), run.counts["uploads"], run.counts["objects"])
    assert run.finished_at is not None
    assert all(what == "LIST" for what, _ in world.bucket.asked)


def test_both_directions_are_settled_in_one_run(world):
    """A grant nobody used, a callback that was lost, a row that was lost: one walk settles them."""
    overdue, untold, unrecorded = (world.facts(name) for name in ("overdue", "untold", "unrecorded"))
    world.issue(overdue)
    world.issue(untold)
    world.store(untold)
    world.store(unrecorded)
    first, second = world.run(), world.run()

    assert SETTLED == sorted(world.find(first))
    assert ["expired", "uploaded", "uploaded"] == [
        world.state(facts) for facts in (overdue, untold, unrecorded)
    ]
    assert [] == world.find(second)


def test_found_upload_goes_through_the_arrived_step(make_world):
    """The handler is called, the outbox filled and the reply stored as by a callback, and only once."""
    told = []
    world = make_world(handler=lambda upload: told.append(upload), routes=lambda profile, event: ("hook",))
    facts = world.facts("a")
    world.issue(facts)
    world.store(facts)
    world.run()
    world.run()
    upload = world.ledger.fetch_upload(facts.upload_id)

    assert [facts.upload_id] == [one["upload_id"] for one in told]
    assert ["upload.uploaded"] == [one.type for one in world.ledger.outbox.list_pending("hook")]
    assert ("reconcile", 3, b'"state":"uploaded"') == (
        upload.arrived_via, upload.size, b'"state":"uploaded"' if b'"state":"uploaded"' in upload.reply else None,
    )  # fmt: skip


def test_lost_row_is_rebuilt_from_the_seal(world):
    """The bucket alone is enough: all that was promised comes back from the object's metadata."""
    facts = world.facts("a", variables={"album": "七月"}, via="put")
    world.store(facts, size=5)
    world.run()
    upload = world.ledger.fetch_upload(facts.upload_id)

    assert ("uploaded", 5, {"album": "七月"}, "put", facts.issued) == (
        upload.state, upload.size, upload.variables, upload.via, upload.created_at,
    )  # fmt: skip
    assert ["issued", "uploaded"] == world.claims(facts)


def test_expiry_releases_the_quota(world):
    """What was promised and never came is given back."""
    limit = QuotaLimit(pending_uploads=1, bytes=100)
    first, second = world.facts("a"), world.facts("b")
    world.issue(first, quota=limit, quota_key="alice")
    world.run()
    world.issue(second, quota=limit, quota_key="alice")

    assert ("expired", "issued") == (world.state(first), world.state(second))


def test_late_object_of_an_expired_upload(world):
    """An object that turns up outweighs our clock."""
    facts = world.facts("a")
    world.issue(facts)
    world.run()
    world.store(facts)
    world.run()

    assert ["issued", "expired", "uploaded"] == world.claims(facts)


@pytest.mark.parametrize(("stored", "expected"), [(True, ("uploaded", "AB12")), (False, ("deleted", "CD34"))])
def test_unconfirmed_upload_is_settled_by_the_bucket(world, stored, expected):
    """What was believed while the bucket did not answer becomes what the bucket says."""
    facts = world.facts("a")
    world.arrive(facts, target="unconfirmed", etag="CD34", size=9)
    if stored:
        world.store(facts)
    run = world.run()
    upload = world.ledger.fetch_upload(facts.upload_id)

    assert expected == (upload.state, upload.etag)
    assert [("unconfirmed", "settled", facts.object_key)] == world.find(run)


def test_unconfirmed_upload_that_is_gone_is_no_news(make_world):
    """Nobody was told that it arrived, so nobody is told that it went."""
    world = make_world(routes=lambda profile, event: ("hook",))
    world.arrive(world.facts("a"), target="unconfirmed")
    world.run()

    assert [] == world.ledger.outbox.list_pending("hook")


def test_stranger_is_reported_and_left(world):
    """An object that proves no upload is told, each time, and never touched."""
    world.bucket.put("somebody/else.txt")
    runs = [world.run(), world.run(apply=True)]

    assert [[("stranger", "left", "somebody/else.txt")]] * 2 == [world.find(run) for run in runs]
    assert [] == world.bucket.deleted


def test_stranger_is_deleted_when_named(world):
    """A deletion takes the key's name, and the word to change the bucket."""
    world.bucket.put("a.txt")
    world.bucket.put("b.txt")
    told = world.run(delete_strangers=frozenset({"a.txt"}))
    done = world.run(delete_strangers=frozenset({"a.txt"}), apply=True)

    assert ("stranger", "dry_run", "a.txt") in world.find(told)
    assert [("stranger", "settled", "a.txt"), ("stranger", "left", "b.txt")] == world.find(done)
    assert ["a.txt"] == world.bucket.deleted


def test_nothing_comes_between_the_look_and_the_deletion(world):
    """A run that may send few requests waits before it looks and after it has deleted; in between others could write the key."""
    world.bucket.put("a.txt")
    asked = []
    world.bucket.on_head = asked.append
    waited = []

    def sleep(seconds):
        waited.append((list(asked), list(world.bucket.deleted)))

    world.reconciler(
        options=replace(world.options, delete_strangers=frozenset({"a.txt"}), apply=True, rate=1), sleep=sleep
    ).run()

    assert ["a.txt"] == world.bucket.deleted
    assert ([], []) in waited
    assert (["a.txt"], ["a.txt"]) in waited
    assert (["a.txt"], []) not in waited


def test_upload_of_ours_is_never_deleted_as_a_stranger(world):
    """A name does not make a stranger of an object that proves its upload."""
    facts = world.facts("a")
    world.store(facts)
    run = world.run(delete_strangers=frozenset({facts.object_key}), apply=True)

    assert [("unrecorded", "settled", facts.object_key)] == world.find(run)
    assert [] == world.bucket.deleted


@pytest.mark.parametrize(
    "spoil",
    [
        {"seal": "bm90IG9uZSBvZiBvdXJz"},
        {"size": 101},
        {"content_type": "text/html"},
    ],
)
def test_object_that_is_not_what_was_granted(world, spoil):
    """A seal does not vouch for other bytes than it names: reported, and the grant ends."""
    facts = world.facts("a")
    world.issue(facts)
    world.store(facts, **spoil)
    runs = [world.run(), world.run()]

    assert [[("disputed", "left", facts.object_key)]] * 2 == [world.find(run) for run in runs]
    assert "expired" == world.state(facts)


def test_object_of_other_bytes_than_promised_is_disputed(world):
    """The seal holds the promise; an object that keeps it is recorded."""
    good, bad = (world.facts(name, content_md5="kAFQmDzST7DWlj99KOF/cg==") for name in ("good", "bad"))
    world.store(good, etag="900150983CD24FB0D6963F7D28E17F72")
    world.store(bad)
    run = world.run()

    assert [("stranger", "left", bad.object_key), ("unrecorded", "settled", good.object_key)] == sorted(
        world.find(run)
    )


def test_copied_seal_proves_nothing(world):
    """An object copied with its metadata is a stranger under its new key."""
    facts = world.facts("a")
    world.arrive(facts)
    world.store(facts)
    world.bucket.put("copies/a.jpg", seal=world.seal_keys.issue_seal(facts))

    assert [("stranger", "left", "copies/a.jpg")] == world.find(world.run())


def test_replaced_object_is_noted_once(make_world):
    """Other bytes under a known key are history and news, not a second upload."""
    world = make_world(routes=lambda profile, event: ("hook",))
    facts = world.facts("a")
    world.arrive(facts)
    world.store(facts, etag="CD34", size=7)
    first = world.run()
    asked = len(world.bucket.asked)
    second = world.run()

    assert ([("changed", "settled", facts.object_key)], []) == (world.find(first), world.find(second))
    assert ["issued", "uploaded", "replaced:CD34"] == world.claims(facts)
    assert ("uploaded", "AB12") == (world.state(facts), world.ledger.fetch_upload(facts.upload_id).etag)
    assert "upload.replaced" in [one.type for one in world.ledger.outbox.list_deliveries(facts.upload_id)]
    # What is known is not asked about again.
    assert ["LIST"] == [what for what, _ in world.bucket.asked[asked:]]


def test_account_counts_what_stands_under_the_key(world):
    """Written again and again, also with what was there before: each run puts the size of today on the account."""
    facts = world.facts("a")
    world.issue(facts, quota=QuotaLimit(bytes=1000), quota_key="alice")
    room, runs = [], []
    for etag, size in (("AB12", 3), ("CD34", 70), ("EF56", 7), ("CD34", 70), ("AB12", 3), ("AB12", 3)):
        world.store(facts, etag=etag, size=size)
        runs.append([kind for kind, _, _ in world.find(world.run())])
        world.ledger.require_room(
            "alice", "photo", quota=QuotaLimit(bytes=1000), size=1000 - size, now=world.now
        )
        with pytest.raises(QuotaExceeded) as caught:
            world.ledger.require_room("alice", "photo", quota=QuotaLimit(bytes=1), size=1, now=world.now)
        room.append(caught.value.used)

    assert [3, 70, 7, 70, 3, 3] == room
    assert [["untold"], ["changed"], ["changed"], ["changed"], ["newer"], []] == runs
    assert [[], []] == [world.find(world.run()), world.find(world.run(dry_run=True))]


def test_object_written_again_is_noted_once(world, now):
    """The same bytes, newer than their record by more than clocks may differ."""
    facts = world.facts("a")
    world.arrive(facts, at=now - 2 * HOUR)
    world.store(facts, at=now - HOUR)
    runs = [world.run(), world.run()]

    assert [[("newer", "settled", facts.object_key)], []] == [world.find(run) for run in runs]
    assert "rewritten:20260102T020405Z" in world.claims(facts)


def test_gone_object_is_marked_as_deleted(world):
    """404, seen twice, of an upload that is old enough."""
    facts = world.facts("a")
    world.arrive(facts)
    run = world.run()

    assert ([("gone", "settled", facts.object_key)], "deleted") == (world.find(run), world.state(facts))


def test_object_of_a_closed_upload_is_reported(world):
    """What was deleted and is there again is for a person to judge."""
    facts = world.facts("a")
    world.arrive(facts)
    world.run()
    world.store(facts)

    assert [("closed", "left", facts.object_key)] == world.find(world.run())


def test_young_uploads_and_objects_are_left_alone(world, now):
    """What has just happened is the callback's to tell."""
    granted, stored, arrived = (world.facts(name, expires_at=int(now.timestamp())) for name in "abc")
    world.issue(granted)
    world.store(stored, at=now - timedelta(minutes=5))
    world.arrive(arrived, at=now - timedelta(minutes=5))

    assert [] == world.find(world.run())


@pytest.mark.parametrize("skew", [timedelta(minutes=-15), timedelta(minutes=15)])
def test_a_clock_that_is_off_makes_nothing_older(world, now, skew):
    """Whichever clock is a quarter of an hour ahead, a grant that has just ended and an object that has just come are left alone."""
    granted = world.facts("a", expires_at=int(now.timestamp()))
    stored = world.facts("b")
    world.issue(granted)
    world.store(stored, at=now - timedelta(minutes=5))
    world.bucket.clock = timedelta() if skew > timedelta() else -skew
    if skew > timedelta():
        world.bucket.now, world.now = now, now + skew

    assert [] == world.find(world.run())


def test_stale_listing_is_not_believed(world):
    """A listing of a while ago neither makes uploads disappear nor objects come back: the object itself is asked."""
    facts, gone = world.facts("a"), world.facts("b")
    world.store(gone)
    world.bucket.stale_listing = [one[0] for one in world.bucket.objects.values()]
    world.bucket.objects.clear()
    world.arrive(facts)
    world.store(facts)
    run = world.run()

    assert ([], "uploaded", None) == (world.find(run), world.state(facts), world.state(gone))


@pytest.mark.parametrize("what", ["list", "multipart"])
def test_bucket_that_cannot_be_listed_changes_nothing(world, what):
    """No listing, no judgement: the run fails, and goes on another time."""
    facts = world.facts("a")
    if what == "multipart":
        world.arrive(facts)
        world.store(facts)
    else:
        world.issue(facts)
    before = world.claims(facts)
    world.bucket.failing = {what}
    with pytest.raises(BucketUnavailable):
        world.run()

    assert before == world.claims(facts)
    assert [1.0, 2.0, 4.0] == world.slept
    assert world.ledger.runs.list_runs()[0].finished_at is None


def test_object_that_cannot_be_asked_about_changes_nothing(world):
    """Every failure but OSS's own 404 is unknown."""
    issued, arrived, stored = (world.facts(name) for name in "abc")
    world.issue(issued)
    world.arrive(arrived)
    world.store(stored)
    world.bucket.failing = {"head"}
    run = world.run()

    assert [("unknown", "left", f"photos/{name}.jpg") for name in "abc"] == world.find(run)
    assert ("issued", "uploaded", None) == tuple(world.state(facts) for facts in (issued, arrived, stored))


def test_one_bucket_in_trouble_keeps_no_other_waiting(world):
    """The others are walked, and the next run goes on at the one that failed."""
    facts = world.facts("a")
    world.issue(facts)
    world.store(facts)
    places = dict(world.reconciler().places)
    bad = next(iter(places.values()))
    places["a-bucket"] = type(bad)("a-bucket", bad.region, bad.host, bad.internal)
    real = world.bucket.list_objects

    def list_objects(place, **given):
        if place.bucket == "a-bucket":
            raise BucketRefused(403, "AccessDenied", "")
        return real(place, **given)

    world.bucket.list_objects = list_objects
    with pytest.raises(BucketRefused):
        world.run(places=places)

    assert "uploaded" == world.state(facts)


def test_dry_run_changes_nothing_at_all(world):
    """A dry run tells what it would do, on both sides."""
    facts = [world.facts(name) for name in ("overdue", "untold", "gone", "changed", "lost")]
    for one in facts[:2]:
        world.issue(one)
    for one in facts[2:4]:
        world.arrive(one)
    world.store(facts[1])
    world.store(facts[3], etag="CD34")
    world.store(facts[4])
    before = [world.claims(one) for one in facts]
    run = world.run(dry_run=True, apply=True)

    assert {"dry_run"} == {outcome for _, outcome, _ in world.find(run)}
    assert (5, before) == (len(world.find(run)), [world.claims(one) for one in facts])


def test_empty_bucket_is_not_taken_for_a_loss(world):
    """A bucket in which more uploads are gone than a run may believe is left for a person."""
    facts = [world.facts(f"a{n}") for n in range(5)]
    for one in facts:
        world.arrive(one)
    run = world.run(max_gone=2)

    assert (2, 3) == (run.counts["gone:settled"], run.counts["gone:left"])
    assert 3 == [world.state(one) for one in facts].count("uploaded")


@pytest.mark.parametrize("dry_run", [False, True])
def test_row_that_changes_while_the_bucket_is_asked(world, now, dry_run):
    """A callback that is believed in between wins: the row is read again just before anything is done, or told."""
    facts = world.facts("a")
    world.issue(facts)
    world.bucket.on_head = lambda key: world.arrive(facts, at=now) if world.state(facts) == "issued" else None
    run = world.run(dry_run=dry_run)

    assert ([], ["issued", "uploaded"]) == (world.find(run), world.claims(facts))


def test_profile_narrows_what_is_looked_at(world):
    """Other profiles' uploads and strangers are none of this run's business."""
    mine, other = world.facts("a"), world.facts("b", profile="other")
    lost, other_lost = world.facts("c"), world.facts("d", profile="other")
    world.issue(mine)
    world.issue(other)
    world.store(lost)
    world.store(other_lost)
    world.bucket.put("stranger")
    world.run(profile="photo")

    assert ("expired", "issued", "uploaded", None) == tuple(
        world.state(facts) for facts in (mine, other, lost, other_lost)
    )


def test_prefix_narrows_both_sides(world):
    """Keys outside the prefix are neither listed nor judged."""
    inside, outside = world.facts("a", object_key="x/a.jpg"), world.facts("b", object_key="xy/b.jpg")
    world.issue(inside)
    world.issue(outside)
    world.bucket.put("y/stranger")
    run = world.run(prefix="x/")

    assert [("overdue", "settled", "x/a.jpg")] == world.find(run)


def test_removed_profile_is_told(world):
    """An upload whose profile is not in the settings any more waits for it, with the reason."""
    facts = world.facts("a", profile="removed")
    world.store(facts)
    run = world.run()

    assert [("unrecorded", "left", facts.object_key)] == world.find(run)
    assert world.state(facts) is None


def test_bucket_that_no_profile_names_is_told(world):
    """Uploads in a bucket that was taken out of the settings stay as they are."""
    facts = world.facts("a", bucket="former-bucket")
    world.arrive(facts)
    run = world.run()

    assert [("unreachable", "left", "")] == world.find(run)
    assert "uploaded" == world.state(facts)


def test_odd_keys_of_strangers_are_survived(world):
    """Strangers may be called anything; both databases go on."""
    for key in ("a\0b", "a\nb", "'; --", "\U0010ffff", "猫 🐈", " "):
        world.bucket.put(key)
    facts = world.facts("a")
    world.arrive(facts)
    world.store(facts)
    run = world.run()

    assert 6 == run.counts["stranger:left"]


def test_quick_run_asks_for_what_waits_alone(world):
    """Without a listing: what is overdue or unconfirmed is asked for by name, all else is not touched."""
    overdue, untold, unconfirmed, gone = (world.facts(name) for name in ("a", "b", "c", "d"))
    world.issue(overdue)
    world.issue(untold)
    world.store(untold)
    world.arrive(unconfirmed, target="unconfirmed")
    world.store(unconfirmed)
    world.arrive(gone)
    run = world.run(quick=True)

    assert ["expired", "uploaded", "uploaded", "uploaded"] == [
        world.state(facts) for facts in (overdue, untold, unconfirmed, gone)
    ]
    assert {"HEAD"} == {what for what, _ in world.bucket.asked}
    assert 3 == run.counts["findings"]


@pytest.mark.parametrize(
    ("options", "outcome", "aborted"),
    [
        ({}, "left", False),
        ({"abort_multipart": True}, "dry_run", False),
        ({"abort_multipart": True, "apply": True}, "settled", True),
        ({"abort_multipart": True, "apply": True, "dry_run": True}, "dry_run", False),
    ],
)
def test_unfinished_multipart_upload(world, now, options, outcome, aborted):
    """Past its day it is told; it is aborted only by name and with the word to change the bucket."""
    facts = world.facts("a", via="multipart")
    world.issue(facts, multipart_upload_id="U1")
    world.bucket.uploads[(facts.object_key, "U1")] = now - timedelta(days=2)
    run = world.run(**options)

    assert ("unfinished", outcome, facts.object_key) in world.find(run)
    assert aborted == ((facts.object_key, "U1") in world.bucket.deleted)


def test_multipart_upload_that_may_go_on_is_left_alone(world, now):
    """Neither a young one nor one whose grant still holds is told."""
    young = world.facts("a", via="multipart")
    held = world.facts("b", via="multipart", expires_at=int((now + HOUR).timestamp()))
    for facts, age in ((young, HOUR), (held, timedelta(days=2))):
        world.issue(facts, multipart_upload_id="U1")
        world.bucket.uploads[(facts.object_key, "U1")] = now - age
    run = world.run(abort_multipart=True, apply=True)

    assert [] == [found for found in world.find(run) if found[0] == "unfinished"]


def test_multipart_upload_of_another_application_is_never_aborted(world, now):
    """Who shares the bucket keeps what is theirs."""
    for n in range(5):
        world.bucket.uploads[(f"theirs/{n}", "U9")] = now - timedelta(days=9)
    run = world.run(abort_multipart=True, apply=True)

    assert (5, []) == (run.counts["unfinished:left"], world.bucket.deleted)


def test_unfinished_uploads_that_may_not_be_listed(world):
    """Listing them is a permission of its own; without it all else is still done."""
    facts = world.facts("a")
    world.issue(facts)
    world.bucket.failing = {("multipart", "refused")}
    run = world.run()

    assert [("overdue", "settled", facts.object_key), ("unknown", "left", "")] == world.find(run)
