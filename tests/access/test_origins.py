"""Exact origins, for all profiles and for single ones."""

import pytest

from ossgate.access.origins import OriginRules, check_origin


@pytest.mark.parametrize(
    "origin",
    ["https://a.example", "http://localhost:3000", "https://[::1]:8443", "null", "capacitor://localhost"],
)
def test_origins_as_browsers_send_them(origin):
    """What browsers and app shells send is taken as it is."""
    check_origin(origin)


@pytest.mark.parametrize(
    "origin",
    ["", "*", "a.example", "https://a.example/", "https://A.example", "https://*.a.example", "https://a.example:443", "http://a.example:80",
     "https://a.example/x", "https://u@a.example", "https://", "https://a..example", "https://a.example\n"],
)  # fmt: skip
def test_what_no_browser_sends_is_refused(origin):
    """A slip in an origin stops the start: compared exactly, it would match nothing."""
    with pytest.raises(ValueError, match=r"\w"):
        check_origin(origin)


def test_each_profile_has_its_origins_and_the_shared_ones():
    """Preflights allow the union; a profile allows its own and the shared."""
    rules = OriginRules(["https://all.example"], {"photo": ["https://a.example"], "file": []})

    assert ("https://all.example", "https://a.example") == rules.union
    for origin, photo, file in [
        ("", True, True), ("https://all.example", True, True), ("https://a.example", True, False),
        ("https://b.example", False, False), ("null", False, False),
    ]:  # fmt: skip
        assert (photo, file) == (rules.allows(origin, "photo"), rules.allows(origin, "file"))


def test_without_origins_nothing_changes():
    """Where none is listed, browsers keep foreign pages out, and programs may send what they like."""
    assert OriginRules().allows("https://b.example", "photo")


def test_the_wildcard_is_for_every_profile():
    """Who lets every page in, lets it use every profile."""
    assert OriginRules(["*"], {"photo": ["https://a.example"]}).allows("https://b.example", "photo")


def test_origins_of_one_profile_are_its_own_and_the_shared_ones():
    """An address of one profile alone lets preflights of these pages pass and of no others."""
    rules = OriginRules(
        ["https://all.example"], {"photo": ["https://a.example"], "file": ["https://b.example"]}
    )

    assert ("https://all.example", "https://a.example") == rules.list_origins("photo")
    assert ("https://all.example",) == rules.list_origins("other")
