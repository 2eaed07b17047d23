"""Who asks, what they may use, and what they may see."""

import pytest

from ossgate.access import AccessDenied, Caller
from ossgate.access.callers import network_of, require_way

JWT = Caller("jwt", "alice", "", subject="alice")
BEARER = Caller("bearer", "alice", "", subject="alice", profile="photo", maker="api_key:backend")


@pytest.mark.parametrize(
    ("caller", "issuer", "subject"),
    [
        (Caller("anonymous", "", ""), "anonymous", "anonymous"),
        (Caller("api_key", "backend", ""), "api_key:backend", "backend"),
        (JWT, "jwt:alice", "alice"),
        (Caller("proxy", "bob", "", subject="bob"), "proxy:bob", "bob"),
        (Caller("session", "7", "", subject="7"), "session:7", "7"),
        (BEARER, "api_key:backend", "alice"),
    ],
)
def test_issuer_and_subject_of_each_way(caller, issuer, subject):
    """The ledger keeps who asked and for whom; a query bearer acts in the name of its maker."""
    assert (issuer, subject) == (caller.issuer, caller.default_subject)


@pytest.mark.parametrize(
    ("caller", "allowed", "code"),
    [
        (Caller("anonymous", "", ""), ("anonymous",), None),
        (Caller("api_key", "b", ""), ("anonymous", "api_key"), None),
        (Caller("anonymous", "", ""), ("api_key",), "credentials_missing"),
        (Caller("anonymous", "", ""), (), "credentials_missing"),
        (Caller("api_key", "b", ""), ("anonymous",), "profile_forbidden"),
        (JWT, ("jwt",), None),
        (JWT, ("session", "proxy"), "profile_forbidden"),
        (BEARER, ("bearer",), None),
        (BEARER, ("api_key",), "profile_forbidden"),
        (
            Caller("bearer", "a", "", subject="a", profile="file", maker="jwt:a"),
            ("bearer",),
            "profile_forbidden",
        ),
    ],
)
def test_require_way_denies_by_default(caller, allowed, code):
    """Only whom the profile names may use it."""
    if code is None:
        require_way(caller, allowed, "photo")
        return
    with pytest.raises(AccessDenied) as denied:
        require_way(caller, allowed, "photo")
    assert code == denied.value.code


@pytest.mark.parametrize(
    ("caller", "issuer", "subject", "seen"),
    [
        (Caller("anonymous", "", ""), "anonymous", "anonymous", True),
        (Caller("anonymous", "", ""), "api_key:backend", "u", False),
        (Caller("api_key", "backend", ""), "api_key:backend", "u", True),
        (Caller("api_key", "other", ""), "api_key:backend", "u", False),
        (Caller("api_key", "other", "", operator=True), "api_key:backend", "u", True),
        (JWT, "jwt:alice", "alice", True),
        (JWT, "jwt:bob", "bob", False),
        (JWT, "session:alice", "alice", False),
        (JWT, "api_key:backend", "alice", False),
        (Caller("jwt", "root", "", operator=True, subject="root"), "jwt:alice", "alice", True),
        (BEARER, "api_key:backend", "alice", True),
        (BEARER, "api_key:backend", "bob", False),
        (BEARER, "jwt:alice", "alice", False),
    ],
)
def test_may_see_own_uploads_and_no_others(caller, issuer, subject, seen):
    """An upload is shown to its issuer and to operators; an anonymous one to who holds its id."""
    assert seen == caller.may_see(issuer, subject)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_quota_counts_by_the_network_of_one_person(address, network):
    """An IPv6 user has a /64 full of addresses, and one quota."""
    assert network == network_of(address)
    assert f"address:{network}" == Caller("anonymous", "", address).quota_key("s")


def test_quota_of_a_key_counts_by_subject():
    """Two users of one backend do not share a quota."""
    caller = Caller("api_key", "backend", "192.0.2.1")

    assert caller.quota_key("u1") != caller.quota_key("u2")


def test_quota_of_a_bearer_is_its_makers():
    """Making bearers wins nobody a second quota."""
    own = Caller("bearer", "alice", "", subject="alice", profile="photo", maker="jwt:alice")

    assert JWT.quota_key("alice") == own.quota_key("alice")
    assert Caller("api_key", "backend", "").quota_key("alice") == BEARER.quota_key("alice")
