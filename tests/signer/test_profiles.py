"""Profiles: limits that are refused when they are made, and what they refuse of uploads."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.callback_body import DEFAULT_JSON, compile_body
from signer.callback_param import CallbackDefinition, define_callback
from signer.conditions import MAX_FILE_SIZE
from signer.errors import ConfigurationError, ContentTypeNotAllowed, SizeOverLimit, SizeUnderLimit
from signer.object_keys import compile_key_template
from signer.places import define_place
from signer.profiles import MAX_MULTIPART_SIZE, Profile, accepts_content_type
from signer.variables import VariableRule

GIGABYTE = 1024**3


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "Photo"},
        {"name": "1photo"},
        {"name": "a b"},
        {"name": "a/b"},
        {"name": "照片"},
        {"name": "photo\n"},
        {"name": "a" * 65},
        {"content_types": ()},
        {"content_types": ("image",)},
        {"content_types": ("IMAGE/JPEG",)},
        {"content_types": ("image/jpeg; q=1",)},
        {"content_types": ("*/jpeg",)},
        {"content_types": ("image/jpeg", "")},
        {"content_types": ("image/*/x",)},
        {"min_size": -1},
        {"min_size": 2, "max_size": 1},
        {"max_size": MAX_FILE_SIZE + 1, "via": ("post", "put")},
        {"max_size": MAX_MULTIPART_SIZE + 1},
        {"via": ()},
        {"via": ("post", "ftp")},
        {"put_callback": "body"},
        {"object_acl": "public"},
        {"object_acl": ""},
        {"storage_class": "standard"},
        {"expires_in": -1},
        {"expires_in": 604_801},
    ],
    ids=str,
)
def test_limits_that_no_upload_could_meet_are_refused(
    change: dict[str, Any], make_profile: Callable[..., Profile]
) -> None:
    """A mistake in a profile is found when it is made, with the fix."""
    with pytest.raises(ConfigurationError) as refusal:
        make_profile(**change)

    assert refusal.value.code == "configuration_invalid"
    assert refusal.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"name": "a" * 64},
        {"content_types": ("image/*", "application/vnd.ms-excel", "*/*")},
        {"min_size": 0, "max_size": 0},
        {"max_size": MAX_FILE_SIZE},
        {"max_size": MAX_FILE_SIZE, "via": ("post",)},
        {"max_size": MAX_MULTIPART_SIZE, "via": ("multipart",)},
        {"expires_in": 604_800},
        {"object_acl": "private", "storage_class": "DeepColdArchive"},
    ],
    ids=str,
)
def test_limits_at_their_bounds_are_taken(
    change: dict[str, Any], make_profile: Callable[..., Profile]
) -> None:
    """What OSS allows is allowed."""
    make_profile(**change)


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({"max_size": 1}, 300),
        ({"max_size": 20 * 1024**2}, 460),
        ({"max_size": GIGABYTE}, 8492),
        ({"max_size": MAX_FILE_SIZE}, 41260),
        ({"max_size": GIGABYTE, "expires_in": 60}, 60),
    ],
    ids=str,
)
def test_lifetime_leaves_time_for_the_largest_file(
    change: dict[str, Any], seconds: int, make_profile: Callable[..., Profile]
) -> None:
    """Five minutes and the file at 128 KiB/s, since OSS judges the policy when all has arrived; or as it is set."""
    assert make_profile(**change).lifetime == seconds


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({"max_size": GIGABYTE}, 86_400),
        ({"max_size": 20 * GIGABYTE}, 164_140),
        ({"max_size": MAX_MULTIPART_SIZE}, 604_800),
        ({"max_size": MAX_MULTIPART_SIZE, "expires_in": 60}, 60),
    ],
    ids=str,
)
def test_multipart_grant_lives_for_a_day_at_least(
    change: dict[str, Any], seconds: int, make_profile: Callable[..., Profile]
) -> None:
    """A paused upload may wait for the morning, a huge one takes its time, and seven days are the most."""
    profile = make_profile(**change)

    assert profile.lifetime_for("multipart") == seconds
    assert profile.lifetime_for("put") == profile.lifetime <= 41_260


def test_limit_is_what_oss_takes_in_one_way(make_profile: Callable[..., Profile]) -> None:
    """A form and a PUT end at 5 GB, whatever the profile takes in parts."""
    profile = make_profile(max_size=10 * GIGABYTE)

    assert profile.limit_for("multipart") == 10 * GIGABYTE
    assert profile.limit_for("post") == profile.limit_for("put") == MAX_FILE_SIZE
    with pytest.raises(SizeOverLimit, match="has 6 GB and the limit is 5 GB") as refusal:
        profile.check_size(6 * GIGABYTE)
    assert "in parts" in refusal.value.hint


@pytest.mark.parametrize(
    ("size", "error", "code"),
    [
        (9, SizeUnderLimit, "size_under_limit"),
        (0, SizeUnderLimit, "size_under_limit"),
        (-1, SizeUnderLimit, "size_under_limit"),
        (10, None, ""),
        (2048, None, ""),
        (2049, SizeOverLimit, "size_over_limit"),
        (2**200, SizeOverLimit, "size_over_limit"),
    ],
)
def test_size_outside_the_range_is_refused(
    size: int, error: type[Exception] | None, code: str, make_profile: Callable[..., Profile]
) -> None:
    """Both ends belong to the range."""
    profile = make_profile(min_size=10, max_size=2048)
    if error is None:
        profile.check_size(size)
        return
    with pytest.raises(error) as refusal:
        profile.check_size(size)

    assert refusal.value.code == code  # type: ignore[attr-defined]


def test_messages_tell_sizes_that_differ(make_profile: Callable[..., Profile]) -> None:
    """A file one byte too large is not told that 20 MB are above 20 MB; an empty one is called empty."""
    profile = make_profile(max_size=20 * 1024**2)
    with pytest.raises(SizeOverLimit, match="has 20971521 bytes and the limit is 20971520"):
        profile.check_size(20 * 1024**2 + 1)
    with pytest.raises(SizeOverLimit, match="has 30 MB and the limit is 20 MB"):
        profile.check_size(30 * 1024**2)
    with pytest.raises(SizeUnderLimit, match="empty"):
        profile.check_size(0)


@pytest.mark.parametrize(
    ("given_type", "media_type"),
    [
        ("image/jpeg", "image/jpeg"),
        ("IMAGE/JPEG", "image/jpeg"),
        ("image/jpeg; charset=utf-8", "image/jpeg"),
        (" image/jpeg ;q=1", "image/jpeg"),
        ("image/svg+xml", "image/svg+xml"),
        ("text/plain;\r\nX-Evil: 1", "text/plain"),
    ],
)
def test_content_type_is_pinned_plain(
    given_type: str, media_type: str, make_profile: Callable[..., Profile]
) -> None:
    """Lower case, without parameters: what the policy pins and the bucket later tells."""
    assert make_profile().check_content_type(given_type) == media_type


@pytest.mark.parametrize(
    "given_type",
    [
        "",
        " ",
        ";",
        "image",
        "image/",
        "/jpeg",
        "*/*",
        "image/*",
        "image/jpeg/x",
        "image/jpeg\r\nX-Evil: 1",
        "image/jp eg",
        "image/jpeg,image/png",
        "image/图",
        "image/\x00",
        "a/" + "b" * 126,
        "\ud800/a",
    ],
    ids=ascii,
)
def test_other_text_is_no_content_type(given_type: str, make_profile: Callable[..., Profile]) -> None:
    """Wildcards, lists, header injections and overlong types are refused even where all types are accepted."""
    with pytest.raises(ContentTypeNotAllowed) as refusal:
        make_profile(content_types=("*/*",)).check_content_type(given_type)

    assert refusal.value.code == "content_type_not_allowed"
    assert refusal.value.message.isprintable()


@pytest.mark.parametrize(
    ("allowed", "content_type", "accepted"),
    [
        (("image/jpeg",), "image/jpeg", True),
        (("image/jpeg",), "image/jpegx", False),
        (("image/jpeg",), "image/png", False),
        (("image/*",), "image/png", True),
        (("image/*",), "imagex/png", False),
        (("image/*",), "text/html", False),
        (("text/plain", "*/*"), "text/html", True),
        ((), "text/html", False),
    ],
)
def test_content_type_is_accepted_by_name_or_pattern(
    allowed: tuple[str, ...], content_type: str, accepted: bool
) -> None:
    """A pattern covers one main type, or all."""
    assert accepts_content_type(allowed, content_type) is accepted


def test_refused_type_is_told_what_is_accepted(make_profile: Callable[..., Profile]) -> None:
    """The hint lists the profile's types."""
    with pytest.raises(ContentTypeNotAllowed) as refusal:
        make_profile(content_types=("image/jpeg", "image/png")).check_content_type("text/html")

    assert refusal.value.hint == "accepted are image/jpeg, image/png"


