"""`ossgate deliver` as a process: killed at each point of an attempt, stopped, and run beside another."""

import signal
import sqlite3
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy.engine import make_url
from werkzeug import Response

from ossgate.delivery.webhooks import WebhookSink

HOOK = """
[[delivery.webhooks]]
name = "hooks"
url = "{url}"
secret = "env:WEBHOOK_SECRET"
allow_private = true
timeout = 20
"""


class Receiver:
    """A receiver whose first answer waits until the test lets it go."""

    def __init__(self, server):
        self.ids, self.held, self.go_on, self.answered = (
            [],
            threading.Event(),
            threading.Event(),
            threading.Event(),
        )
        self.holds = True
        server.expect_request("/hook", method="POST").respond_with_handler(self.answer)
        self.url = server.url_for("/hook")

    def answer(self, request):
        self.ids.append(request.headers["webhook-id"])
        self.held.set()
        if self.holds:
            self.go_on.wait(30)
        self.answered.set()
        return Response("", 200)


@pytest.fixture
def receiver():
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        found = Receiver(server)
        yield found
        found.go_on.set()


@contextmanager
def locked(url):
    """Let nobody write to the outbox, as another process could."""
    if url.startswith("sqlite"):
        blocker = sqlite3.connect(make_url(url).database, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
    else:
        import psycopg

        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        blocker = psycopg.connect(plain)
        blocker.execute("LOCK TABLE delivery IN SHARE MODE")
    try:
        yield
    finally:
        blocker.rollback()
        blocker.close()


@pytest.fixture
def deliver_later(ledger, receiver, secret, make_deliverer, clock):
    """Deliver in this process once every lease is over."""

    def deliver():
        receiver.holds = False
        clock.now = datetime.now(UTC) + timedelta(minutes=10)
        sink = WebhookSink("hooks", receiver.url, [secret], allow_private=True)
        return make_deliverer(ledger, sink).run(until_empty=True)

    return deliver


def fetch_only(ledger, upload):
    (found,) = ledger.outbox.list_deliveries(upload.upload_id)
    return found


def test_killed_while_the_receiver_works(ledger, arrive, receiver, start_ossgate, deliver_later):
    """Killed between request and answer: the event comes once more, under its id, when the lease is over."""
    upload = arrive(ledger)
    process = start_ossgate(HOOK.format(url=receiver.url), "deliver")
    assert receiver.held.wait(30)
    process.kill()
    process.wait(10)
    left = fetch_only(ledger, upload)
    receiver.go_on.set()
    tally = deliver_later()

    assert (left.state, left.attempts, left.locked_by is not None) == ("pending", 1, True)
    assert tally.counts == {"delivered": 1}
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


def test_killed_before_success_is_recorded(url, ledger, arrive, receiver, start_ossgate, deliver_later):
    """Killed between the receiver's answer and the record of it: it comes once more, under its id."""
    upload = arrive(ledger)
    process = start_ossgate(HOOK.format(url=receiver.url), "deliver")
    assert receiver.held.wait(30)
    with locked(url):
        receiver.go_on.set()
        assert receiver.answered.wait(30)
        process.kill()
        process.wait(10)
    left = fetch_only(ledger, upload)
    tally = deliver_later()

    assert left.state == "pending"
    assert tally.counts == {"delivered": 1}
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


def test_killed_while_it_claims(url, ledger, arrive, receiver, start_ossgate, deliver_later):
    """Killed before anything is claimed: nothing has happened, and the event comes once."""
    upload = arrive(ledger)
    with locked(url):
        process = start_ossgate(HOOK.format(url=receiver.url), "deliver")
        assert "delivers to hooks" in process.stderr.readline()
        process.kill()
        process.wait(10)
    left = fetch_only(ledger, upload)
    deliver_later()

    assert (left.state, left.attempts, left.locked_by) == ("pending", 0, None)
    assert len(receiver.ids) == 1


def test_killed_while_it_sleeps(ledger, arrive, receiver, start_ossgate, wait_until):
    """Killed between two deliveries: the first stays delivered, the second is delivered by the next process."""
    receiver.holds = False
    first = arrive(ledger)
    process = start_ossgate(HOOK.format(url=receiver.url), "deliver")
    wait_until(lambda: fetch_only(ledger, first).state == "delivered")
    process.kill()
    process.wait(10)
    second = arrive(ledger)
    start_ossgate(HOOK.format(url=receiver.url), "deliver")
    wait_until(lambda: fetch_only(ledger, second).state == "delivered")

    assert len(receiver.ids) == len(set(receiver.ids)) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_gives_back_its_leases(ledger, arrive, receiver, start_ossgate, wait_until, number):
    """Ctrl-C and TERM let the request under way end, free the rest at once and exit with 0."""
    for _ in range(12):
        arrive(ledger)
    process = start_ossgate(HOOK.format(url=receiver.url), "deliver")
    wait_until(lambda: len(receiver.ids) == 4)
    process.send_signal(number)
    assert '"deliverer_stopping"' in process.stdout.readline()
    receiver.go_on.set()
    code = process.wait(30)
    left = ledger.outbox.list_pending("hooks")

    assert code == 0
    assert "free for others" in process.stderr.read()
    assert len(left) == 8
    assert {(each.locked_by, each.attempts) for each in left} == {(None, 0)}


def test_two_processes_share_the_work(ledger, arrive, receiver, start_ossgate, wait_until):
    """Two deliverers on one database send each event once."""
    receiver.holds = False
    for _ in range(60):
        arrive(ledger)
    for _ in range(2):
        start_ossgate(HOOK.format(url=receiver.url), "deliver")
    wait_until(lambda: len(receiver.ids) >= 60 and not ledger.outbox.list_pending("hooks"))

    assert len(receiver.ids) == len(set(receiver.ids)) == 60
