"""The deliverer: from the outbox to sinks and back, with time moved by hand, on both databases."""

import threading
import time
from datetime import timedelta

import pytest

from ossgate.delivery.errors import DeliveryFailed
from ossgate.delivery.schedule import DELAYS, MAX_ATTEMPTS, MAX_CLAIMS
from ossgate.ledger import LedgerUnavailable


def fail(reason="500", **facts):
    return DeliveryFailed(reason, **facts)


def states(ledger, upload):
    return [each.state for each in ledger.outbox.list_deliveries(upload.upload_id)]


def test_deliver_once_and_no_more(ledger, arrive, make_sink, make_deliverer, clock, log):
    """What is due is handed over once, marked, and not handed over again."""
    upload, sink = arrive(ledger), make_sink()
    for _ in range(2):
        make_deliverer(ledger, sink).run(until_empty=True)

    (told,) = sink.told
    (done,) = ledger.outbox.list_deliveries(upload.upload_id)
    assert (told.upload_id, told.type, told.attempts) == (upload.upload_id, "upload.uploaded", 1)
    assert (done.state, done.delivered_at, done.locked_by) == ("delivered", clock.now, None)
    assert log.events == ["delivered"]


def test_all_attempts_fail(ledger, arrive, make_sink, make_deliverer, clock, log):
    """A receiver that is down for three days has ten attempts at the schedule's times; then the delivery is dead."""
    upload = arrive(ledger)
    sink = make_sink("hooks", *(fail() for _ in range(20)))
    deliverer = make_deliverer(ledger, sink)
    deliverer.run(until_empty=True)
    for delay in DELAYS:
        clock.move(delay - timedelta(seconds=1))
        deliverer.run(until_empty=True)
        clock.move(timedelta(seconds=1))
        deliverer.run(until_empty=True)

    (dead,) = ledger.outbox.list_dead()
    assert [each.attempts for each in sink.told] == list(range(1, MAX_ATTEMPTS + 1))
    assert len({each.delivery_id for each in sink.told}) == 1
    assert (dead.upload_id, dead.last_error, dead.attempts) == (upload.upload_id, "500", MAX_ATTEMPTS)
    assert log.events == ["delivery_failed"] * 9 + ["delivery_dead"]


def test_receiver_down_for_a_day(ledger, arrive, make_sink, make_deliverer, clock):
    """What a receiver missed in a day it gets when it is up again, all of it and in each upload's order."""
    uploads = [arrive(ledger) for _ in range(5)]
    for upload in uploads:
        ledger.record_state(upload.upload_id, "deleted", now=clock.now, timeout=30)
    sink = make_sink("hooks", *(fail() for _ in range(5 * 7)))
    deliverer = make_deliverer(ledger, sink)
    for _ in range(80):
        deliverer.run(until_empty=True)
        clock.move(timedelta(minutes=30))

    told = [(each.upload_id, each.type) for each in sink.told[35:]]
    assert len(told) == len(set(told)) == 10
    assert [states(ledger, upload) for upload in uploads] == [["delivered", "delivered"]] * 5
    for upload in uploads:
        mine = [kind for upload_id, kind in told if upload_id == upload.upload_id]
        assert mine == ["upload.uploaded", "upload.deleted"]


def test_order_of_an_upload_survives_failures(ledger, arrive, make_sink, make_deliverer, clock):
    """While an earlier event of an upload fails, a later one waits, and other uploads do not."""
    upload = arrive(ledger)
    sink = make_sink("hooks", fail(), fail(), fail())
    deliverer = make_deliverer(ledger, sink)
    deliverer.run(until_empty=True)
    ledger.record_state(upload.upload_id, "deleted", now=clock.now, timeout=30)
    for _ in range(4):
        deliverer.run(until_empty=True)
        clock.move(timedelta(hours=3))
    other = arrive(ledger, at=clock.now)
    deliverer.run(until_empty=True)

    assert [each.type for each in sink.told] == ["upload.uploaded"] * 4 + [
        "upload.deleted",
        "upload.uploaded",
    ]
    assert states(ledger, other) == ["delivered"]


