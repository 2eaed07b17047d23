"""The header of a trusted proxy: believed from its addresses, and from nowhere else."""

import pytest

from ossgate.access import AccessDenied
from ossgate.access.proxies import TrustedProxy

PROXY = TrustedProxy("X-User", ["192.0.2.1", "10.0.0.0/8", "2001:db8::/32"])


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.255.0.1", "2001:db8::1", "::ffff:192.0.2.1"])
def test_a_listed_peer_is_believed(make_environ, peer):
    """A proxy of the settings names the user, in any script."""
    name = "李雷".encode().decode("latin-1")
    caller = PROXY.identify(make_environ(REMOTE_ADDR=peer, HTTP_X_USER=name), "203.0.113.9")

    assert ("proxy", "李雷", "proxy:李雷", "203.0.113.9") == (
        caller.way,
        caller.subject,
        caller.issuer,
        caller.address,
    )


@pytest.mark.parametrize("peer", ["192.0.2.2", "11.0.0.1", "2001:db9::1", "", "unix", "nonsense", None])
def test_everybody_else_is_not(make_environ, peer):
    """A client cannot name itself by sending the header."""
    assert PROXY.identify(make_environ(REMOTE_ADDR=peer, HTTP_X_USER="alice"), "") is None


def test_the_tcp_peer_counts_and_no_forwarded_address(make_environ):
    """X-Forwarded-For is what clients say; the connection is what counts."""
    forged = {"REMOTE_ADDR": "192.0.2.1", "werkzeug.proxy_fix.orig": {"REMOTE_ADDR": "203.0.113.9"}}
    real = {"REMOTE_ADDR": "203.0.113.9", "werkzeug.proxy_fix.orig": {"REMOTE_ADDR": "192.0.2.1"}}

    assert PROXY.identify(make_environ(HTTP_X_USER="alice", **forged), "") is None
    assert "alice" == PROXY.identify(make_environ(HTTP_X_USER="alice", **real), "").subject


def test_unix_sockets_have_a_word(make_environ):
    """A Unix socket has no address, and is believed only where the settings say so."""
    caller = TrustedProxy("X-User", ["unix"]).identify(make_environ(REMOTE_ADDR="", HTTP_X_USER="alice"), "")

    assert "alice" == caller.subject
    assert TrustedProxy("X-User", ["unix"]).identify(make_environ(HTTP_X_USER="alice"), "") is None


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_name_nobody_is_named(make_environ, value):
    """Where the proxy lets somebody through without a name, they are anonymous."""
    assert PROXY.identify(make_environ(HTTP_X_USER=value), "") is None


@pytest.mark.parametrize(
    "value",
    ["mallory, alice", "a,b", " alice", "x" * 121, "a\x7f", "\xff", "a\u2028".encode().decode("latin-1")],
)
def test_odd_names_are_refused(make_environ, value):
    """A second name may be the client's own; names that cannot be seen name nobody."""
    environ = make_environ(HTTP_X_USER=value)
    with pytest.raises(AccessDenied) as denied:
        PROXY.identify(environ, "")
    assert "proxy_header_invalid" == denied.value.code


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"HTTP_SEC_FETCH_SITE": "same-origin"}, False),
        ({"HTTP_ORIGIN": "https://uploads.example"}, False),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, True),
        ({"HTTP_ORIGIN": "https://evil.example"}, True),
    ],
)
def test_foreign_pages_are_refused(make_environ, headers, refused):
    """A proxy that asks browsers once is as good as a cookie: foreign pages must not ask in its name. Programs may."""
    environ = make_environ(REQUEST_METHOD="POST", HTTP_X_USER="alice", **headers)
    if not refused:
        assert PROXY.identify(environ, "")
        return
    with pytest.raises(AccessDenied) as denied:
        PROXY.identify(environ, "")
    assert "csrf_refused" == denied.value.code


@pytest.mark.parametrize(
    ("header", "peers"),
    [
        ("Authorization", ["192.0.2.1"]), ("X User", ["192.0.2.1"]), ("X_User", ["192.0.2.1"]), ("", ["192.0.2.1"]),
        ("X-User", ["nonsense"]), ("X-User", ["0.0.0.0/0"]), ("X-User", ["::/0"]), ("X-User", ["192.0.2.1/24"]),
    ],
)  # fmt: skip
def test_settings_that_would_believe_anybody_are_refused(header, peers):
    """A header that clients need themselves, and a network of all addresses, stop the start."""
    with pytest.raises(ValueError, match=r"\w"):
        TrustedProxy(header, peers)
