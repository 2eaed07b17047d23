"""Rate limits: who is counted, what the answer says, and what happens while Redis is down."""

import secrets
import socket
import time

import pytest

from ossgate.access import Caller
from ossgate.access.rate_counters import MemoryCounter, RedisCounter
from ossgate.access.rates import Rate, RateLimited, RateLimits, format_policies, format_standings, parse_rate

REDIS_URL = "redis://127.0.0.1:6379/9"
BUDGET_SECONDS = 0.05

ANONYMOUS = Caller("anonymous", "", "192.0.2.1")
BACKEND = Caller("api_key", "backend", "192.0.2.1")
ALICE = Caller("jwt", "alice", "192.0.2.1", subject="alice")


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("60/minute", Rate(60, 60)), ("1/second", Rate(1, 1)), ("1000/day", Rate(1000, 86400)), ("5/2 hours", Rate(5, 7200)),
        ("100 / 5 minutes", Rate(100, 300)), (" 7/hours ", Rate(7, 3600)),
    ],
)  # fmt: skip
def test_parse_rate(written, rate):
    """Rates are written as people say them."""
    assert rate == parse_rate(written)


@pytest.mark.parametrize(
    "written",
    [
        "60",
        "60/fortnight",
        "0/minute",
        "-1/minute",
        "1.5/minute",
        "60/0 minutes",
        "60 per minute;",
        "x",
        "/minute",
    ],
)
def test_what_is_no_rate_is_refused(written):
    """A slip stops the start."""
    with pytest.raises(ValueError, match="is no rate"):
        parse_rate(written)


def is_redis_there():
    try:
        with socket.create_connection(("127.0.0.1", 6379), timeout=0.5):
            return True
    except OSError:
        return False


@pytest.fixture(params=["memory", "redis"])
def make_counter(request):
    """Make a counter; two of Redis count together."""

    def make():
        if request.param == "memory":
            return MemoryCounter()
        if not is_redis_there():
            pytest.skip("no Redis answers on 127.0.0.1:6379, so counting in it is not tested here")
        counter = RedisCounter(REDIS_URL, log=lambda *a, **k: None)
        made.append(counter)
        return counter

    made = []
    yield make
    for counter in made:
        if counter._limiter is not None:
            counter._limiter.storage.storage.close()


TWO_AN_HOUR = Rate(2, 3600)


def make_limits(counter, per, rate=TWO_AN_HOUR, note=lambda standing: None):
    return RateLimits({"issue": rate}, per=per, counter=counter, note=note)


def count_passed(limits, *callers, times=4, subject=""):
    passed = 0
    for _ in range(times):
        for caller in callers:
            try:
                limits.hit("issue", caller, subject)
                passed += 1
            except RateLimited:
                pass
    return passed


