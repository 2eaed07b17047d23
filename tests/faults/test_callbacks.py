"""Callbacks that are lost, late, doubled, in another order, wrongly signed, or cut on their way."""

import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
import urllib3

from tests.faults.marks import long

WRONG_SIZE = {"on": "callback", "action": "wrong_body", "change": {"size": 4}}
WRONG_ETAG = {"on": "callback", "action": "wrong_body", "change": {"etag": "AB"}, "signed": False}


def test_nothing_breaks(world, check_all):
    """Where nothing breaks nothing is left to settle, and the check finds nothing."""
    grants = [world.upload(), world.upload(subject="")]
    world.ask()

    assert [("overdue", "settled")] == world.settle()
    assert ["uploaded"] * 2 == [world.state(grant) for grant in grants]
    check_all(world)


@pytest.mark.parametrize(
    ("fault", "status", "state"),
    [
        ("callback.drop", 203, "issued"),
        pytest.param("callback.status=502", 203, "issued", marks=pytest.mark.long),
        ("callback.lose_answer", 203, "uploaded"),
        ("callback.double=3", 200, "uploaded"),
        ("callback.bad_signature", 203, "issued"),
        pytest.param("callback.rotated_key=other", 203, "issued", marks=pytest.mark.long),
        ("callback.rotated_key=same", 203, "issued"),
        pytest.param("callback.wrong_body", 203, "issued", marks=pytest.mark.long),
        (WRONG_SIZE, 203, "issued"),
        (WRONG_ETAG, 203, "issued"),
        pytest.param(
            {"on": "callback", "action": "wrong_body", "truncate": 40}, 203, "issued", marks=pytest.mark.long
        ),
        ("key.close", 200, "uploaded"),
        pytest.param("key.status=500", 200, "uploaded", marks=pytest.mark.long),
    ],
    ids=lambda value: value.get("change", value.get("truncate")) if isinstance(value, dict) else str(value),
)
def test_callback_goes_wrong(world, check_all, fault, status, state):
    """A callback that is not believed changes nothing, one that is believed counts once; reconciliation settles the rest."""
    broken, whole = world.ask(), world.ask()
    world.fault(fault)
    answer = world.post(broken)
    world.post(whole)

    assert (status, state) == (answer.status, world.state(broken))
    assert ([("untold", "settled")] if state == "issued" else []) == world.settle()
    assert not world.find_events("get_callback_key")
    check_all(world)


@pytest.mark.parametrize(
    ("timeout", "seconds", "status"),
    [
        pytest.param(1.0, 0.6, 200, marks=pytest.mark.long),
        (1.0, 1.3, 203),
        pytest.param(5.0, 4.9, 200, marks=pytest.mark.long),
        pytest.param(5.0, 5.1, 203, marks=pytest.mark.long),
    ],
)
def test_answer_is_late(make_world, check_all, timeout, seconds, status):
    """Our answer takes nearly as long as OSS waits, or a little longer: the uploader hears 203, and the upload counts."""
    world = make_world(callback_timeout=timeout).start()
    grant = world.ask()
    world.callbacks.answer_latency = seconds
    answer = world.post(grant)

    assert (status, "uploaded") == (answer.status, world.state(grant))
    assert 200 == world.confirm(grant).status
    assert [] == world.settle()
    check_all(world)


@pytest.mark.parametrize("seconds", [0.4, *long(4.9, 5.1)])
def test_callback_is_late(world, check_all, seconds):
    """OSS has given up and calls all the same, after the uploader has confirmed: nothing counts twice."""
    confirmed, unconfirmed = world.ask(), world.ask()
    world.fault(on="callback", action="delay", seconds=seconds, give_up=True, times=2)
    assert [203, 203] == [world.post(confirmed).status, world.post(unconfirmed).status]
    assert 200 == world.confirm(confirmed).status
    world.wait_for(lambda: len(world.find_events("callback_late")) == 2)

    assert ["uploaded", "uploaded"] == [world.state(confirmed), world.state(unconfirmed)]
    assert [] == world.settle()
    check_all(world)


@pytest.mark.parametrize(
    ("after", "reconciled", "state"),
    [
        pytest.param(timedelta(hours=1), False, "uploaded", marks=pytest.mark.long),
        (timedelta(hours=1), True, "uploaded"),
        pytest.param(timedelta(days=3), False, "issued", marks=pytest.mark.long),
        (timedelta(days=3), True, "uploaded"),
    ],
)
def test_callback_after_expiry(world, check_all, after, reconciled, state):
    """It comes when the grant is over: within the grace it counts, later it does not, and the object is found all the same."""
    grant, unused = world.ask(), world.ask()
    world.fault(on="callback", action="delay", seconds=0.5, give_up=True)
    world.post(grant)
    with time_machine.travel(datetime.now(UTC) + after, tick=True):
        if reconciled:
            world.reconcile()
        world.wait_for(lambda: world.find_events("callback_late"))
        assert state == world.state(grant)
        assert ("expired" if reconciled else "issued") == world.state(unused)
    world.settle(after=after + timedelta(days=1))
    check_all(world)


