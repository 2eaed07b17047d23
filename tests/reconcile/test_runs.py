"""A run over its life: one at a time, gone on with after any end, told as it goes."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ossgate.ledger import LeaseHeld, LeaseLost
from ossgate.reconcile import Interrupted

CHILD = """
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("reconcile_conftest", "tests/reconcile/conftest.py")
shared = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = shared
spec.loader.exec_module(shared)
from ossgate.ledger import Ledger
ledger = Ledger(sys.argv[1])
profiles = shared.build_profiles("photo")
world = shared.World(ledger, shared.FakeBucket(), shared.SealKeys([b"s" * 32]), profiles)
for n in range(40):
    world.store(world.facts(f"a{n:02d}"))
def on_head(key):
    if key == "photos/a20.jpg":
        print("there", flush=True)
        sys.stdin.readline()
world.bucket.on_head = on_head
world.run(workers=1)
"""


def fill(world, count):
    made = [world.facts(f"a{n:02d}") for n in range(count)]
    for facts in made:
        world.store(facts)
    return made


def stop_after(calls) -> Iterator[bool]:
    yield from [False] * calls
    while True:
        yield True


def test_interrupted_run_goes_on_where_it_stopped(world):
    """The cursor is kept, no key is settled twice, and the report tells of both halves."""
    made = fill(world, 10)
    stop = stop_after(1)
    with pytest.raises(Interrupted):
        world.run(should_stop=lambda: next(stop))
    first = world.ledger.runs.list_runs()[0]
    asked = {key for what, key in world.bucket.asked if what == "HEAD"}
    world.bucket.asked.clear()
    run = world.run()

    assert (first.run_id, None) == (run.run_id, first.finished_at)
    assert 0 < len(asked) < 10
    assert not asked & {key for what, key in world.bucket.asked if what == "HEAD"}
    assert [facts.object_key for facts in made] == [key for _, _, key in world.find(run)]


def test_run_begins_anew_when_told_or_when_it_is_old(world):
    """A cursor of yesterday is not worth going on with."""
    fill(world, 10)
    stop = stop_after(1)
    with pytest.raises(Interrupted):
        world.run(should_stop=lambda: next(stop))
    first = world.ledger.runs.list_runs()[0].run_id
    world.now += timedelta(seconds=1)
    stop = stop_after(1)
    with pytest.raises(Interrupted):
        world.run(resume=False, should_stop=lambda: next(stop))
    second = world.ledger.runs.list_runs()[0].run_id
    world.now += timedelta(days=2)
    third = world.run()

    assert 3 == len({first, second, third.run_id})


def test_run_of_another_scope_goes_on_with_nothing(world):
    """A dry run never goes on as one that changes things."""
    fill(world, 10)
    stop = stop_after(1)
    with pytest.raises(Interrupted):
        world.run(dry_run=True, should_stop=lambda: next(stop))
    run = world.run()

    assert 10 == run.counts["unrecorded:settled"]


def test_only_one_runs_at_a_time(world):
    """A second reconciler is told who is at it, and nothing is done twice."""
    fill(world, 4)
    refused = []

    def try_another(progress):
        if not refused:
            with pytest.raises(LeaseHeld) as held:
                world.reconciler(owner="two").run()
            refused.append(held.value.owner)

    replace(world.reconciler(), on_progress=try_another).run()

    assert ["one"] == refused
    world.reconciler(owner="two").run()


def test_stale_lease_is_taken_over_and_its_owner_stops(world):
    """A process that hangs loses its turn; when it wakes up it writes nothing more."""
    fill(world, 10)
    taken = []

    def take_over(progress):
        if not taken:
            taken.append(True)
            world.now += timedelta(minutes=3)
            world.reconciler(owner="two").run()

    with pytest.raises(LeaseLost):
        replace(world.reconciler(), on_progress=take_over).run()

    assert [True] == [run.finished_at is not None for run in world.ledger.runs.list_runs()]
    assert ["issued", "uploaded"] == world.claims(world.facts("a09"))


def test_failed_run_gives_its_lease_back(world):
    """A bucket that does not answer keeps nobody from trying again at once."""
    world.bucket.failing = {"list"}
    with pytest.raises(Exception, match="503"):
        world.run()
    world.bucket.failing = set()

    assert world.reconciler(owner="two").run().finished_at is not None


def test_progress_is_told(world):
    """Each page and each part of it is told, with what was seen so far."""
    fill(world, 7)
    told = []
    replace(world.reconciler(), on_progress=told.append).run()

    assert (7, 7) == (told[-1].objects, told[-1].findings)
    assert [one.objects for one in told] == sorted(one.objects for one in told)


def test_findings_beyond_the_limit_are_counted_alone(world, monkeypatch):
    """A million strangers do not fill the ledger."""
    monkeypatch.setattr("ossgate.reconcile.progress.FINDINGS_KEPT", 3)
    for n in range(8):
        world.bucket.put(f"stranger{n}")
    run = world.run()

    assert (8, 3) == (run.counts["stranger:left"], len(world.find(run)))


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
def test_killed_run_goes_on(url, make_world):
    """Kill -9 in the middle: what was settled stays, the rest is settled by the next, nothing twice."""
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(CHILD), url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert program.stdout.readline() == "there\n"
        program.send_signal(signal.SIGKILL)
    finally:
        program.kill()
        program.communicate()
    told = []
    world = make_world(handler=lambda upload: told.append(upload["upload_id"]))
    made = fill(world, 40)
    settled = [facts.upload_id for facts in made if world.state(facts) == "uploaded"]
    with pytest.raises(LeaseHeld):
        world.reconciler(owner="two").run()
    world.now += timedelta(minutes=3)
    run = world.reconciler(owner="two").run()

    assert 0 < len(settled) < 40
    assert {"uploaded"} == {world.state(facts) for facts in made}
    assert not set(settled) & set(told)
    assert 40 == len(settled) + len(told)
    assert run.counts["objects"] >= 40
