"""Callback body templates: what works, and what is refused at start with the fix."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.callback_body import (
    DEFAULT_FORM,
    DEFAULT_JSON,
    DEFAULT_JSON_IMAGE,
    IMAGE_NUMBERS,
    KNOWN,
    NUMBERS,
    REQUIRED,
    STRINGS,
    compile_body,
)
from signer.errors import ConfigurationError

known_answers = pytest.mark.known_answers
VALUES: dict[str, Any] = {
    "bucket": "examplebucket",
    "object": "photos/图.jpg",
    "etag": "D8E8FCA2DC0F896FD7CB4CB0031BA249",
    "size": 5,
    "mimeType": "image/jpeg",
}


def fill_json(body: str, image: str = "640") -> dict[str, Any]:
    """Fill in a JSON body as OSS does: strings with quotes, numbers bare."""
    for name in NUMBERS - IMAGE_NUMBERS:
        body = body.replace(f"${{{name}}}", str(VALUES.get(name, 1)))
    for name in IMAGE_NUMBERS:
        body = body.replace(f"${{{name}}}", image)
    for name in STRINGS:
        body = body.replace(f"${{{name}}}", json.dumps(VALUES.get(name, ""), ensure_ascii=False))
    filled: dict[str, Any] = json.loads(body)
    return filled


@pytest.mark.parametrize("template", [DEFAULT_JSON, DEFAULT_JSON_IMAGE])
@pytest.mark.parametrize("image", ["640", "null", ""])
def test_default_json_is_json_whatever_oss_inserts(template: str, image: str) -> None:
    """With a number, null or nothing for the image's size, the filled body parses and holds the ticket."""
    fields = fill_json(compile_body(template, "json").insert_ticket("abc.def"), image)

    assert {name: fields[name] for name in VALUES} == VALUES
    assert fields["ticket"] == "abc.def"


def test_default_form_holds_every_required_field() -> None:
    """The form template names each required variable once, and the ticket as a constant."""
    body = compile_body(DEFAULT_FORM, "form").insert_ticket("abc.def")

    assert body == (
        "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&mimeType=${mimeType}&ticket=abc.def"
    )
    assert set(parse_qs(body)) == set(REQUIRED)


@known_answers("callback-body.json", "cases")
def test_vectors_templates_name_only_variables_that_we_know(case: dict[str, Any]) -> None:
    """Each system variable in the known answers is in our list; the custom ones travel in the ticket instead."""
    used = {name for name in case.get("vars", {}) if not name.startswith("x:")}

    assert used <= KNOWN


@pytest.mark.parametrize(
    ("body_type", "template"),
    [
        ("json", DEFAULT_JSON.replace("${size}", '"${size}"')),
        ("json", "{ " + DEFAULT_JSON[1:-1] + ',\n "note": "图 \\" ${imageInfo.width}x${imageInfo.height}" }'),
        ("json", DEFAULT_JSON[:-1] + ',"nested":{"crc64":${crc64},"list":[${reqId},${size}]}}'),
        ("form", DEFAULT_FORM + "&w=${imageInfo.width}&constant=图"),
        ("form", "ticket=${ticket}&" + DEFAULT_FORM.replace("&ticket=${ticket}", "")),
    ],
)
def test_template_with_more_than_the_required_is_taken(body_type: Any, template: str) -> None:
    """Constants in any script, nesting and further variables are the user's business."""
    body = compile_body(template, body_type)

    assert body.before_ticket.rstrip('"') + "${ticket}" + body.after_ticket.lstrip('"') == template


REFUSED = {
    "stray dollar": ("form", DEFAULT_FORM + "&a=$5", "dollar sign"),
    "round brackets": ("form", "filename=$(filename)&" + DEFAULT_FORM, "EC 0007-00000105"),
    "open brace": ("form", DEFAULT_FORM + "&a=${size", "dollar sign"),
    "empty name": ("json", DEFAULT_JSON[:-1] + ',"a":${}}', "known are"),
    "misspelt": ("json", DEFAULT_JSON.replace("${mimeType}", "${mimetype}"), "did you mean ${mimeType}"),
    "wrong case": ("form", DEFAULT_FORM.replace("${object}", "${Object}"), "did you mean ${object}"),
    "unknown": ("form", DEFAULT_FORM + "&a=${zzz}", "known are"),
    "blank in name": ("form", DEFAULT_FORM + "&a=${ size }", "did you mean ${size}"),
    "custom": ("form", DEFAULT_FORM + "&a=${x:album}", "[variables]"),
    "quoted object": ("json", DEFAULT_JSON.replace("${object}", '"${object}"'), "OSS adds its own"),
    "quoted ticket": ("json", DEFAULT_JSON.replace("${ticket}", '"${ticket}"'), "OSS adds its own"),
    "quoted within": ("json", DEFAULT_JSON[:-1] + ',"a":"k: ${etag}"}', "OSS adds its own"),
    "bare width": ("json", DEFAULT_JSON[:-1] + ',"w":${imageInfo.width}}', "breaks the JSON"),
    "no json": ("json", "bucket=${bucket}", "quotes"),
    "open json": ("json", DEFAULT_JSON[:-1], "quotes"),
    "list": ("json", "[" + DEFAULT_JSON + "]", "for instance"),
    "form as json": ("json", DEFAULT_FORM, "quotes"),
    "json as form": ("form", DEFAULT_JSON, "add bucket=${bucket}"),
    "empty json": ("json", "", "quotes"),
    "empty form": ("form", "", "add bucket=${bucket}"),
    "field twice": ("form", DEFAULT_FORM + "&size=${size}", "keep one"),
    "ticket twice": ("json", DEFAULT_JSON[:-1] + ',"again":${ticket}}', "keep one"),
    "constant size": ("json", DEFAULT_JSON.replace("${size}", "1"), 'add "size":${size}'),
    "constant size in form": ("form", DEFAULT_FORM.replace("${size}", "1"), "add size=${size}"),
    "swapped": ("form", DEFAULT_FORM.replace("${etag}", "${crc64}"), "add etag=${etag}"),
} | {
    f"no {name}": ("form", "&".join(f"{n}=${{{n}}}" for n in REQUIRED if n != name), f"add {name}=${{{name}}}")
    for name in REQUIRED
}  # fmt: skip


@pytest.mark.parametrize(("body_type", "template", "hint"), REFUSED.values(), ids=list(REFUSED))
def test_template_that_cannot_work_is_refused_with_the_fix(body_type: Any, template: str, hint: str) -> None:
    """OSS never checks the filled body, so each mistake is found at start, and the message says what to write."""
    with pytest.raises(ConfigurationError) as refusal:
        compile_body(template, body_type)

    assert hint in refusal.value.message + " / " + refusal.value.hint


PIECES = st.sampled_from(
    [
        "${ticket}",
        "${size}",
        "${object}",
        "${imageInfo.width}",
        "$",
        "{",
        "}",
        '"',
        "\\",
        ":",
        ",",
        "&",
        "=",
        "a",
    ]
)


@given(
    template=st.text()
    | st.lists(PIECES).map("".join)
    | st.lists(PIECES).map(lambda pieces: DEFAULT_JSON[:-1] + ',"a":' + "".join(pieces) + "}"),
    body_type=st.sampled_from(["json", "form"]),
)
def test_any_template_works_or_is_refused(template: str, body_type: Any) -> None:
    """Generated templates only end in our error, or in a JSON body that parses once OSS has filled it in."""
    try:
        body = compile_body(template, body_type)
    except ConfigurationError:
        return
    if body_type == "json":
        assert fill_json(body.insert_ticket("abc.def"))["ticket"] == "abc.def"
