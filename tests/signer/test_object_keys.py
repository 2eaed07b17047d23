"""Object keys: templates that are refused, and keys that no name or subject can spoil."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import ConfigurationError, FileNameInvalid
from signer.file_names import clean_file_name
from signer.object_keys import MAX_KEY_BYTES, KeyTemplate, compile_key_template

UPLOAD_ID = "01KDYBB5M8000000000000TEST"
FULL = "{profile}/{subject}/{year}/{month}/{day}/{date}-{upload_id}-{name}{ext}"


@pytest.fixture(scope="session")
def build() -> Callable[..., str]:
    def build_key(template: str | KeyTemplate, **changes: Any) -> str:
        compiled = compile_key_template(template) if isinstance(template, str) else template
        given: dict[str, Any] = {
            "profile": "photo",
            "subject": "user-42",
            "upload_id": UPLOAD_ID,
            "file_name": "照片 1.JPG",
            "content_type": "image/jpeg",
            "now": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        } | changes
        return compiled.build_object_key(**given)

    return build_key


@pytest.mark.parametrize(
    ("template", "key"),
    [
        ("{upload_id}", UPLOAD_ID),
        ("photos/{subject}/{date}/{upload_id}{ext}", f"photos/user-42/2026-01-02/{UPLOAD_ID}.jpg"),
        (FULL, f"photo/user-42/2026/01/02/2026-01-02-{UPLOAD_ID}-照片_1.jpg"),
        ("照片/{upload_id}/{upload_id}", f"照片/{UPLOAD_ID}/{UPLOAD_ID}"),
        ("a..b/.well-known/{upload_id}", f"a..b/.well-known/{UPLOAD_ID}"),
    ],
)
def test_template_is_filled_in(template: str, key: str, build: Callable[..., str]) -> None:
    """Each placeholder has one meaning; all else stands as written."""
    assert build(template) == key


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"subject": "../../etc"}, "a/etc/照片_1.jpg/ID"),
        ({"subject": ".."}, "a/anonymous/照片_1.jpg/ID"),
        ({"subject": "a/b"}, "a/a_b/照片_1.jpg/ID"),
        ({"subject": "{upload_id}"}, "a/upload_id/照片_1.jpg/ID"),
        ({"subject": "${filename}"}, "a/filename/照片_1.jpg/ID"),
        ({"file_name": "{0.__class__}.jpg"}, "a/user-42/0.__class.jpg/ID"),
        ({"file_name": "${}"}, "a/user-42/file.jpg/ID"),
        ({"file_name": "evil.php"}, "a/user-42/evil.jpg/ID"),
    ],
    ids=str,
)
def test_values_cannot_leave_their_segment(
    change: dict[str, str], key: str, build: Callable[..., str]
) -> None:
    """Neither subject nor file name adds a folder, climbs out of one, or is read as a template again."""
    assert build("a/{subject}/{name}{ext}/{upload_id}", upload_id="ID", **change) == key


@pytest.mark.parametrize(
    "template",
    [
        "",
        "photos/{date}{ext}",
        "{nosuch}/{upload_id}",
        "{upload_id!r}",
        "{upload_id:>40}",
        "{upload_id.real}",
        "{}/{upload_id}",
        "{{upload_id}}",
        "{upload_id",
        "upload_id}/{upload_id}",
        "/{upload_id}",
        "a//{upload_id}",
        "{upload_id}/",
        "./{upload_id}",
        "a/../{upload_id}",
        "{upload_id}/..",
        "{ext}/{upload_id}",
        "{upload_id}/{ext}",
        "a/{ext}{ext}/{upload_id}",
        ".{ext}/{upload_id}",
        "a/..{ext}/{upload_id}",
        "a\\{upload_id}",
        "${filename}/{upload_id}",
        "a$/{upload_id}",
        "a?{upload_id}",
        "a#{upload_id}",
        "a%2F{upload_id}",
        "a b/{upload_id}",
        "a\u3000b/{upload_id}",
        "a\n/{upload_id}",
        "a\u202e/{upload_id}",
        'a"/{upload_id}',
        "a" * 998 + "{upload_id}",
        "图" * 333 + "{upload_id}",
        "{subject}" * 10 + "{upload_id}",
    ],
    ids=lambda template: ascii(template[:24]),
)
def test_template_that_could_make_a_bad_key_is_refused(template: str) -> None:
    """Unknown placeholders, no upload id, slashes and dots that clients fold, characters with a meaning, too long."""
    with pytest.raises(ConfigurationError) as refusal:
        compile_key_template(template)

    assert refusal.value.hint


def test_longest_template_is_taken(build: Callable[..., str]) -> None:
    """A key may have exactly 1,023 bytes."""
    template = compile_key_template("a" * (MAX_KEY_BYTES - 26) + "{upload_id}")

    assert template.longest == MAX_KEY_BYTES
    assert len(build(template).encode()) == MAX_KEY_BYTES


def test_longest_key_is_reckoned_with_every_placeholder_at_its_longest(build: Callable[..., str]) -> None:
    """The length that profiles reckon with can be reached, to the byte."""
    template = compile_key_template(FULL)
    key = build(
        template,
        profile="p" * 64,
        subject="s" * 200,
        file_name="n" * 200 + ".abcdefghij",
        content_type="application/x-unheard-of",
    )

    assert len(key.encode()) == template.longest


PIECES = st.sampled_from(
    [
        "{upload_id}",
        "{ext}",
        "{name}",
        "{subject}",
        "{date}",
        "{profile}",
        "/",
        ".",
        "..",
        "a",
        "图",
        "-",
        "{",
        "}",
    ]
)


@given(
    template=st.lists(PIECES, max_size=8).map("".join).map(lambda text: text + "/{upload_id}") | st.text(),
    subject=st.text(st.characters(), min_size=1, max_size=128),
    name=st.text(st.characters(), min_size=1, max_size=120),
    content_type=st.sampled_from(
        ["image/jpeg", "application/octet-stream", "text/plain", "application/x-odd"]
    ),
)
def test_any_key_is_one_that_oss_takes(
    template: str, subject: str, name: str, content_type: str, build: Callable[..., str]
) -> None:
    """Whatever template passes and whatever is filled in: no slash in front, no empty or dotted segment, at most 1,023 bytes."""
    try:
        compiled = compile_key_template(template)
        file_name = clean_file_name(name)
    except (ConfigurationError, FileNameInvalid):
        return
    subject = subject.encode(errors="replace").decode()
    key = build(compiled, subject=subject, file_name=file_name, content_type=content_type)

    assert not key.startswith("/")
    assert not {"", ".", ".."} & set(key.split("/"))
    assert len(key.encode()) <= compiled.longest <= MAX_KEY_BYTES
    assert UPLOAD_ID in key
    assert not set(key) & set('\\$?#%"{}\r\n ')
