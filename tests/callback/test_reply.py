"""Reply templates."""

import json

import pytest

from callback.reply import DEFAULT_REPLY, compile_reply, encode_reply
from signer.errors import ConfigurationError

VALUES = {
    "upload_id": lambda: "01KE",
    "state": lambda: "uploaded",
    "object_key": lambda: "图.jpg",
    "size": lambda: 5,
    "etag": lambda: "AB",
    "content_type": lambda: "image/jpeg",
    "width": lambda: None,
    "vars.public": lambda: True,
}


def render(template, **arguments):
    return json.loads(compile_reply(template, **arguments).render(VALUES))


def test_render_keeps_the_type_of_a_lone_placeholder():
    """A number stays a number and nothing stays null; inside text they become text."""
    reply = render(
        {"size": "{size}", "width": "{width}", "text": "{size} bytes, {width}.", "public": "{vars.public}"},
        variables={"public": None},
    )

    assert {"size": 5, "width": None, "text": "5 bytes, .", "public": True} == reply


def test_render_fills_tables_and_lists():
    """Templates nest as JSON does; what is no placeholder stays."""
    template = {"code": 200, "data": {"key": "{object_key}", "list": ["{etag}", 1, True, "{}", "{ size }"]}}

    assert {"code": 200, "data": {"key": "图.jpg", "list": ["AB", 1, True, "{}", "{ size }"]}} == render(
        template
    )


def test_empty_template_is_the_default():
    """A profile without a reply answers what every client can read."""
    assert set(DEFAULT_REPLY) == set(render({}))
    assert "OK" == render({})["Status"]


def test_render_shortens_a_reply_above_the_limit():
    """A reply that clients would lose becomes the id and the state."""
    reply = render({"pad": "x" * 2000})

    assert {"Status": "OK", "upload_id": "01KE", "state": "uploaded"} == reply


def test_encode_reply_refuses_above_the_limit():
    """The limit counts bytes, not characters."""
    assert encode_reply({"k": "é" * 10}, limit=28) == b'{"k":"' + "é".encode() * 10 + b'"}'
    assert encode_reply({"k": "é" * 10}, limit=27) is None


@pytest.mark.parametrize(
    ("template", "match"),
    [
        ({"a": "{nosuch}"}, "nosuch"),
        ({"a": ["{vars.album}"]}, "vars.album"),
        ({"a": {"b": "x {Size}"}}, "Size"),
        ({"a": object()}, "cannot hold"),
    ],
)
def test_compile_reply_refuses_at_start(template, match):
    """A wrong placeholder is found when the profile is loaded."""
    with pytest.raises(ConfigurationError, match=match):
        compile_reply(template)


@pytest.mark.parametrize("limit", [0, 63, 1024**2 + 1])
def test_compile_reply_refuses_an_impossible_limit(limit):
    """OSS takes at most 1 MB."""
    with pytest.raises(ConfigurationError):
        compile_reply({}, limit=limit)


def test_placeholder_may_be_written_as_text():
    """``!s`` makes text of what would keep its type; nothing becomes empty text."""
    template = compile_reply({"n": "{size}", "s": "{size!s}", "w": "{width!s}", "both": "{size!s}/{size}"})

    reply = template.render({"size": lambda: 7, "width": lambda: None, "upload_id": str, "state": str})
    assert b'{"n":7,"s":"7","w":"","both":"7/7"}' == reply