def test_gone_disables_until_enabled(ledger, arrive, make_sink, make_deliverer, log):
    """After 410 nothing is sent, deliveries gather, and once the sink is enabled all of them arrive."""
    sink = make_sink("hooks", fail("answered 410", is_gone=True))
    first = arrive(ledger)
    deliverer = make_deliverer(ledger, sink)
    deliverer.run(until_empty=True)
    second = arrive(ledger)
    deliverer.run(until_empty=True)
    told_while_disabled = len(sink.told)
    (state,) = ledger.outbox.list_sinks()
    ledger.outbox.enable_sink("hooks")
    deliverer.run(until_empty=True)

    assert told_while_disabled == 1
    assert (state.reason, state.pending, state.disabled_at is not None) == ("answered 410", 2, True)
    assert states(ledger, first) == states(ledger, second) == ["delivered"]
    assert [each.attempts for each in sink.told] == [1, 1, 1]
    assert log.events[0] == "sink_disabled"


def test_slow_sink_is_left_alone(make_ledger, arrive, make_sink, make_deliverer, clock, log):
    """After 429 the whole sink gets nothing for as long as it asked; the others go on."""
    ledger = make_ledger("hooks", "other")
    slow = make_sink("hooks", fail("429", is_slow=True, retry_after=timedelta(seconds=90)))
    other = make_sink("other")
    arrive(ledger)
    deliverer = make_deliverer(ledger, slow, other)
    deliverer.run(until_empty=True)
    arrive(ledger)
    clock.move(timedelta(seconds=89))
    deliverer.run(until_empty=True)
    before = (len(slow.told), len(other.told))
    clock.move(timedelta(seconds=1))
    deliverer.run(until_empty=True)

    assert before == (1, 2)
    assert len(slow.told) == 3
    assert ("sink_paused", {"sink": "hooks", "seconds": 90}) in log


def test_pauses_grow_while_a_sink_stays_slow(ledger, arrive, make_sink, make_deliverer, clock, log):
    """Each slow answer in a row doubles the pause, and an event that arrives begins anew."""
    sink = make_sink("hooks", *(fail("429", is_slow=True) for _ in range(3)), None, fail("429", is_slow=True))
    deliverer = make_deliverer(ledger, sink)
    for _ in range(2):
        arrive(ledger, at=clock.now)
        for _ in range(4):
            deliverer.run(until_empty=True)
            clock.move(timedelta(hours=3))

    assert [facts["seconds"] for event, facts in log if event == "sink_paused"] == [5, 10, 20, 5]


def test_poison_does_not_stop_the_others(ledger, arrive, make_sink, make_deliverer):
    """A delivery that a sink cannot even read fails by itself; the thread and the others go on."""
    poison, good = arrive(ledger), arrive(ledger)
    sink = make_sink()

    def send(delivery, *, now):
        if delivery.upload_id == poison.upload_id:
            raise ZeroDivisionError("what a body")
        sink.told.append(delivery)

    sink.send = send
    make_deliverer(ledger, sink).run(until_empty=True)

    (failed,) = ledger.outbox.list_deliveries(poison.upload_id)
    assert (failed.state, failed.last_error) == ("pending", "ZeroDivisionError: what a body")
    assert states(ledger, good) == ["delivered"]


def test_poison_that_kills_comes_to_an_end(ledger, arrive, make_sink, make_deliverer, clock, now):
    """A delivery whose deliverer dies in every attempt is buried, unsent, after a few more claims than attempts."""
    arrive(ledger)
    for _ in range(MAX_CLAIMS):
        claimed = ledger.outbox.claim_deliveries(
            {"hooks": 1}, locked_by="killed", lease=timedelta(seconds=1), now=clock.now
        )
        assert len(claimed) == 1
        clock.move(timedelta(seconds=1))
    sink = make_sink()
    make_deliverer(ledger, sink).run(until_empty=True)

    (dead,) = ledger.outbox.list_dead()
    assert sink.told == []
    assert dead.last_error == "its deliverer ended in the middle of each attempt"


def test_replayed_arrives_under_its_id(ledger, arrive, make_sink, make_deliverer, clock):
    """A dead delivery that is replayed is the same one, with all its attempts before it."""
    arrive(ledger)
    sink = make_sink("hooks", *(fail() for _ in range(MAX_ATTEMPTS)))
    deliverer = make_deliverer(ledger, sink)
    for _ in range(MAX_ATTEMPTS):
        deliverer.run(until_empty=True)
        clock.move(timedelta(days=2))
    (dead,) = ledger.outbox.list_dead()
    ledger.outbox.replay_deliveries([dead.delivery_id], now=clock.now)
    deliverer.run(until_empty=True)

    assert sink.told[-1].delivery_id == dead.delivery_id
    assert sink.told[-1].attempts == 1
    assert ledger.outbox.list_dead() == []


