"""Thumbnails: what a profile may ask of image processing, and of which objects."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from signer.errors import ConfigurationError
from signer.profiles import Profile
from signer.thumbnails import MAX_SOURCE_BYTES, check_thumbnails


@dataclass
class Object:
    content_type: str
    size: int | None


@pytest.mark.parametrize(
    "process",
    [
        "image/resize,w_200",
        "image/resize,m_fill,w_200,h_200/quality,q_80/format,webp",
        "image/auto-orient,1/rounded-corners,r_30/format,png",
        "image/watermark,image_cGFuZGEucG5nP3gtb3NzLXByb2Nlc3M9aW1hZ2UvcmVzaXplLFBfMzA=,g_se,x_10,y_10",
    ],
)
def test_operations_of_image_processing_are_taken(process: str) -> None:
    """As the documentation writes them, one after the other."""
    check_thumbnails({"small": process})


@pytest.mark.parametrize(
    ("process", "told"),
    [
        ("", "image/"),
        ("image/", "image/"),
        ("image", "image/"),
        ("style/small", "image/"),
        ("video/snapshot,t_0", "image/"),
        ("IMAGE/resize,w_200", "image/"),
        ("image/resize,w_200|sys/saveas,o_YS5qcGc", "sys/saveas"),
        ("image/resize,w_200/sys/saveas,o_YS5qcGc", "sys"),
        ("image/info", "info"),
        ("image/average-hue", "average-hue"),
        ("image/resise,w_200", "resise"),
        ("image/resize,w_200/", "operation"),
        ("image/resize,w_200,", "operation"),
        ("image/resize,w 200", "operation"),
        ("image/resize,w_200&x=1", "operation"),
        ("image/resize,w_200\n", "operation"),
        ("image/" + "resize,w_200/" * 50, "characters"),
    ],
)
def test_anything_else_is_refused(process: str, told: str) -> None:
    """Nothing that writes, nothing that is no image, nothing that OSS would refuse at each look."""
    with pytest.raises(ConfigurationError) as raised:
        check_thumbnails({"small": process})

    assert told in str(raised.value)
    assert raised.value.hint


@pytest.mark.parametrize("name", ["", "Small", "a.b", "a-b", "1a", "a" * 33])
def test_names_are_those_of_placeholders(name: str) -> None:
    """They stand in JSON and in reply templates."""
    with pytest.raises(ConfigurationError, match="name"):
        check_thumbnails({name: "image/resize,w_200"})


def test_too_many_are_refused() -> None:
    """Each is signed for every upload that is shown."""
    with pytest.raises(ConfigurationError, match="9 thumbnails"):
        check_thumbnails({f"a{n}": "image/resize,w_200" for n in range(9)})


@pytest.mark.parametrize(
    ("content_type", "size", "expected"),
    [
        ("image/jpeg", 1, ["small"]),
        ("image/avif", MAX_SOURCE_BYTES, ["small"]),
        ("image/jpeg", MAX_SOURCE_BYTES + 1, []),
        ("image/jpeg", None, []),
        ("image/svg+xml", 1, []),
        ("text/plain", 1, []),
    ],
)
def test_objects_that_oss_makes_smaller(
    make_profile: Callable[..., Profile], content_type: str, size: int | None, expected: list[str]
) -> None:
    """Of others a link would lead to an error."""
    profile = make_profile(thumbnails={"small": "image/resize,w_200"})

    assert expected == [name for name, _ in profile.list_thumbnails(Object(content_type, size))]