def test_callback_of_an_expired_upload(world, check_all):
    """The ledger has given the upload up when its callback comes: it is uploaded after all, and both events are told in order."""
    grant = world.ask()
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1), tick=True):
        assert [("overdue", "settled")] == world.reconcile()
        world.deliver()
    assert 200 == world.post(grant).status

    assert {"issued", "expired", "uploaded"} == world.claims(grant)
    assert [] == world.settle()
    check_all(world)


def test_callbacks_in_another_order(world, check_all):
    """The first callback comes last: each counts for its own upload."""
    grants = [world.ask() for _ in range(4)]
    world.fault(on="callback", action="reorder", seconds=1.0, times=2)
    answers = world.post_all(grants)

    assert [200] * 4 == [answer.status for answer in answers]
    assert [] == world.settle()
    check_all(world)


def test_doubled_at_once(world, check_all):
    """Many uploads, each with its callback five times, all at once."""
    world.fault(on="callback", action="double", copies=5, times=8)
    answers = world.post_all([world.ask() for _ in range(8)])

    assert [200] * 8 == [answer.status for answer in answers]
    assert [] == world.settle()
    check_all(world)


def test_client_never_hears(world, check_all):
    """The callback has come, and OSS's answer to the client is lost: it asks again with the same form, then confirms."""
    grant = world.ask()
    with pytest.raises(urllib3.exceptions.HTTPError):
        world.post(grant, fault="response.reset=0")
    again = world.post(grant)
    confirmed = world.confirm(grant)

    assert (409, 200, "uploaded") == (again.status, confirmed.status, world.state(grant))
    assert [] == world.settle()
    check_all(world)


def test_client_confirms_while_the_callback_is_held(world, check_all):
    """`confirm` is faster than the callback: both get the same reply."""
    grant, answers = world.ask(), []
    hold = world.callbacks.hold(b"POST /callback")
    uploader = threading.Thread(target=lambda: answers.append(world.post(grant)))
    uploader.start()
    hold.wait()
    confirmed = world.confirm(grant)
    hold.release()
    uploader.join()

    assert (200, 200, confirmed.json) == (confirmed.status, answers[0].status, answers[0].json)
    assert [] == world.settle()
    check_all(world)


@pytest.mark.long
def test_post_is_cut_on_its_way(world, check_all):
    """The client's connection breaks in the middle of the body: nothing is stored, nothing counts, and it tries again."""
    grant = world.ask()
    with pytest.raises(urllib3.exceptions.HTTPError):
        world.post(grant, b"x" * 200_000, fault="request.reset=100000")
    assert "issued" == world.state(grant)
    assert 200 == world.post(grant, b"x" * 200_000).status

    assert [] == world.settle()
    check_all(world)


@pytest.mark.parametrize("way", ["reset", "frozen", *long("down", "answer cut", "sliced", "slow")])
def test_way_from_oss_to_the_server(make_world, check_all, way):
    """The way that callbacks take is down, cut, frozen or slow."""
    world = make_world(callback_timeout=1.0).start()
    grant, proxy = world.ask(), world.callbacks
    if way == "down":
        proxy.shut()
    elif way == "reset":
        hold = proxy.hold(b"POST /callback")
        threading.Thread(target=lambda: (hold.wait(), hold.cut())).start()
    elif way == "answer cut":
        hold = proxy.hold_answer(b"POST /callback")
        threading.Thread(target=lambda: (hold.wait(), hold.cut())).start()
    elif way == "frozen":
        proxy.stall()
    elif way == "sliced":
        proxy.slice_bytes, proxy.slice_pause = 97, 0.002
    else:
        proxy.latency = 0.1
    answer = world.post(grant)
    expected = {
        "down": (203, "issued"), "reset": (203, "issued"), "answer cut": (203, "uploaded"),
        "frozen": (203, "issued"), "sliced": (200, "uploaded"), "slow": (200, "uploaded"),
    }[way]  # fmt: skip

    assert expected == (answer.status, world.state(grant))
    world.settle()
    check_all(world)


def test_half_a_callback(world, check_all):
    """Somebody sends half a request and leaves: it counts for nothing and keeps nobody waiting."""
    for half in (
        b"POST /callback HTTP/1.1\r\nContent-Le",
        b"POST /callback HTTP/1.1\r\nContent-Length: 900\r\n\r\n{",
    ):
        with socket.create_connection(("127.0.0.1", world.callbacks.port)) as connection:
            connection.sendall(half)
    world.upload()

    assert [] == world.settle()
    check_all(world)


def test_server_is_stopped_between_grant_and_callback(world, check_all):
    """The server is away when OSS calls; started again, it answers the uploader's `confirm`."""
    confirmed, found = world.ask(), world.ask()
    world.stop()
    assert [203, 203] == [world.post(confirmed).status, world.post(found).status]
    world.start()
    assert 200 == world.confirm(confirmed).status

    assert [("untold", "settled")] == world.settle()
    check_all(world)