def test_a_rate_is_kept_and_told(make_counter):
    """So many pass and no more; each answer says what is left, and the refusal when to come back."""
    noted = []
    caller = Caller("anonymous", "", f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.1")
    limits = make_limits(make_counter(), ["anonymous"], note=noted.append)

    assert 2 == count_passed(limits, caller)
    assert [1, 0, 0, 0] == [one.remaining for one in noted]
    assert [True, True, False, False] == [one.passed for one in noted]
    with pytest.raises(RateLimited) as limited:
        limits.hit("issue", caller)
    assert 1 <= limited.value.retry_after <= 3600
    assert '"issue-anonymous";q=2;w=3600' == format_policies(noted[:1])
    assert format_standings(noted[:1]).startswith('"issue-anonymous";r=1;t=')


def test_processes_count_together_in_redis():
    """Two counters of one Redis are two processes of one set-up."""
    if not is_redis_there():
        pytest.skip("no Redis answers on 127.0.0.1:6379, so counting in it is not tested here")
    caller = Caller("anonymous", "", f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.2")
    counters = [RedisCounter(REDIS_URL, log=lambda *a, **k: None) for _ in range(2)]
    first, second = (make_limits(counter, ["anonymous"]) for counter in counters)

    assert 2 == count_passed(first, caller, times=2) + count_passed(second, caller, times=2)
    for counter in counters:
        counter._limiter.storage.storage.close()


@pytest.mark.parametrize(
    ("per", "callers", "subject", "passed"),
    [
        (["anonymous"], [ANONYMOUS], "", 2),
        (["anonymous"], [ANONYMOUS, Caller("anonymous", "", "192.0.2.2")], "", 4),
        (["anonymous"], [Caller("anonymous", "", f"2001:db8::{n}") for n in range(3)], "", 2),
        (["anonymous"], [ALICE, BACKEND], "", 8),
        (["subject"], [ANONYMOUS], "", 4),
        (["subject"], [ALICE, Caller("jwt", "alice", "192.0.2.9", subject="alice")], "", 2),
        (["subject"], [ALICE, Caller("jwt", "bob", "192.0.2.1", subject="bob")], "", 4),
        (["subject"], [ALICE, Caller("session", "alice", "", subject="alice")], "", 4),
        (["subject"], [ALICE, Caller("bearer", "alice", "", subject="alice", profile="p", maker="jwt:alice")], "", 2),
        (["subject"], [BACKEND], "u1", 2),
        (["address"], [ALICE, Caller("jwt", "bob", "192.0.2.1", subject="bob")], "", 2),
        (["address"], [BACKEND], "u1", 4),
        (["address"], [ANONYMOUS], "", 2),
        (["subject", "address"], [ALICE], "", 2),
        ([], [ANONYMOUS, ALICE], "", 8),
    ],
    ids=str,
)  # fmt: skip
def test_whom_a_rate_counts(per, callers, subject, passed):
    """Anonymous callers by network, named ones by subject, all but API keys by network: as the settings say."""
    assert passed == count_passed(make_limits(MemoryCounter(), per), *callers, subject=subject)


def test_subjects_of_one_backend_are_counted_apart():
    """One busy user of a backend does not stop the others."""
    limits = make_limits(MemoryCounter(), ["subject"])

    assert 2 == count_passed(limits, BACKEND, subject="u1")
    assert 2 == count_passed(limits, BACKEND, subject="u2")


def test_a_list_counts_for_each_file():
    """A list of grants costs as many; one that is longer than the rate passes when nothing else was asked."""
    limits = make_limits(MemoryCounter(), ["anonymous"], Rate(10, 3600))

    limits.hit("issue", ANONYMOUS, cost=100)
    with pytest.raises(RateLimited):
        limits.hit("issue", ANONYMOUS)


def test_actions_without_a_rate_are_not_counted():
    """What has no rate passes."""
    assert count_passed(RateLimits({}, per=["anonymous"], counter=MemoryCounter()), ANONYMOUS) == 4


@pytest.fixture
def silent_port():
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_everybody_passes_while_redis_is_down(silent_port):
    """Within the budget, told once in the log, and asked again only after a pause."""
    events = []
    now = [1000.0]
    # The libraries are loaded before anything is timed.
    RedisCounter("redis://127.0.0.1:1", log=lambda *a, **k: None).hit(Rate(1, 1), "k", 1)
    for port in (1, silent_port):
        events.clear()
        counter = RedisCounter(
            f"redis://127.0.0.1:{port}", log=lambda event, **facts: events.append(event), clock=lambda: now[0]
        )
        limits = make_limits(counter, ["anonymous"])
        begun = time.perf_counter()
        assert 4 == count_passed(limits, ANONYMOUS)
        assert time.perf_counter() - begun < BUDGET_SECONDS
        assert ["rate_limits_unavailable"] == events
        now[0] += 6
        assert 4 == count_passed(limits, ANONYMOUS)
        assert 2 == len(events)
        counter._limiter.storage.storage.close()


def test_nothing_is_loaded_before_the_first_request():
    """Counters are built with the application and open nothing."""
    assert MemoryCounter()._limiter is None
    assert RedisCounter("redis://192.0.2.1", log=lambda *a, **k: None)._limiter is None
