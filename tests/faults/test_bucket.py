"""The bucket refuses, hangs, breaks off, is somebody else's too, or tells the time differently."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.faults.marks import case, long

STANDING = {"times": 1000}


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "status": 500},
        pytest.param({"action": "status", "code": "SlowDown"}, marks=pytest.mark.long),
        pytest.param({"action": "status", "status": 403, "code": "AccessDenied"}, marks=pytest.mark.long),
        pytest.param({"action": "stall", "seconds": 3}, marks=pytest.mark.long),
        pytest.param({"action": "reset"}, marks=pytest.mark.long),
    ],
    ids=["500", "SlowDown", "AccessDenied", "stall", "reset"],
)
def test_head_fails(world, check_all, fault):
    """The object cannot be asked about: believed for two reasons, it is unconfirmed and nobody is told, until the bucket agrees."""
    grant, confirmed = world.ask(), world.ask()
    world.fault(**{"on": "request", "operation": "HeadObject"} | STANDING | fault)
    answers = [world.post(grant), world.post(confirmed)]
    assert [200, 200] == [answer.status for answer in answers]
    assert ["unconfirmed"] * 2 == [answer.json["state"] for answer in answers]
    assert 503 == world.confirm(grant).status
    if fault["action"] != "stall":
        # Whoever has more time than a callback waits longer for the bucket.
        assert [("unknown", "left")] * 2 == world.reconcile(grace=timedelta(seconds=-60))
    world.mend()
    assert 200 == world.confirm(confirmed).status

    assert [("unconfirmed", "settled")] == world.settle()
    check_all(world)


@pytest.mark.parametrize("way", ["frozen", "answer cut", *long("down", "cut", "sliced", "slow")])
def test_way_to_the_bucket(world, check_all, way):
    """The way to the bucket is down, frozen, cut or slow: the callback gets its answer in time."""
    grant, proxy = world.ask(), world.bucket
    if way == "down":
        proxy.shut()
    elif way == "frozen":
        proxy.stall()
    elif way in ("cut", "answer cut"):
        hold = proxy.hold(b"HEAD ") if way == "cut" else proxy.hold_answer(b"HEAD ")
        threading.Thread(target=lambda: (hold.wait(), hold.cut())).start()
    elif way == "sliced":
        proxy.slice_bytes, proxy.slice_pause = 53, 0.001
    else:
        proxy.latency = 0.1
    answer = world.post(grant)
    state = "uploaded" if way in ("sliced", "slow") else "unconfirmed"

    assert (200, state, state) == (answer.status, answer.json["state"], world.state(grant))
    assert world.answers[-1]["duration_ms"] < 4000
    assert ([] if state == "uploaded" else [("unconfirmed", "settled")]) == world.settle()
    check_all(world)


def test_bucket_is_silent_in_a_rush(make_world, check_all):
    """In earnest, with eight threads and ten times as many callbacks: a few wait for the bucket, and all have an answer in time."""
    world = make_world().start_gunicorn(threads=8)
    grants = [world.ask() for _ in range(80)]
    world.bucket.stall()
    answers = world.post_all(grants)

    assert {(200, "unconfirmed")} == {(answer.status, answer.json["state"]) for answer in answers}
    assert max(event["duration_ms"] for event in world.answers) < 4000
    world.bucket.resume()
    world.wait_for(lambda: world.confirm(grants[0]).status == 200)
    assert {("unconfirmed", "settled")} == set(world.settle())
    check_all(world)


def test_unconfirmed_object_is_gone(world, check_all):
    """Never confirmed, and then not there: the upload ends, and nobody is told of what they never heard of."""
    grant = world.ask()
    world.bucket.shut()
    world.post(grant)
    world.delete(grant["object_key"])
    world.acknowledged.clear()

    assert [("unconfirmed", "settled")] == world.settle()
    assert "deleted" == world.state(grant)
    check_all(world)


def test_unconfirmed_facts_were_wrong(world, check_all):
    """Layer 3 could not be asked and the callback lied about the size: the bucket's facts replace it."""
    grant = world.ask()
    world.bucket.shut()
    world.fault(on="callback", action="wrong_body", change={"size": 7})
    assert 7 == world.post(grant).json["size"]
    world.acknowledged.clear()

    assert [("unconfirmed", "settled")] == world.settle()
    check_all(world)


