"""The database locked, gone, read-only, full, frozen, slow, cut off, restored: whatever it is, OSS is answered in time."""

import threading
import time
from contextlib import contextmanager

import pytest

from tests.faults.marks import case, long

# OSS waits five seconds; we promise four.
PROMISED_MS = 4000
DATABASES = ("sqlite", "postgresql")


# What only a server on the other end of a connection can suffer.
on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


def check_answers(world, answers, allowed=frozenset({200, 203})):
    """Every callback was answered, in time, and no 200 is of an upload that is not durable."""
    told = world.answers[-len(answers) :]
    assert len(told) == len(answers)
    assert {answer.status for answer in answers} <= allowed
    assert max(event["duration_ms"] for event in told) < PROMISED_MS, told
    for event in told:
        assert event["status"] == 200 or "503" in event["message"], event
    world.tally.add_outage(told)


@contextmanager
def breaking(world, kind, monkeypatch):
    """Break the database for the length of a block, in a way that both know."""
    database = world.database
    if kind == "locked":
        with database.locked():
            yield
    elif kind == "gone":
        with database.gone(world.to_database):
            yield
    elif kind == "frozen":
        if database.kind == "sqlite":
            with database.locked():
                yield
        else:
            world.to_database.stall()
            yield
            world.to_database.resume()
    else:
        break_it = database.read_only if kind == "read-only" else database.full
        with break_it(monkeypatch):
            if database.kind == "sqlite":
                world.restart()
            yield
        if database.kind == "sqlite":
            world.restart()


@pytest.mark.parametrize(
    ("database", "kind"),
    [
        *((database, kind) for database in DATABASES for kind in ("gone", "read-only", "full")),
        # Of a frozen one the short part has a rush; and a file that is locked is frozen.
        *(
            pytest.param(database, kind, marks=pytest.mark.long)
            for database in DATABASES
            for kind in ("frozen", "locked")
        ),
    ],
    indirect=["database"],
)
def test_database_fails(world, check_all, kind, monkeypatch):
    """Every callback gets 503 in time and nothing is acknowledged; afterwards the uploader's `confirm` settles some, reconciliation the rest."""
    before, grants = world.upload(), [world.ask() for _ in range(12)]
    with breaking(world, kind, monkeypatch):
        answers = world.post_all(grants)
        refused = world.call(
            "POST", "/v1/uploads", {"profile": "photo", "filename": "a.jpg", "subject": "alice"}
        )
        ready = world.call("GET", "/readyz")

    # A page that has room left takes a row even when the disk is full.
    allowed = {200, 203} if kind == "full" else {203}
    check_answers(world, answers, allowed)
    assert 203 in {answer.status for answer in answers}
    if kind != "full":
        assert 503 == refused.status
        # A lock on tables is not seen by a server that only asks whether it may write, unless it is waiting for one just then.
        of_tables = kind == "locked" and world.database.kind == "postgresql"
        assert ready.status in ({200, 503} if of_tables else {503})
    assert 200 == world.confirm(before).status
    assert {200} == {world.confirm(grant).status for grant in grants[:4]}
    # Where the disk took the row of the grant that nobody used, that grant ends as overdue.
    unused = {("overdue", "settled")} if kind == "full" else set()
    assert {("untold", "settled")} | unused >= set(world.settle())
    check_all(world)


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        case("locked 10 s", "locked", 10.0, is_long=True),
        case("gone 60 s", "gone", 60.0, is_long=True),
        case("frozen 60 s", "frozen", 60.0, is_long=True),
        case("read-only 60 s", "read-only", 60.0, is_long=True),
    ],
)
def test_database_fails_for_long(world, check_all, kind, seconds, monkeypatch):
    """A stream of uploads all the while: each is answered in time, and the first after the end is recorded at once."""
    answers, end = [], time.monotonic() + seconds
    grants = iter([world.ask() for _ in range(int(seconds) * 20)])
    with breaking(world, kind, monkeypatch):
        while time.monotonic() < end:
            answers += world.post_all([next(grants) for _ in range(8)])
            time.sleep(0.5)
    check_answers(world, answers, {203})
    world.wait_for(lambda: world.call("GET", "/readyz").status == 200, 30)
    assert 200 == world.post(next(grants)).status

    world.settle()
    check_all(world)


@on_postgresql
def test_frozen_while_pages_ask(make_world, check_all, database):
    """In earnest, with eight threads: clients that ask for the state of their uploads keep no callback from its answer."""
    world = make_world().start_gunicorn(threads=8)
    grants = [world.ask() for _ in range(6)]
    asking = [threading.Thread(target=_ask_quietly, args=(world, grants[0])) for _ in range(16)]
    with breaking(world, "frozen", None):
        for thread in asking:
            thread.start()
        time.sleep(0.3)
        answers = world.post_all(grants)
    for thread in asking:
        thread.join()
    check_answers(world, answers, {203})
    world.wait_for(lambda: world.call("GET", "/readyz").status == 200, 30)
    world.wait_for(lambda: world.confirm(grants[0]).status == 200)

    world.settle()
    check_all(world)


def test_frozen_in_a_rush(make_world, check_all, database, monkeypatch):
    """In earnest, with eight threads and ten times as many callbacks: nobody waits for his turn to wait in vain."""
    world = make_world().start_gunicorn(threads=8)
    grants = [world.ask() for _ in range(80)]
    with breaking(world, "frozen", monkeypatch):
        answers = world.post_all(grants)
    check_answers(world, answers, {203})
    world.wait_for(lambda: world.call("GET", "/readyz").status == 200, 30)

    world.settle()
    check_all(world)


