"""Who asks, and what they may see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.access import Access, AccessDenied, ApiKey, Caller, hash_api_key, new_api_key
from ossgate.access.callers import network_of, require_way
from ossgate.access.keys import is_key_hash

KEY = new_api_key()
ACCESS = Access([ApiKey("other", hash_api_key(new_api_key())), ApiKey("backend", hash_api_key(KEY))])


def test_identify_knows_a_key_by_its_hash():
    """The right key names its backend; the settings hold its hash alone."""
    caller = ACCESS.identify(f"Bearer {KEY}", "192.0.2.1")

    assert ("api_key", "backend", "api_key:backend") == (caller.way, caller.name, caller.issuer)
    assert is_key_hash(hash_api_key(KEY))
    assert KEY not in hash_api_key(KEY)


def test_identify_without_a_header_is_anonymous():
    """No credentials are not wrong credentials."""
    assert "anonymous" == ACCESS.identify("", "192.0.2.1").issuer


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", f"Basic {KEY}", KEY, f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", "Bearer é"]
)
def test_identify_never_takes_a_wrong_key_for_none(header):
    """Wrong credentials are refused with 401, even where anonymous callers are welcome."""
    with pytest.raises(AccessDenied) as denied:
        ACCESS.identify(header, "192.0.2.1")

    assert ("credentials_invalid", True) == (denied.value.code, denied.value.authenticate)
    assert KEY not in denied.value.message + denied.value.hint


@given(st.text(min_size=1, max_size=100))
def test_identify_denies_garbage(header):
    """Garbage in the header is denied, never a crash."""
    with pytest.raises(AccessDenied):
        ACCESS.identify(header, "x")


@pytest.mark.parametrize(
    ("caller", "allowed", "code"),
    [
        (Caller("anonymous", "", ""), ("anonymous",), None),
        (Caller("api_key", "b", ""), ("anonymous", "api_key"), None),
        (Caller("anonymous", "", ""), ("api_key",), "credentials_missing"),
        (Caller("anonymous", "", ""), (), "credentials_missing"),
        (Caller("api_key", "b", ""), ("anonymous",), "profile_forbidden"),
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
    ("caller", "issuer", "seen"),
    [
        (Caller("anonymous", "", ""), "anonymous", True),
        (Caller("anonymous", "", ""), "api_key:backend", False),
        (Caller("api_key", "backend", ""), "api_key:backend", True),
        (Caller("api_key", "other", ""), "api_key:backend", False),
        (Caller("api_key", "other", "", operator=True), "api_key:backend", True),
    ],
)
def test_may_see_own_uploads_and_no_others(caller, issuer, seen):
    """An upload is shown to its issuer and to operators; an anonymous one to who holds its id."""
    assert seen == caller.may_see(issuer)


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
