"""Lifecycle rules: which find what a profile keeps for some days alone, and no object that is to stay."""

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from signer.callback_body import DEFAULT_FORM, compile_body
from signer.callback_param import define_callback
from signer.errors import ConfigurationError
from signer.lifecycle import LifecyclePlan, LifecycleRule, plan_lifecycle, render_xml
from signer.object_keys import compile_prefix_template
from signer.places import define_place
from signer.profiles import Profile

MakeProfile = Callable[..., Profile]
FORM_CALLBACK = define_callback(["https://uploads.example.com/callback"], compile_body(DEFAULT_FORM, "form"))


@pytest.fixture
def plan(make_profile: MakeProfile) -> Callable[..., LifecyclePlan]:
    """Plan for profiles of one bucket, each given as what differs."""

    def make(**profiles: dict[str, Any]) -> LifecyclePlan:
        (only,) = plan_lifecycle(make_profile(name=name, **changes) for name, changes in profiles.items())
        return only

    return make


def test_folder_of_its_own_is_found_by_prefix(plan: Callable[..., LifecyclePlan]) -> None:
    """One rule finds what comes by any way."""
    found = plan(
        photo={"object_key": "photos/{date}/{upload_id}", "keep_days": 30, "via": ("post", "put", "sts")},
        file={"object_key": "files/{upload_id}"},
    )

    assert ([LifecycleRule(30, "photos/")], []) == (found.rules, found.unreached)


def test_name_of_the_profile_is_a_folder_of_its_own(plan: Callable[..., LifecyclePlan]) -> None:
    """The default template begins with it."""
    found = plan(scan={"object_key": "{profile}/{date}/{upload_id}{ext}", "keep_days": 7})

    assert [LifecycleRule(7, "scan/")] == found.rules


@pytest.mark.parametrize(
    "other",
    ["{subject}/{upload_id}", "photos/{upload_id}", "photos/raw/{upload_id}", "p{upload_id}"],
)
def test_rule_never_reaches_what_is_to_stay(plan: Callable[..., LifecyclePlan], other: str) -> None:
    """Where another profile's keys may begin so, there is no rule by prefix: tags alone, and forms are told."""
    found = plan(photo={"object_key": "photos/{upload_id}", "keep_days": 30}, other={"object_key": other})

    assert [LifecycleRule(30)] == found.rules
    ((name, reason),) = found.unreached
    assert ("photo", True) == (name, "post" in reason and "other" in reason)


def test_profiles_of_equal_days_may_share_a_folder(plan: Callable[..., LifecyclePlan]) -> None:
    """OSS refuses rules that overlap, so one does for both."""
    found = plan(
        photo={"object_key": "tmp/{upload_id}", "keep_days": 2},
        scan={"object_key": "tmp/scans/{upload_id}", "keep_days": 2},
    )

    assert ([LifecycleRule(2, "tmp/")], []) == (found.rules, found.unreached)


def test_same_folder_in_another_bucket_is_nobodys_concern(make_profile: MakeProfile) -> None:
    """Buckets have rules of their own."""
    plans = plan_lifecycle(
        [
            make_profile(name="a", keep_days=1),
            make_profile(name="b", place=define_place("otherbucket", "cn-hangzhou")),
        ]
    )

    assert [("examplebucket", [LifecycleRule(1, "photos/")])] == [(one.bucket, one.rules) for one in plans]


def test_keys_without_a_beginning_are_found_by_their_tag(plan: Callable[..., LifecyclePlan]) -> None:
    """A PUT and parts carry it; of a prefix and a form it is said that they do not."""
    bare = {"object_key": "{subject}/{upload_id}", "keep_days": 5}
    tagged = plan(photo=bare | {"via": ("put", "multipart")})
    prefix = compile_prefix_template("{subject}/")
    untagged = plan(photo=bare | {"via": ("sts",), "key_prefix": prefix, "prefix_callback": FORM_CALLBACK})

    assert ([LifecycleRule(5)], []) == (tagged.rules, tagged.unreached)
    assert [] == untagged.rules
    assert ["sts" in untagged.unreached[0][1], "key_prefix" in untagged.unreached[1][1]] == [True, True]


def test_nothing_is_planned_for_what_stays_for_ever(make_profile: MakeProfile) -> None:
    """The default."""
    assert [] == plan_lifecycle([make_profile()])


def test_xml_is_that_of_the_documentation() -> None:
    """A rule by prefix has one, a rule by tag has our tag; text is escaped."""
    document = ElementTree.fromstring(render_xml([LifecycleRule(30, "a&b/"), LifecycleRule(7)]).encode())
    found = [
        (rule.findtext("Prefix"), rule.findtext("Tag/Key"), rule.findtext("Tag/Value"), rule.findtext("Expiration/Days"))
        for rule in document.findall("Rule")
    ]  # fmt: skip

    assert [("a&b/", None, None, "30"), (None, "ossgate-keep-days", "7", "7")] == found
    assert {"Enabled"} == {rule.findtext("Status") for rule in document.findall("Rule")}


@pytest.mark.parametrize("days", [-1, 36501])
def test_days_that_nobody_means_are_refused(make_profile: MakeProfile, days: int) -> None:
    """A hundred years are for ever."""
    with pytest.raises(ConfigurationError, match=str(days)):
        make_profile(keep_days=days)
