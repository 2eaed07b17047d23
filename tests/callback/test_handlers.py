"""Handlers run beside the answer, never in its way."""

import threading

import pytest

from callback.handlers import MAX_RUNNING, HandlerRunner, load_handler
from signer.errors import ConfigurationError


def run(handler, seconds=5.0, on_late=lambda: None, runner=None):
    return (runner or HandlerRunner()).run(handler, {"upload_id": "01KE"}, seconds=seconds, on_late=on_late)


def test_run_returns_the_handlers_reply():
    """A handler that returns in time decides the reply; it is given the upload."""
    assert ("done", {"id": "01KE"}, None) == run(lambda upload: {"id": upload["upload_id"]})


def test_run_returns_nothing_when_the_handler_does():
    """A handler need not answer."""
    assert ("done", None, None) == run(lambda _: None)


@pytest.mark.parametrize("raised", [ValueError("secret"), KeyError("x")])
def test_run_reports_an_exception(raised):
    """What a handler raises is told to the caller, and not raised again."""

    def fail(_):
        raise raised

    ending, reply, error = run(fail)

    assert ("failed", None) == (ending, reply)
    assert error is raised


def test_run_refuses_a_reply_that_is_no_dictionary():
    """A reply that is text would not be the JSON object that clients read."""
    ending, _, error = run(lambda _: "text")

    assert ending == "failed"
    assert isinstance(error, TypeError)


def test_run_gives_up_a_slow_handler_and_hears_of_its_end():
    """A handler that overruns leaves the answer alone, and its end is still told."""
    release, told = threading.Event(), threading.Event()

    ending = run(lambda _: release.wait(10) and None, seconds=0.05, on_late=told.set)[0]
    release.set()

    assert ending == "late"
    assert told.wait(5)


def test_run_does_not_tell_late_when_in_time():
    """The late end is told only for a call that was given up."""
    told = threading.Event()
    run(lambda _: None, on_late=told.set)

    assert not told.is_set()


def test_run_is_busy_when_too_many_handlers_hang():
    """Handlers that hang cannot use up the process's threads."""
    release, runner = threading.Event(), HandlerRunner()
    for _ in range(MAX_RUNNING):
        run(lambda _: release.wait(20) and None, seconds=0.001, runner=runner)

    ending = run(lambda _: None, runner=runner)[0]
    release.set()

    assert ending == "busy"


def test_run_without_time_does_not_start():
    """When the deadline has no time left the handler is not begun."""
    assert "busy" == run(lambda _: pytest.fail("begun"), seconds=0)[0]


def test_load_handler_imports_a_function():
    """A profile names its handler as module:function."""
    import json

    assert load_handler("json:dumps") is json.dumps


@pytest.mark.parametrize(
    "written", ["", "json", "json:", ":dumps", "json:nosuch", "no.such.module:f", "json:__doc__"]
)
def test_load_handler_refuses_at_start(written):
    """A handler that cannot be called is found when the server starts."""
    with pytest.raises(ConfigurationError):
        load_handler(written)