def test_unknown_sinks_keep_their_deliveries(ledger, arrive, make_sink, make_deliverer):
    """What waits for a sink that the settings do not name any more is neither sent nor lost."""
    upload = arrive(ledger)
    make_deliverer(ledger, make_sink("another")).run(until_empty=True)

    assert states(ledger, upload) == ["pending"]


def test_interrupted_gives_back_what_it_holds(ledger, arrive, make_sink, make_deliverer, wait_until, clock):
    """Ctrl-C lets the attempt under way end and frees the rest at once, uncounted."""
    for _ in range(4):
        arrive(ledger)
    begun, go_on = threading.Event(), threading.Event()
    sink = make_sink()

    def send(delivery, *, now):
        begun.set()
        assert go_on.wait(10)
        sink.told.append(delivery)

    sink.send = send
    deliverer = make_deliverer(ledger, sink)
    thread = threading.Thread(target=deliverer.run)
    thread.start()
    assert begun.wait(10)
    wait_until(lambda: sum(each.locked_by is not None for each in ledger.outbox.list_pending("hooks")) == 2)
    deliverer.interrupt()
    go_on.set()
    thread.join(20)

    left = ledger.outbox.list_pending("hooks")
    assert not thread.is_alive()
    assert len(sink.told) == 1
    assert [(each.locked_by, each.attempts, each.next_at <= clock.now) for each in left] == [
        (None, 0, True)
    ] * 3


def test_slow_sink_does_not_hold_up_another(make_ledger, arrive, make_sink, make_deliverer, wait_until):
    """A sink that hangs has its own threads to hang."""
    ledger = make_ledger("hooks", "other")
    go_on = threading.Event()
    stuck, other = make_sink("hooks"), make_sink("other")
    stuck.send = lambda delivery, *, now: go_on.wait(10)
    for _ in range(20):
        arrive(ledger)
    deliverer = make_deliverer(ledger, stuck, other)
    thread = threading.Thread(target=deliverer.run)
    thread.start()
    wait_until(lambda: len(other.told) == 20)
    held = sum(each.locked_by is not None for each in ledger.outbox.list_pending("hooks"))
    go_on.set()
    wait_until(lambda: not ledger.outbox.list_pending("hooks"))
    deliverer.interrupt()
    thread.join(20)

    assert 0 < held <= stuck.prefetch


def test_threads_are_bounded(ledger, arrive, make_sink, make_deliverer):
    """At most as many attempts run at once as the sink allows."""
    sink = make_sink("hooks", concurrency=3)
    running, most, lock = 0, 0, threading.Lock()

    def send(delivery, *, now):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1
        sink.told.append(delivery)

    sink.send = send
    for _ in range(30):
        arrive(ledger)
    make_deliverer(ledger, sink).run(until_empty=True)

    assert len(sink.told) == 30
    assert 1 <= most <= 3


def test_two_deliverers_share_the_work(make_ledger, arrive, make_sink, make_deliverer):
    """Two deliverers on one database hand over each event once, and each upload's events in order."""
    first, second = make_ledger(), make_ledger()
    for _ in range(40):
        upload = arrive(first)
        first.record_state(upload.upload_id, "deleted", now=upload.created_at, timeout=30)
    told, lock = [], threading.Lock()

    def send(delivery, *, now):
        with lock:
            told.append((delivery.upload_id, delivery.type))

    sinks = [make_sink("hooks", concurrency=2) for _ in range(2)]
    for sink in sinks:
        sink.send = send
    deliverers = [make_deliverer(ledger, sink) for ledger, sink in zip((first, second), sinks, strict=True)]
    threads = [threading.Thread(target=each.run) for each in deliverers]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 60
    while len(told) < 80 and time.monotonic() < end:
        time.sleep(0.01)
    for each in deliverers:
        each.interrupt()
    for thread in threads:
        thread.join(20)

    assert len(told) == len(set(told)) == 80
    places = {event: place for place, event in enumerate(told)}
    assert all(places[each, "upload.uploaded"] < places[each, "upload.deleted"] for each, _ in told)


def test_new_events_are_delivered_at_once(ledger, arrive, make_sink, make_deliverer, wait_until):
    """A deliverer in the process of the ledger is woken by what arrives, however long it would have slept."""
    sink = make_sink()
    deliverer = make_deliverer(ledger, sink, idle_seconds=30.0)
    thread = threading.Thread(target=deliverer.run)
    thread.start()
    arrive(ledger)
    wait_until(lambda: len(sink.told) == 1, 10)
    deliverer.interrupt()
    thread.join(20)

    assert not thread.is_alive()


