"""The deliverer inside the server: started after the fork, never by making the application."""

import signal
import threading

import pytest
from werkzeug import Response

from ossgate.app import create_app
from ossgate.serving import find_free_port
from ossgate.settings import load_settings

HOOK = """
[delivery]
in_server = {in_server}
[[delivery.webhooks]]
name = "hooks"
url = "{url}"
secret = "env:WEBHOOK_SECRET"
allow_private = true
[server]
port = {port}
workers = 2
"""


@pytest.fixture
def receiver(httpserver):
    """A receiver that notes the ids of what it is told."""
    httpserver.ids = []

    def answer(request):
        httpserver.ids.append(request.headers["webhook-id"])
        return Response("", 204)

    httpserver.expect_request("/hook").respond_with_handler(answer)
    return httpserver


@pytest.fixture
def make_app(write_settings, environ, url, receiver):
    """Make an application that delivers to the receiver."""
    deliverers = []

    def make(in_server="true"):
        written = HOOK.format(in_server=in_server, url=receiver.url_for("/hook"), port=8000)
        app = create_app(load_settings(write_settings(written), {**environ, "DATABASE_URL": url}))
        if "deliverer" in app.extensions:
            deliverers.append(app.extensions["deliverer"])
        return app

    yield make
    for deliverer in deliverers:
        deliverer.stop()


def has_deliverer():
    return "ossgate-deliverer" in [thread.name for thread in threading.enumerate()]


def test_starts_with_the_first_request(make_app, ledger, arrive, receiver, wait_until):
    """To make the application starts nothing; its first request does, and what waited is delivered."""
    arrive(ledger)
    app = make_app()
    before = has_deliverer()
    for _ in range(2):
        assert app.test_client().get("/healthz").status_code == 200
    wait_until(lambda: len(receiver.ids) == 1)

    assert not before
    assert has_deliverer()


def test_switched_off(make_app):
    """With in_server = false the server leaves it to `ossgate deliver`."""
    app = make_app("false")
    app.test_client().get("/healthz")

    assert "deliverer" not in app.extensions
    assert not has_deliverer()


def test_gunicorn_delivers_before_any_request(start_ossgate, ledger, arrive, receiver, wait_until):
    """Workers deliver what waits as soon as they have started, each event once, and end within their time."""
    for _ in range(30):
        arrive(ledger)
    written = HOOK.format(in_server="true", url=receiver.url_for("/hook"), port=find_free_port("127.0.0.1"))
    process = start_ossgate(written, "serve")
    wait_until(lambda: len(receiver.ids) >= 30 and not ledger.outbox.list_pending("hooks"))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)

    assert len(receiver.ids) == len(set(receiver.ids)) == 30
    assert process.returncode == 0