def test_object_gone_before_its_callback(world, check_all):
    """Deleted between OSS's answer and ours: the callback is refused, nothing is invented."""
    grant, answers = world.ask(), []
    hold = world.callbacks.hold(b"POST /callback")
    uploader = threading.Thread(target=lambda: answers.append(world.post(grant)))
    uploader.start()
    hold.wait()
    world.delete(grant["object_key"])
    hold.release()
    uploader.join()

    assert (203, "issued") == (answers[0].status, world.state(grant))
    assert [("overdue", "settled")] == world.settle()
    check_all(world)


def test_strangers_and_changed_objects(world, check_all):
    """Somebody else writes into the bucket: what proves nothing is a stranger, what was replaced or deleted is noted, and told."""
    kept, replaced, deleted, twice = (world.upload() for _ in range(4))
    world.put("stranger", b"x")
    world.copy(kept["object_key"], "copied with its seal")
    world.strangers = 2
    world.put(replaced["object_key"], b"other bytes")
    world.put(twice["object_key"], b"other bytes")
    world.delete(deleted["object_key"])
    found = world.settle()
    assert [
        ("changed", "settled"), ("changed", "settled"), ("gone", "settled"),
        ("stranger", "left"), ("stranger", "left"),
    ] == found  # fmt: skip
    world.put(twice["object_key"], b"yet other bytes")

    assert [("changed", "settled"), ("stranger", "left"), ("stranger", "left")] == world.settle()
    assert "deleted" == world.state(deleted)
    check_all(world)


@pytest.mark.long
def test_deleted_and_uploaded_again(world, check_all):
    """An upload that was deleted stays so, whatever is put under its key."""
    grant = world.upload()
    world.delete(grant["object_key"])
    world.settle()
    world.put(grant["object_key"], b"somebody else's")

    assert [("closed", "left")] == world.settle()
    check_all(world)


@pytest.mark.parametrize("seconds", [case("30 s", 30), case("10 min", 600, is_long=True)])
def test_stale_listing(world, check_all, seconds):
    """A listing that is old invents nothing and loses nothing: each object is asked for by name."""
    kept, gone, lost = world.upload(), world.upload(), world.ask()
    world.fault("callback.drop")
    world.post(lost)
    world.delete(gone["object_key"])
    world.fault(on="list", action="stale", seconds=seconds)
    world.reconcile(grace=timedelta(seconds=-5))
    assert "uploaded" == world.state(kept)

    world.settle()
    check_all(world)


@pytest.mark.long
def test_listing_fails_and_comes_back(world, check_all):
    """The listing answers 503 twice, or is cut: it is tried again, and the run ends well."""
    lost = world.ask()
    world.fault("callback.drop")
    world.post(lost)
    world.fault(on="request", action="status", code="SlowDown", operation="ListObjectsV2", times=1)
    world.fault(on="response", action="reset", after=30, operation="ListObjectsV2", times=1)

    assert [("untold", "settled")] == world.reconcile(grace=timedelta(seconds=-60))
    world.settle()
    check_all(world)


@pytest.mark.parametrize(
    ("minutes", "statuses"),
    [
        case("15 min behind", -15, [200, 203]),
        case("20 min behind", -20, [403, 403], is_long=True),
        case("15 min ahead", 15, [403, 403]),
    ],
)
def test_clocks_differ(make_world, check_all, minutes, statuses):
    """The bucket's clock is a quarter of an hour behind ours, further behind, or so far ahead that each grant is over for it."""
    world = make_world(skew=minutes * 60 + 5).start()
    told, lost, unused = world.ask(), world.ask(), world.ask()
    first = world.post(told)
    world.fault("callback.drop")
    second = world.post(lost)
    assert statuses == [first.status, second.status]
    world.mend()
    world.skew = timedelta()

    world.settle()
    assert "expired" == world.state(unused)
    check_all(world)


@pytest.mark.parametrize("seconds", [case("20 min behind", -1200), case("20 min ahead", 1200, is_long=True)])
def test_head_is_refused_for_its_date(world, check_all, seconds):
    """By the bucket's clock what we sign is too old or not yet valid: the upload is unconfirmed until the clocks agree."""
    grant = world.ask()
    world.fault(on="clock", action="skew", seconds=seconds, operation="HeadObject")
    assert "unconfirmed" == world.post(grant).json["state"]

    assert [("unconfirmed", "settled")] == world.settle()
    check_all(world)


