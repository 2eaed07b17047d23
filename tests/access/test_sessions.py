"""The session of an application beside us, and its defence against foreign pages."""

import time

import pytest
from flask import Flask, session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossgate.access import AccessDenied
from ossgate.access.csrf import require_own_page
from ossgate.access.sessions import SessionCookie

SECRET = "a-secret-of-the-application"


def log_in(secret=SECRET, **values):
    """Return the cookie that a real Flask application sets."""
    app = Flask("application")
    app.secret_key = secret

    @app.get("/")
    def remember():
        session.update(values)
        return ""

    client = app.test_client()
    client.get("/")
    return client.get_cookie("session").value


@pytest.fixture
def make_judge():
    def make(secrets=(SECRET,), key="user_id", lifetime=3600):
        return SessionCookie("session", [one.encode() for one in secrets], key, lifetime=lifetime)

    return make


@pytest.mark.parametrize(("value", "subject"), [("alice", "alice"), (42, "42"), ("李雷", "李雷")])
def test_who_is_logged_in(make_judge, make_environ, value, subject):
    """The cookie that Flask signed names the person, among other cookies."""
    cookie = log_in(user_id=value, other=[1, (2, 3)])
    caller = make_judge().identify(make_environ(HTTP_COOKIE=f"a=b; session={cookie}; c=d"), "192.0.2.1")

    assert ("session", f"session:{subject}", subject) == (caller.way, caller.issuer, caller.subject)


def test_secrets_may_be_changed(make_judge, make_environ):
    """While the application changes its key, cookies of both count."""
    judge = make_judge(("old-secret-of-the-app", SECRET))

    for secret in ("old-secret-of-the-app", SECRET):
        assert (
            "a"
            == judge.identify(make_environ(HTTP_COOKIE="session=" + log_in(secret, user_id="a")), "").subject
        )


@pytest.mark.parametrize(
    "cookie",
    [
        "", "x", "..", "a.b.c", "é", "session", log_in("another-secret-of-an-app", user_id="a"), log_in(other=1),
        log_in(user_id=None, x=1), "eyJ1c2VyX2lkIjoiYSJ9.ZzzzzQ.AAAAAAAAAAAAAAAAAAAAAAAAAAA", "x" * 10_000,
    ],
    ids=lambda value: value[:20],
)  # fmt: skip
def test_what_is_no_session_is_nobody(make_judge, make_environ, cookie):
    """A cookie that the application would not take, or of somebody who is not logged in, is no session."""
    assert make_judge().identify(make_environ(HTTP_COOKIE=f"session={cookie}"), "") is None


def test_a_session_ends(make_judge, make_environ, monkeypatch):
    """A cookie older than the lifetime counts no more."""
    environ = make_environ(HTTP_COOKIE="session=" + log_in(user_id="a"))
    now = time.time()
    assert make_judge().identify(environ, "")

    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 3605)

    assert make_judge().identify(environ, "") is None


@pytest.mark.parametrize("value", ["", " a", "x" * 121, "a\u202e", ["a"], True, {"a": 1}], ids=str)
def test_odd_names_are_refused(make_judge, make_environ, value):
    """A session that names nobody that can be named is refused, and never taken for another."""
    with pytest.raises(AccessDenied) as denied:
        make_judge().identify(make_environ(HTTP_COOKIE="session=" + log_in(user_id=value)), "")
    assert "session_invalid" == denied.value.code


SITES = [
    ("POST", {"HTTP_SEC_FETCH_SITE": "same-origin"}, True),
    ("POST", {"HTTP_SEC_FETCH_SITE": "none"}, True),
    ("POST", {"HTTP_ORIGIN": "https://uploads.example"}, True),
    ("POST", {"HTTP_ORIGIN": "https://UPLOADS.example"}, True),
    ("POST", {}, False),
    ("POST", {"HTTP_SEC_FETCH_SITE": "same-site"}, False),
    ("POST", {"HTTP_SEC_FETCH_SITE": "cross-site"}, False),
    ("POST", {"HTTP_SEC_FETCH_SITE": ""}, False),
    ("POST", {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "https://uploads.example"}, False),
    ("POST", {"HTTP_ORIGIN": "null"}, False),
    ("POST", {"HTTP_ORIGIN": ""}, False),
    ("POST", {"HTTP_ORIGIN": "https://uploads.example.evil.example"}, False),
    ("POST", {"HTTP_ORIGIN": "https://uploads.example:8443"}, False),
    ("POST", {"HTTP_ORIGIN": "https://[", }, False),
    ("POST", {"HTTP_ORIGIN": "https://uploads.example@evil.example"}, False),
    ("DELETE", {}, False),
    ("PUT", {"HTTP_ORIGIN": "https://evil.example"}, False),
    ("GET", {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "https://evil.example"}, True),
    ("HEAD", {}, True),
]  # fmt: skip


@pytest.mark.parametrize(("method", "headers", "passes"), SITES)
def test_unsafe_requests_come_from_our_own_pages(make_judge, make_environ, method, headers, passes):
    """Browsers send cookies by themselves, so what changes anything must come from a page of this origin."""
    environ = make_environ(REQUEST_METHOD=method, HTTP_COOKIE="session=" + log_in(user_id="a"), **headers)
    if passes:
        assert make_judge().identify(environ, "")
        return
    with pytest.raises(AccessDenied) as denied:
        make_judge().identify(environ, "")
    assert ("csrf_refused", False) == (denied.value.code, denied.value.authenticate)


def test_an_origin_is_nobodys_own_without_a_host(make_environ):
    """A request without a Host header has no origin of its own."""
    with pytest.raises(AccessDenied):
        require_own_page(make_environ(REQUEST_METHOD="POST", HTTP_HOST="", HTTP_ORIGIN="https://"))


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_nobody(make_judge, make_environ, cookie):
    """Whatever stands in the cookie is no session, and no crash."""
    assert make_judge().identify(make_environ(HTTP_COOKIE=f"session={cookie}"), "") is None


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a=b", "é"])
def test_a_cookie_has_a_possible_name(name):
    """A name that no cookie can have stops the start."""
    with pytest.raises(ValueError, match="no cookie"):
        SessionCookie(name, [b"x" * 32], "user_id", lifetime=1)


def test_get_counts_as_unsafe_where_it_hands_out_something(make_environ):
    """An address that grants by GET refuses what a script of another site sends."""
    environ = make_environ(REQUEST_METHOD="GET", HTTP_SEC_FETCH_SITE="cross-site")
    require_own_page(environ)

    with pytest.raises(AccessDenied):
        require_own_page(environ, every_method=True)