def test_profile_whose_callback_could_pass_five_kilobytes_is_refused(
    make_profile: Callable[..., Profile], make_callback: Callable[..., CallbackDefinition]
) -> None:
    """Long URLs, a long body, variables and a long key all count."""

    def callback(length: int) -> CallbackDefinition:
        return make_callback(body=DEFAULT_JSON[:-1] + f',"note":"{"n" * length}"}}')

    rules = {"a": VariableRule("a")}
    make_profile(callback=callback(1200))
    for change in (
        {"callback": callback(2500)},
        {"callback": callback(1200), "variables": rules},
        {"callback": callback(1200), "object_key": "k" * 900 + "{upload_id}"},
        {"callback": make_callback(urls=["https://uploads.example.com/" + "c" * 500] * 5)},
    ):
        with pytest.raises(ConfigurationError, match="5 KB"):
            make_profile(**change)


@given(given_type=st.text(st.characters()) | st.from_regex(r"[A-Za-z*]{1,9}/[ -~]{0,140}", fullmatch=True))
def test_any_content_type_is_plain_or_refused(given_type: str, profile: Profile) -> None:
    """Generated types only end in our error, or in one lower-case media type within its bound."""
    try:
        media_type = profile.check_content_type(given_type)
    except ContentTypeNotAllowed:
        return
    assert media_type == media_type.lower()
    assert len(media_type) <= 127
    assert not set(media_type) & set(" ;,*\r\n\"'()")


@pytest.fixture(scope="module")
def profile() -> Profile:
    return Profile(
        name="any",
        place=define_place("examplebucket", "cn-hangzhou"),
        object_key=compile_key_template("{upload_id}"),
        callback=define_callback(["https://a.example.com/"], compile_body(DEFAULT_JSON, "json")),
    )