def _ask_quietly(world, grant):
    world.call("GET", f"/v1/uploads/{grant['upload_id']}")


def test_frozen_and_the_bucket_disagrees(world, check_all, monkeypatch):
    """A callback of an object that has gone: what is looked up for its answer does not outlast the deadline."""
    grant, held = world.ask(), []
    hold = world.callbacks.hold(b"POST /callback")
    uploader = threading.Thread(target=lambda: held.append(world.post(grant)))
    uploader.start()
    hold.wait()
    world.delete(grant["object_key"])
    begun = time.monotonic()
    with breaking(world, "frozen", monkeypatch):
        hold.release()
        world.wait_for(lambda: held or time.monotonic() - begun > 4.9, 6)
        took = time.monotonic() - begun
    uploader.join()

    assert 203 == held[0].status
    assert took < PROMISED_MS / 1000
    world.settle()
    check_all(world)


@pytest.mark.long
@on_postgresql
def test_server_that_hangs_is_left(world, check_all):
    """The old connections hang for ever, and new ones would be served: they are made."""
    world.upload()
    world.to_database.strand()
    world.wait_for(lambda: world.call("GET", "/readyz").status == 200, 30)
    world.upload()

    world.settle()
    check_all(world)


@on_postgresql
@pytest.mark.parametrize("where", ["before", "after"])
def test_cut_around_the_commit(world, check_all, where):
    """The connection breaks as COMMIT is sent, or as its answer comes: nothing is acknowledged, `confirm` finds out which it was."""
    grant, answers = world.ask(), []
    proxy = world.to_database
    hold = proxy.hold(b"COMMIT") if where == "before" else proxy.hold_answer(b"COMMIT")
    uploader = threading.Thread(target=lambda: answers.append(world.post(grant)))
    uploader.start()
    hold.wait()
    hold.cut()
    uploader.join()

    assert 203 == answers[0].status
    assert ("issued" if where == "before" else "uploaded") == world.state(grant)
    assert 200 == world.confirm(grant).status
    assert [] == world.settle()
    check_all(world)


@on_postgresql
@pytest.mark.parametrize("where", ["before", "after"])
def test_issue_cut_around_the_commit(world, check_all, where):
    """The same of a grant: the client gets none, and what was recorded of it expires."""
    # Connected by now; and of a grant nothing is written later, as is of a callback.
    world.ask()
    proxy, answers = world.to_database, []
    hold = proxy.hold(b"COMMIT") if where == "before" else proxy.hold_answer(b"COMMIT")
    wanted = {"profile": "photo", "filename": "a.jpg", "subject": "alice"}
    client = threading.Thread(target=lambda: answers.append(world.call("POST", "/v1/uploads", wanted)))
    client.start()
    hold.wait()
    hold.cut()
    client.join()

    assert 503 == answers[0].status
    assert [("overdue", "settled")] * (1 if where == "before" else 2) == world.settle()
    check_all(world)


@on_postgresql
@pytest.mark.parametrize("way", ["reset", "failover", *long("slow", "sliced")])
def test_way_to_the_database(world, check_all, way):
    """The way to the server is slow, in small pieces, cut, or all its sessions end: each callback gets its answer in time."""
    proxy, grants = world.to_database, [world.ask() for _ in range(6)]
    if way == "slow":
        proxy.latency = 0.05
    elif way == "sliced":
        proxy.slice_bytes, proxy.slice_pause = 31, 0.0005
    elif way == "reset":
        proxy.reset()
    else:
        world.database.terminate()
    answers = world.post_all(grants)

    check_answers(world, answers)
    world.settle()
    check_all(world)


@pytest.mark.parametrize("lost", ["issued", "uploaded"])
def test_restored_from_a_copy(world, check_all, lost):
    """The database comes back from a copy that knows nothing of an upload, or of its arrival: the seal brings it back."""
    kept = world.upload()
    early = world.ask()
    if lost == "uploaded":
        copy = world.database.backup()
    else:
        copy = world.database.backup()
        early = world.ask()
    world.post(early)
    confirmed = world.upload()
    world.deliver()
    world.stop()
    world.database.restore(copy)
    world.was_restored = True
    world.start()
    assert 404 == world.confirm(confirmed).status
    late = world.ask()

    found = world.settle()
    assert 2 == sum(one[0] in ("unrecorded", "untold") for one in found)
    assert ["uploaded"] * 3 == [world.state(grant) for grant in (kept, early, confirmed)]
    assert "expired" == world.state(late)
    check_all(world)


def test_issued_row_lost(world, check_all):
    """The row of a grant is lost before its callback comes: the ticket brings it back, and its account."""
    copy = world.database.backup()
    grant = world.ask()
    world.stop()
    world.database.restore(copy)
    world.start()
    assert 200 == world.post(grant).status

    assert [] == world.settle()
    check_all(world)


@pytest.mark.long
def test_expires_when_room_is_short(world, check_all):
    """A grant that is over is expired by the next one that finds no room; its late callback counts all the same."""
    import time_machine

    grant = world.ask()
    text = world.config.read_text()
    world.config.write_text(
        text.replace("pending_uploads = 10000", "pending_uploads = 1").replace('"day"', '"ever"')
    )
    world.restart()
    first = world.ask()
    with time_machine.travel(time.time() + 7200, tick=True):
        second = world.ask()
    assert ["expired", "issued"] == [world.state(first), world.state(second)]
    assert [200, 200] == [world.post(first).status, world.post(grant).status]

    world.settle()
    check_all(world)