def test_started_once_and_stopped(ledger, arrive, make_sink, make_deliverer, wait_until):
    """Inside a server it starts with the first call, once, and stops with the process."""
    sink = make_sink()
    deliverer = make_deliverer(ledger, sink)
    before = threading.active_count()
    for _ in range(3):
        deliverer.ensure_started()
    arrive(ledger)
    wait_until(lambda: len(sink.told) == 1)
    names = [thread.name for thread in threading.enumerate()]
    deliverer.stop()

    assert names.count("ossgate-deliverer") == 1
    assert threading.active_count() <= before + 1


def test_without_sinks_nothing_starts(ledger, make_deliverer):
    """A server that tells nobody has no thread for it."""
    make_deliverer(ledger).ensure_started()

    assert "ossgate-deliverer" not in [thread.name for thread in threading.enumerate()]


class BrokenOutbox:
    """An outbox whose database is gone for some calls."""

    def __init__(self, outbox, *names, times):
        self._outbox, self._names, self.times = outbox, names, times

    def __getattr__(self, name):
        if name in self._names and self.times > 0:
            self.times -= 1

            def refuse(*_, **__):
                raise LedgerUnavailable("gone")

            return refuse
        return getattr(self._outbox, name)


def test_ledger_that_comes_back(ledger, arrive, make_sink, make_deliverer, log, wait_until):
    """While the database is gone the deliverer waits, says so once, and goes on when it is back."""
    arrive(ledger)
    sink = make_sink()
    deliverer = make_deliverer(ledger, sink)
    deliverer._outbox = BrokenOutbox(ledger.outbox, "claim_deliveries", times=4)
    thread = threading.Thread(target=deliverer.run)
    thread.start()
    wait_until(lambda: len(sink.told) == 1)
    deliverer.interrupt()
    thread.join(20)

    assert log.events.count("deliverer_waits") == 1


def test_once_says_that_the_ledger_is_gone(ledger, make_sink, make_deliverer):
    """Asked to deliver what is due now, it does not wait for the database."""
    deliverer = make_deliverer(ledger, make_sink())
    deliverer._outbox = BrokenOutbox(ledger.outbox, "claim_deliveries", times=1)

    with pytest.raises(LedgerUnavailable):
        deliverer.run(until_empty=True)


@pytest.mark.parametrize(("times", "result"), [(2, "delivered"), (3, "unrecorded")])
def test_delivered_and_not_recorded_comes_again(
    ledger, arrive, make_sink, make_deliverer, clock, times, result
):
    """What was received and could not be written down is tried to be, and else arrives once more under its id."""
    arrive(ledger)
    sink = make_sink()
    deliverer = make_deliverer(ledger, sink)
    broken = BrokenOutbox(ledger.outbox, "finish_delivery", times=times)
    for lane in deliverer._lanes:
        lane._attempt._outbox = broken
    tally = deliverer.run(until_empty=True)
    counts = dict(tally.counts)
    clock.move(timedelta(minutes=5))
    deliverer.run(until_empty=True)

    assert counts == {result: 1}
    assert len({each.delivery_id for each in sink.told}) == 1
    assert len(sink.told) == (1 if result == "delivered" else 2)


def test_old_deliveries_are_trimmed(ledger, arrive, make_sink, make_deliverer, clock):
    """What was delivered a month ago is cleared away by the way."""
    upload = arrive(ledger)
    deliverer = make_deliverer(ledger, make_sink())
    deliverer.run(until_empty=True)
    clock.move(timedelta(days=31))
    arrive(ledger, at=clock.now)
    deliverer.run(until_empty=True)

    assert ledger.outbox.list_deliveries(upload.upload_id) == []


def test_lease_that_is_almost_over_is_not_used(ledger, arrive, make_sink, make_deliverer, clock):
    """A delivery whose turn came late is given back untried: another deliverer might take it in the middle."""
    for _ in range(2):
        arrive(ledger)
    sink = make_sink()

    def send(delivery, *, now):
        sink.told.append(delivery)
        if len(sink.told) == 1:
            clock.move(timedelta(seconds=36))

    sink.send = send
    tally = make_deliverer(ledger, sink).run(until_empty=True)

    assert tally.counts == {"delivered": 2, "released": 1}
    assert [each.attempts for each in sink.told] == [1, 1]
