"""`kill -9` of server, deliverer and reconciler: at twelve named points, and at random moments under load.

A point is held from outside: a proxy holds the message that follows it or a lock is held by somebody else, and the process is killed there.
"""

import contextlib
import random
import threading
import time
from datetime import timedelta

import pytest
import urllib3

from tests.faults.marks import case, long_but

LOST = (urllib3.exceptions.HTTPError, AssertionError)

# Where the server is killed; of a request that it was at, or that comes next.
WORKER_POINTS = (
    "grant, not yet committed",
    "grant, committed and not answered",
    "callback, half received",
    "callback, the bucket is being asked",
    "callback, not yet committed",
    "callback, committed and not answered",
    "confirm, the bucket is being asked",
    "confirm, committed and not answered",
)
DELIVERER_POINTS = (
    "deliverer, claiming",
    "deliverer, half sent",
    "deliverer, sent and not answered",
    "deliverer, answered and not recorded",
)
# Further ones, of a process that the server does not need.
RECONCILER_POINTS = ("reconciler, the bucket is being asked", "reconciler, not yet committed")
SHORT = (
    "callback, not yet committed",
    "callback, committed and not answered",
    "deliverer, answered and not recorded",
)


REQUESTS = {
    "grant": b"POST /v1/uploads",
    "callback": b"POST /callback",
    "confirm": b"/confirm",
    "deliverer": b"POST /hook",
}


@contextlib.contextmanager
def held(world, point):
    """Hold what is under way at a point; gives what waits until a process is there."""
    who, _, where = point.partition(", ")
    proxy = {"callback": world.callbacks, "deliverer": world.hooks}.get(who, world.clients)
    with contextlib.ExitStack() as stack:
        if where == "the bucket is being asked":
            hold = world.bucket.hold(b"HEAD ")
        elif where == "not yet committed":
            # Until then the lock is free: a reconciler has written something before.
            hold = world.bucket.hold_answer(b"HEAD ") if who == "reconciler" else proxy.hold(REQUESTS[who])
        elif where == "answered and not recorded":
            hold = proxy.hold_answer(REQUESTS[who])
        elif where.startswith("half"):
            # The head goes through, and the body stays behind.
            hold = proxy.hold(b'"ticket"' if who == "callback" else b'"type":"upload')
        elif where == "claiming":
            hold = None
            stack.enter_context(world.database.locked())
        else:
            hold = proxy.hold_answer(REQUESTS[who])

        def wait(pid):
            if hold is not None:
                hold.wait()
            if where in ("not yet committed", "answered and not recorded"):
                stack.enter_context(world.database.locked())
                heads = len(world.find_events("head_object"))
                hold.release()
                if who == "callback":
                    world.wait_for(lambda: len(world.find_events("head_object")) > heads)
            if hold is None or hold.go_on.is_set():
                world.database.wait_for_waiter(pid)

        yield wait
        if hold is not None and not hold.go_on.is_set():
            hold.cut()


def kill_command(world, wait, *arguments):
    """Start a command, and kill it where it is held."""
    process = world.start_command(*arguments)
    try:
        wait(process.pid)
    finally:
        world.kill(process.pid)
        process.wait()


@pytest.mark.parametrize("point", long_but(SHORT, WORKER_POINTS))
def test_worker_is_killed(make_world, check_all, point):
    """The server dies at a point, and the next one takes over: its clients ask again, and all adds up."""
    world = make_world(in_server=True).start_gunicorn()
    before, grant, late = world.upload(), world.ask(), world.ask()
    if point.startswith("confirm"):
        world.fault("callback.drop")
        assert 203 == world.post(grant).status
    do = {
        "grant": world.ask,
        "callback": lambda: world.post(grant),
        "confirm": lambda: world.confirm(grant),
    }[point.partition(",")[0]]
    heard = []

    def ask():
        with contextlib.suppress(*LOST):
            heard.append(do())

    client = threading.Thread(target=ask)
    with held(world, point) as wait:
        client.start()
        wait(world.workers()[0])
        world.kill_workers()
        time.sleep(0.1)
    client.join()
    world.mend()
    world.wait_until_ready()

    assert not heard or heard[0].status == 203
    assert 200 == world.confirm(before).status
    if not point.startswith("grant"):
        assert 200 == world.confirm(grant).status
    assert 200 == world.post(late).status
    world.stop_gunicorn()
    world.settle()
    check_all(world)


@pytest.mark.parametrize("point", long_but(SHORT, DELIVERER_POINTS))
def test_deliverer_is_killed(world, check_all, point):
    """`ossgate deliver` dies at a point: what it had comes again under its id, from the next one."""
    grants = [world.upload() for _ in range(3)]
    with held(world, point) as wait:
        kill_command(world, wait, "deliver")
    world.delete(grants[0]["object_key"])

    assert [("gone", "settled")] == world.settle()
    check_all(world)


@pytest.mark.parametrize("point", long_but(SHORT, RECONCILER_POINTS))
def test_reconciler_is_killed(world, check_all, point):
    """`ossgate reconcile` dies at a point: when its lease is over the next one goes on, and finds each object once."""
    lost = [world.ask() for _ in range(6)]
    world.fault(on="callback", action="drop", times=6)
    world.post_all(lost)
    time.sleep(1.1)
    with held(world, point) as wait:
        kill_command(world, wait, "reconcile", "--grace", "0s", "--workers", "2")

    world.settle(after=timedelta(hours=3))
    assert {"uploaded"} == {world.state(grant) for grant in lost}
    check_all(world)


@pytest.mark.parametrize("kills", [case("6 times", 6), case("200 times", 200, is_long=True)])
def test_killed_at_random_moments_under_load(make_world, check_all, kills):
    """Clients upload, confirm and give up, somebody deletes and overwrites, and the server is killed again and again: all adds up."""
    world = make_world(in_server=True, callback_timeout=2.0).start_gunicorn(workers=2)
    stop = threading.Event()
    clients = [threading.Thread(target=_use, args=(world, random.Random(), stop)) for number in range(6)]
    for client in clients:
        client.start()
    dice = random.Random()
    try:
        for number in range(kills):
            # However busy the machine is, something has been going on between the kills.
            world.wait_for(lambda number=number: len(world.acknowledged) > number, 60)
            time.sleep(dice.uniform(0.05, 0.8))
            workers = world.wait_for(world.workers)
            world.kill(dice.choice(workers))
    finally:
        stop.set()
        for client in clients:
            client.join()
    world.wait_until_ready()
    world.stop_gunicorn()

    world.settle()
    check_all(world)


def _use(world, dice, stop):
    """Be a client that keeps no order, until it is told to stop."""
    while not stop.is_set():
        with contextlib.suppress(*LOST):
            grant = world.ask()
            choice = dice.random()
            if choice < 0.05:
                continue
            fault = "callback.drop" if choice < 0.15 else "callback.double=2" if choice < 0.3 else None
            answer = world.post(grant, dice.randbytes(dice.randrange(1, 2000)), fault=fault)
            if answer.status == 203 and dice.random() < 0.5:
                world.confirm(grant)
            if dice.random() < 0.05:
                world.delete(grant["object_key"])
            elif dice.random() < 0.05:
                world.put(grant["object_key"], b"other bytes")
        time.sleep(0.02)
