"""Key sets of a provider, from a real server: first use, rotation, outage, bounds; and many threads at once."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.jwk import OctKey
from werkzeug import Response

from ossgate.access import KeysUnavailable
from ossgate.access.jwks import JwksCache, JwksCaches
from ossgate.access.jwks_fetch import MAX_BYTES, FetchFailed, fetch_keys, parse_keys
from ossgate.access.jwt_keys import select_keys


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def events():
    return []


@pytest.fixture
def publish(httpserver):
    """Publish a key set; the last one published counts. Return how often it was fetched."""
    state = {"document": b"", "status": 200, "fetched": 0}

    def answer(request):
        state["fetched"] += 1
        return Response(state["document"], state["status"], content_type="application/json")

    httpserver.expect_request("/jwks.json").respond_with_handler(answer)

    def change(*published, status=200, document=None):
        listed = [key.as_dict(private=False) if hasattr(key, "as_dict") else key for key in published]
        state.update(status=status, document=document or json.dumps({"keys": listed}).encode())
        return state

    return change


@pytest.fixture
def make_cache(httpserver, clock, events):
    def make(**changes):
        options = {
            "cache_seconds": 600,
            "clock": clock,
            "log": lambda event, **facts: events.append((event, facts)),
        }
        return JwksCache(httpserver.url_for("/jwks.json"), **(options | changes))

    return make


def join_refresh():
    """Wait for a refresh beside the requests."""
    for thread in threading.enumerate():
        if thread.name == "ossgate-jwks":
            thread.join(10)


def test_nothing_is_fetched_before_first_use(make_cache, publish, keys):
    """A server starts while the provider is down, and asks it once."""
    state = publish(keys["RSA"])
    cache = make_cache()
    assert 0 == state["fetched"]

    assert ["rsa-1"] == [key.kid for key in cache.find_keys("rsa-1", "RS256")]
    assert ["rsa-1"] == [key.kid for key in cache.find_keys("rsa-1", "RS256")]
    assert 1 == state["fetched"]


def test_rotation_is_seen_when_a_token_names_the_new_key(make_cache, publish, keys, clock):
    """An unknown key id fetches anew at once, and at most once a minute whoever asks."""
    state = publish(keys["RSA"])
    cache = make_cache()
    cache.find_keys("rsa-1", "RS256")
    publish(keys["RSA"], keys["RSA-2"])

    assert [] == list(cache.find_keys("rsa-2", "RS256"))
    clock.now += 61
    assert ["rsa-2"] == [key.kid for key in cache.find_keys("rsa-2", "RS256")]
    assert 2 == state["fetched"]
    for number in range(20):
        assert [] == list(cache.find_keys(f"invented-{number}", "RS256"))
    assert 2 == state["fetched"]


def test_a_revoked_key_is_gone_after_the_cache(make_cache, publish, keys, clock):
    """Keys that are old are fetched anew beside the requests, which do not wait."""
    publish(keys["RSA"], keys["RSA-2"])
    cache = make_cache()
    cache.find_keys("rsa-1", "RS256")
    publish(keys["RSA-2"])
    clock.now += 601

    assert ["rsa-1"] == [key.kid for key in cache.find_keys("rsa-1", "RS256")]
    join_refresh()
    assert [] == list(cache.find_keys("rsa-1", "RS256"))


@pytest.mark.parametrize(
    "outage",
    [
        {"status": 500}, {"status": 404}, {"status": 302}, {"document": b"<html>"}, {"document": b"[]"}, {"document": b'{"keys":{}}'},
        {"document": b'{"keys":[]}'}, {"document": b'{"keys":[7,{},{"kty":"RSA"},{"kty":"RSA","n":7,"e":[]}]}'},
        {"document": b"[" * 100_000}, {"document": b"x" * (MAX_BYTES + 1)},
    ],
    ids=lambda outage: str(outage)[:40],
)  # fmt: skip
def test_old_keys_stay_while_the_provider_is_down(make_cache, publish, keys, clock, events, outage):
    """An outage, or rubbish instead of keys, locks nobody out; it is logged, and ends by itself."""
    publish(keys["RSA"])
    cache = make_cache()
    cache.find_keys("rsa-1", "RS256")
    publish(**outage)
    clock.now += 601

    cache.find_keys("rsa-1", "RS256")
    join_refresh()

    assert ["rsa-1"] == [key.kid for key in cache.find_keys("rsa-1", "RS256")]
    assert [("jwks_unavailable", 1)] == [(event, facts["keys_kept"]) for event, facts in events]
    publish(keys["RSA-2"])
    clock.now += 61
    cache.find_keys("rsa-1", "RS256")
    join_refresh()
    assert ["rsa-2"] == [key.kid for key in cache.find_keys("rsa-2", "RS256")]


def test_without_any_key_nobody_is_judged(make_cache, publish, keys, clock):
    """A provider that was down from the start is asked again soon, and not at each request."""
    state = publish(status=503)
    cache = make_cache()
    for _ in range(5):
        with pytest.raises(KeysUnavailable):
            cache.find_keys("rsa-1", "RS256")
    assert 1 == state["fetched"]

    publish(keys["RSA"])
    clock.now += 6

    assert ["rsa-1"] == [key.kid for key in cache.find_keys("rsa-1", "RS256")]


def test_one_fetch_serves_all_who_wait(keys, events):
    """Sixteen requests at once make one fetch."""
    fetched, begun, go = [], threading.Event(), threading.Event()

    def fetch(url):
        fetched.append(url)
        begun.set()
        go.wait(10)
        return (keys["RSA"],)

    cache = JwksCache("https://x.example", cache_seconds=600, log=lambda *a, **k: None, fetch=fetch)
    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(cache.find_keys, "rsa-1", "RS256") for _ in range(16)]
        assert begun.wait(10)
        go.set()
        assert all([keys["RSA"]] == list(one.result(10)) for one in asked)
    assert 1 == len(fetched)


def test_a_refresh_that_fails_lets_the_next_one_try(keys, clock):
    """A fetch that ends in any way is over: nothing waits for it for ever."""
    answers = [FetchFailed("down"), (keys["RSA"],)]

    def fetch(url):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    cache = JwksCache(
        "https://x.example", cache_seconds=600, log=lambda *a, **k: None, fetch=fetch, clock=clock
    )
    with pytest.raises(KeysUnavailable):
        cache.find_keys(None, "RS256")
    clock.now += 6
    assert [keys["RSA"]] == list(cache.find_keys(None, "RS256"))


def test_a_refresh_that_ends_between_two_looks_counts(keys, clock, monkeypatch):
    """What another thread fetched after the first look is found by the second, although it is too early to fetch again."""
    published, looked = [keys["RSA"]], threading.Event()

    def fetch(url):
        looked.wait(10)
        return tuple(published)

    def look(*asked):
        found = select_keys(*asked)
        looked.set()
        join_refresh()
        return found

    cache = JwksCache(
        "https://x.example", cache_seconds=600, log=lambda *a, **k: None, fetch=fetch, clock=clock
    )
    looked.set()
    cache.find_keys("rsa-1", "RS256")
    looked.clear()
    published.append(keys["RSA-2"])
    clock.now += 1000
    monkeypatch.setattr("ossgate.access.jwks.select_keys", look)
    assert [keys["RSA-2"]] == list(cache.find_keys(keys["RSA-2"].kid, "RS256"))


def test_several_urls_of_one_issuer(make_cache, publish, keys, httpserver, clock, events):
    """The first set that has the key serves; one that is down does not hide the others."""
    publish(keys["RSA"])
    down = JwksCache(
        httpserver.url_for("/nosuch"),
        cache_seconds=600,
        clock=clock,
        log=lambda event, **facts: events.append(event),
    )
    both = JwksCaches([down, make_cache()])

    assert ["rsa-1"] == [key.kid for key in both.find_keys("rsa-1", "RS256")]
    with pytest.raises(KeysUnavailable):
        both.find_keys("rsa-9", "RS256")


def test_a_key_that_cannot_be_read_does_not_hide_the_others(keys):
    """Secrets, weak keys, keys of new kinds and broken ones are passed over."""
    listed = [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"},
        OctKey.generate_key(256).as_dict(),
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": ["RSA"]},
        keys["EC"].as_dict(private=False),
    ]

    assert ["ec-1"] == [key.kid for key in parse_keys(json.dumps({"keys": listed}).encode())]


def test_a_redirect_is_not_followed(httpserver):
    """The operator named the host whose word is believed."""
    httpserver.expect_request("/moved").respond_with_data(
        status=302, headers={"Location": httpserver.url_for("/other")}
    )

    with pytest.raises(FetchFailed, match="302"):
        fetch_keys(httpserver.url_for("/moved"))


def test_a_host_that_is_not_there_is_a_failure():
    """A closed port is an outage like others."""
    with pytest.raises(FetchFailed, match="cannot be reached"):
        fetch_keys("http://127.0.0.1:9/jwks.json")


def test_a_trickle_ends_in_time(httpserver, monkeypatch):
    """A host that sends a byte now and then is given up."""
    monkeypatch.setattr("ossgate.access.jwks_fetch.FETCH_SECONDS", 0.0)
    httpserver.expect_request("/slow").respond_with_data(b'{"keys": []}')

    with pytest.raises(FetchFailed, match="too long"):
        fetch_keys(httpserver.url_for("/slow"))
