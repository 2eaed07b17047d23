"""The gate: who sends a request, and in which order its credentials count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.access import Access, AccessDenied, ApiKey, Caller, hash_api_key, new_api_key
from ossgate.access.bearers import BearerKeys
from ossgate.access.origins import OriginRules
from ossgate.access.proxies import TrustedProxy

KEY = new_api_key()
KEYS = [ApiKey("other", hash_api_key(new_api_key())), ApiKey("backend", hash_api_key(KEY), operator=True)]
ACCESS = Access(KEYS)


def make_environ(**headers):
    return {"REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.1", "HTTP_HOST": "uploads.example"} | headers


def test_identify_knows_a_key_by_its_hash():
    """The right key names its backend, in any case of the scheme."""
    for scheme in ("Bearer", "bearer"):
        caller = ACCESS.identify(make_environ(HTTP_AUTHORIZATION=f"{scheme} {KEY}"))
        assert ("api_key", "backend", True) == (caller.way, caller.name, caller.operator)


def test_identify_without_a_header_is_anonymous():
    """No credentials are not wrong credentials."""
    assert Caller("anonymous", "", "192.0.2.1") == ACCESS.identify(make_environ())


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", f"Basic {KEY}", KEY, f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", "Bearer é", "Bearer \ud800",
     "Bearer a.b.c", " "],
)  # fmt: skip
def test_identify_never_takes_a_wrong_key_for_none(header):
    """Wrong credentials are refused with 401, even where anonymous callers are welcome."""
    with pytest.raises(AccessDenied) as denied:
        ACCESS.identify(make_environ(HTTP_AUTHORIZATION=header))

    assert ("credentials_invalid", True) == (denied.value.code, denied.value.authenticate)
    assert KEY not in denied.value.message + denied.value.hint


@given(st.text(min_size=1, max_size=100))
def test_identify_denies_garbage(header):
    """Garbage in the header is denied, never a crash."""
    with pytest.raises(AccessDenied):
        ACCESS.identify(make_environ(HTTP_AUTHORIZATION=header))


class Judge:
    """Knows one token."""

    def identify(self, token, address):
        return Caller("jwt", token, address, subject=token)


FULL = Access(
    KEYS,
    jwt=Judge(),
    ambient=[TrustedProxy("X-User", ["192.0.2.1"])],
    bearers=BearerKeys([b"k" * 32]),
)
TOKEN, _ = FULL.bearers.issue_bearer("jwt:u", "u", "photo", seconds=3600)


@pytest.mark.parametrize(
    ("headers", "issuer"),
    [
        ({"HTTP_AUTHORIZATION": f"Bearer {KEY}", "HTTP_X_USER": "bob"}, "api_key:backend"),
        ({"HTTP_AUTHORIZATION": "Bearer a.b.c", "HTTP_X_USER": "bob"}, "jwt:a.b.c"),
        ({"HTTP_AUTHORIZATION": "Basic x", "HTTP_X_USER": "bob"}, "proxy:bob"),
        ({"HTTP_X_USER": "bob", "QUERY_STRING": f"token={TOKEN}"}, "proxy:bob"),
        ({"QUERY_STRING": f"token={TOKEN}"}, "jwt:u"),
        ({"QUERY_STRING": ""}, "anonymous"),
    ],
)
def test_what_is_sent_on_purpose_counts_first(headers, issuer):
    """The Authorization header counts before what comes by itself, and that before the query."""
    assert issuer == FULL.identify(make_environ(**headers), allow_query_bearer=True).issuer


def test_query_counts_only_where_it_is_declared():
    """A route whose clients can send headers takes nothing from the query."""
    assert "anonymous" == FULL.identify(make_environ(QUERY_STRING=f"token={TOKEN}")).way


def test_keys_may_change_while_the_server_runs():
    """A gate that is given a callable asks it each time."""
    keys = list(KEYS)
    access = Access(lambda: keys)
    environ = make_environ(HTTP_AUTHORIZATION=f"Bearer {KEY}")
    assert "backend" == access.identify(environ).name

    keys.clear()

    with pytest.raises(AccessDenied):
        access.identify(environ)


def test_profiles_are_refused_to_foreign_pages():
    """A page that is listed for one profile may not use another."""
    access = Access(origins=OriginRules([], {"photo": ["https://a.example"]}))
    caller = access.identify(make_environ(HTTP_ORIGIN="https://a.example"))

    access.require_profile(caller, "photo", ("anonymous",))
    with pytest.raises(AccessDenied) as denied:
        access.require_profile(caller, "file", ("anonymous",))

    assert ("origin_forbidden", False) == (denied.value.code, denied.value.authenticate)
    assert (True, False) == tuple(access.may_use(caller, name, ("anonymous",)) for name in ("photo", "file"))
