"""Callbacks that are lost, late, doubled, in another order, wrongly signed, or cut on their way."""

import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from ossgate.app import create_app
from ossgate.settings import load_settings
from tests.faults.marks import case, long
from tests.faults.world import ALICE

WRONG_SIZE = {"on": "callback", "action": "wrong_body", "change": {"size": 4}}
WRONG_ETAG = {"on": "callback", "action": "wrong_body", "change": {"etag": "AB"}, "signed": False}
CUT_SHORT = {"on": "callback", "action": "wrong_body", "truncate": 40}


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
        case("dropped", "callback.drop", 203, "issued"),
        case("502 on its way", "callback.status=502", 203, "issued", is_long=True),
        case("answer lost", "callback.lose_answer", 203, "uploaded"),
        case("doubled", "callback.double=3", 200, "uploaded"),
        case("wrongly signed", "callback.bad_signature", 203, "issued"),
        case("key rotated, at another URL", "callback.rotated_key=other", 203, "issued", is_long=True),
        case("key rotated, at the same URL", "callback.rotated_key=same", 203, "issued"),
        case("another body", "callback.wrong_body", 203, "issued", is_long=True),
        case("another size", WRONG_SIZE, 203, "issued"),
        case("another ETag", WRONG_ETAG, 203, "issued"),
        case("cut short", CUT_SHORT, 203, "issued", is_long=True),
        case("key host down", "key.close", 200, "uploaded"),
        case("key host broken", "key.status=500", 200, "uploaded", is_long=True),
    ],
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


@pytest.mark.parametrize("where", ["other", *long("same")])
def test_key_is_rotated_and_pinned(world, check_all, where):
    """OSS signs with a new key: refused until that is pinned, believed from then on."""
    lost, told, late = world.ask(), world.ask(), world.ask()
    world.fault(f"callback.rotated_key={where}")
    assert 203 == world.post(lost).status
    world.pin_rotated_key(where)
    world.restart()
    world.fault(on="callback", action="rotated_key", url=where, times=2)
    assert [200, 200] == [world.post(told).status, world.post(late).status]

    assert [("untold", "settled")] == world.settle()
    check_all(world)


@pytest.mark.parametrize(
    ("timeout", "seconds", "status"),
    [
        case("0.6 of 1 s", 1.0, 0.6, 200, is_long=True),
        case("1.3 of 1 s", 1.0, 1.3, 203),
        case("4.9 s", 5.0, 4.9, 200, is_long=True),
        case("5.1 s", 5.0, 5.1, 203, is_long=True),
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


@pytest.mark.parametrize(
    "seconds", [case("0.4 s", 0.4), case("4.9 s", 4.9, is_long=True), case("5.1 s", 5.1, is_long=True)]
)
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
        case("1 h", timedelta(hours=1), False, "uploaded", is_long=True),
        case("1 h, reconciled", timedelta(hours=1), True, "uploaded"),
        case("3 days", timedelta(days=3), False, "issued", is_long=True),
        case("3 days, reconciled", timedelta(days=3), True, "uploaded"),
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


def test_each_request_comes_to_another_node(world, check_all):
    """Two nodes on one database: what one has granted is believed, shown, gone on with and given up by the other."""
    other = create_app(load_settings(world.config, environ={}))
    client, headers = other.test_client(), ALICE

    def ask(**wanted):
        given = {"profile": "photo", "filename": "a.jpg", "subject": "alice", "size": 3} | wanted
        return client.post("/v1/uploads", json=given, headers=headers).json

    here, there = world.ask(), ask()
    replies = [world.post(grant) for grant in (here, there)]
    again = client.post(f"/v1/uploads/{here['upload_id']}/confirm", headers=headers)
    assert [200, 200] == [reply.status for reply in replies]
    assert replies[0].body == again.data
    assert ["uploaded"] * 2 == [
        client.get(f"/v1/uploads/{grant['upload_id']}", headers=headers).json["state"]
        for grant in (here, there)
    ]

    parts = ask(via="multipart", size=150_000)
    url = f"/v1/uploads/{parts['upload_id']}"
    signed = world.call("POST", f"{url}/parts", {"part_numbers": [1]}).json["parts"][0]
    sent = world.http.request("PUT", signed["url"], body=b"a" * 150_000, headers=signed["headers"])
    wanted = {"parts": [{"part_number": 1, "etag": sent.headers["ETag"]}]}
    completed = client.post(f"{url}/complete", json=wanted, headers=headers)
    assert (200, "uploaded") == (completed.status_code, world.state(parts))

    given_up = world.call("POST", "/v1/uploads", {
        "profile": "photo", "filename": "a.jpg", "subject": "alice", "via": "multipart", "size": 150_000,
    }).json["upload_id"]  # fmt: skip
    assert 200 == client.delete(f"/v1/uploads/{given_up}", headers=headers).status_code
    other.extensions["signer"].bucket.close()
    other.extensions["signer"].ledger.close()

    assert [] == world.settle()
    check_all(world)