@pytest.mark.parametrize("minutes", [case("15 min on", 15), case("15 min back", -15, is_long=True)])
def test_clock_of_the_bucket_jumps(world, check_all, minutes):
    """OSS's clock jumps after the grants were issued; while it does, reconciliation takes the earlier of both."""
    told, unused = world.upload(), world.ask()
    world.fault("callback.drop")
    lost = world.ask()
    world.post(lost)
    world.fault(on="clock", action="skew", seconds=minutes * 60 - (5 if minutes > 0 else -5))
    world.reconcile()
    assert ["uploaded", "issued", "issued"] == [world.state(one) for one in (told, unused, lost)]

    world.settle()
    check_all(world)


@pytest.mark.parametrize("minutes", [case("15 min back", -15), case("15 min on", 15)])
def test_our_clock_jumps(world, check_all, minutes):
    """Our clock jumps by a quarter of an hour between grant and callback, and the bucket's does not."""
    told, lost, unused = world.ask(), world.ask(), world.ask()
    jump = timedelta(minutes=minutes) - timedelta(seconds=5 if minutes > 0 else -5)
    world.skew = -jump
    with time_machine.travel(datetime.now(UTC) + jump, tick=True):
        assert 200 == world.post(told).status
        world.fault("callback.drop")
        assert 203 == world.post(lost).status
        assert 200 == world.confirm(told).status
        late = world.ask()
    world.skew = timedelta()
    assert "uploaded" == world.state(told)

    found = world.settle()
    assert [("overdue", "settled"), ("overdue", "settled"), ("untold", "settled")] == found
    assert ["expired", "expired"] == [world.state(unused), world.state(late)]
    check_all(world)


def test_two_reconcilers_at_once(world, check_all):
    """While one is at it the other is sent away; when the first is gone, the second goes on with its work."""
    from ossgate.ledger import LeaseHeld

    for _ in range(5):
        lost = world.ask()
        world.fault("callback.drop")
        world.post(lost)
    hold = world.bucket.hold(b"HEAD ")
    ended = []
    first = threading.Thread(target=lambda: ended.append(world.reconcile(grace=timedelta(seconds=-60))))
    first.start()
    hold.wait()
    with pytest.raises(LeaseHeld):
        world.reconcile(grace=timedelta(seconds=-60))
    hold.release()
    first.join()

    assert [("untold", "settled")] * 5 == ended[0]
    assert [] == world.settle()
    check_all(world)


def test_reconciler_hangs_and_another_takes_over(world, check_all):
    """A reconciler hangs longer than its lease, and wakes up while another is at it: whoever settles, it counts once, and the first stops."""
    from ossgate.ledger import LeaseLost

    lost, gone = [world.ask() for _ in range(6)], world.upload()
    world.fault(on="callback", action="drop", times=6)
    world.post_all(lost)
    world.delete(gone["object_key"])
    holds, ended = [world.bucket.hold(b"HEAD "), world.bucket.hold(b"HEAD ")], []

    def run_first():
        try:
            world.reconcile(grace=timedelta(seconds=-60), workers=1)
        except LeaseLost as error:
            ended.append(error)

    first = threading.Thread(target=run_first)
    first.start()
    holds[0].wait()
    world.database.run("UPDATE lease SET until = 0")
    second = threading.Thread(target=world.reconcile, kwargs={"grace": timedelta(seconds=-60)})
    second.start()
    holds[1].wait()
    for hold in holds:
        hold.release()
    first.join()
    second.join()

    assert 1 == len(ended)
    assert {"uploaded"} == {world.state(grant) for grant in lost}
    assert "deleted" == world.state(gone)
    assert [] == world.settle()
    check_all(world)


def test_reconciliation_and_callback_at_once(world, check_all):
    """The object is found while its callback is under way: it counts once."""
    grant, answers = world.ask(), []
    hold = world.callbacks.hold(b"POST /callback")
    uploader = threading.Thread(target=lambda: answers.append(world.post(grant)))
    uploader.start()
    hold.wait()
    assert [("untold", "settled")] == world.reconcile(grace=timedelta(seconds=-60))
    hold.release()
    uploader.join()

    assert 200 == answers[0].status
    assert [] == world.settle()
    check_all(world)


@pytest.mark.long
def test_reconciled_by_command(world, check_all):
    """The command does what its Python face does, while the server serves."""
    lost = [world.ask() for _ in range(3)]
    world.fault(on="callback", action="drop", times=3)
    world.post_all(lost)
    time.sleep(1.1)
    ended = world.command("reconcile", "--grace", "0s", "--rate", "0")
    told = world.command("deliver", "--once")

    assert (0, 0) == (ended.returncode, told.returncode), ended.stderr + told.stderr
    assert 3 == len(world.receiver.told)
    assert [] == world.settle()
    check_all(world)
