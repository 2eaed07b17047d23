"""The receiver of webhooks is down, gone, slow, or breaks off; several deliver at once."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.marks import long


def deliver_over(world, hours, step=timedelta(minutes=10)):
    """Let time pass, and deliver what is due."""
    with world.parts() as (parts, _):
        start = datetime.now(UTC)
        for number in range(int(timedelta(hours=hours) / step)):
            deliverer = parts.delivery.build_deliverer(
                parts.ledger.outbox,
                lambda number=number: start + number * step,
                log=lambda event, **facts: None,
            )
            deliverer.run(until_empty=True)
        return deliverer.tally.counts


@pytest.mark.parametrize("how", ["down", "429", *long("500", "503", "redirect")])
def test_receiver_is_down_for_a_day(world, check_all, how):
    """A day long nothing is taken: nothing is given up, and then all arrives in its order."""
    grants = [world.upload() for _ in range(3)]
    if how == "down":
        world.hooks.shut()
    elif how == "429":
        world.receiver.status, world.receiver.headers = 429, {"Retry-After": "1800"}
    elif how == "redirect":
        world.receiver.status, world.receiver.headers = 307, {"Location": "http://127.0.0.1:9/"}
    else:
        world.receiver.status = int(how)
    deliver_over(world, 24, timedelta(hours=1))
    world.delete(grants[0]["object_key"])
    rows = world.database.rows("delivery")
    assert {"pending"} == {row["state"] for row in rows}
    assert min(row["attempts"] for row in rows) >= 3

    assert [("gone", "settled")] == world.settle()
    check_all(world)


@pytest.mark.long
def test_gone_and_enabled_again(world, check_all):
    """410 disables the sink: what comes gathers, and is delivered once an operator has enabled it."""
    world.upload()
    world.receiver.status = 410
    world.deliver(until_nothing_waits=False)
    world.upload()
    world.deliver(until_nothing_waits=False)
    assert ["pending", "pending"] == [row["state"] for row in world.database.rows("delivery")]
    world.mend()
    assert 0 == world.command("deliver", "enable", "app").returncode

    assert [] == world.settle()
    check_all(world)


@pytest.mark.long
def test_given_up_and_replayed(world, check_all):
    """After ten attempts the delivery is dead, kept, and replayed by command under its old id."""
    world.upload()
    world.receiver.status = 500
    deliver_over(world, 24 * 5, timedelta(hours=4))
    (row,) = world.database.rows("delivery")
    assert ("dead", 10) == (row["state"], row["attempts"])
    world.mend()
    assert 0 == world.command("deliver", "replay", "--all").returncode

    assert [] == world.settle()
    assert 1 == len({delivery_id for delivery_id, _ in world.receiver.told})
    check_all(world)


@pytest.mark.parametrize("how", ["answer lost", "frozen", *long("slow", "sliced")])
def test_receiver_hears_and_we_do_not(world, check_all, how):
    """It has heard and its answer does not come: it hears again, under the same id."""
    world.upload()
    if how == "slow":
        world.receiver.seconds = 1.3
    elif how == "answer lost":
        hold = world.hooks.hold_answer(b"POST /hook")
        threading.Thread(target=lambda: (hold.wait(), hold.cut())).start()
    elif how == "sliced":
        world.hooks.slice_bytes, world.hooks.slice_pause = 1, 0.01
    else:
        world.hooks.stall()
    world.deliver(until_nothing_waits=False)
    assert ["pending"] == [row["state"] for row in world.database.rows("delivery")]

    assert [] == world.settle()
    assert 1 == len({delivery_id for delivery_id, _ in world.receiver.told})
    check_all(world)


def test_several_deliver_at_once(world, check_all):
    """Four deliverers and thirty uploads with two events each: each event once, in its order."""
    # On a busy machine an answer may take longer than a second, and what is not answered comes again.
    world.config.write_text(world.config.read_text().replace("timeout = 1\n", "timeout = 30\n"))
    grants = [world.upload() for _ in range(30)]
    for grant in grants:
        world.delete(grant["object_key"])
    world.settle(after=timedelta(hours=1))
    world.database.run(
        "UPDATE delivery SET state = 'pending', attempts = 0, next_at = 0, delivered_at = NULL"
    )
    world.receiver.told.clear()
    threads = [
        threading.Thread(target=world.deliver, kwargs={"until_nothing_waits": False}) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 60 == len(world.receiver.told)
    world.settle()
    check_all(world)


def test_first_event_fails_and_the_second_waits(world, check_all):
    """The later event of an upload does not overtake the earlier one, however long that is tried."""
    grant = world.upload()
    world.delete(grant["object_key"])
    world.reconcile(grace=timedelta(seconds=-60))
    world.receiver.status = 500
    deliver_over(world, 6, timedelta(hours=1))
    heard = {json.loads(body)["type"] for _, body in world.receiver.told}
    assert {"upload.uploaded"} == heard

    world.settle()
    check_all(world)


def test_database_fails_while_delivering(world, check_all):
    """It was delivered and that cannot be recorded: it comes again, under its id."""
    from ossgate.ledger import LedgerError

    world.upload()
    hold = world.hooks.hold_answer(b"POST /hook")
    failed = []

    def deliver():
        try:
            world.deliver(until_nothing_waits=False)
        except LedgerError as error:
            failed.append(error)

    deliverer = threading.Thread(target=deliver)
    deliverer.start()
    hold.wait()
    with world.database.gone(world.to_database):
        hold.release()
        deliverer.join(20)

    assert not deliverer.is_alive()
    assert ["pending"] == [row["state"] for row in world.database.rows("delivery")]
    world.settle()
    check_all(world)
