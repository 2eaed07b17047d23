"""File names in any script: what is kept, what is cleaned, what is refused."""

import re
import unicodedata
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import FileNameInvalid
from signer.file_names import (
    MAX_NAME_BYTES,
    MAX_SEGMENT_BYTES,
    build_content_disposition,
    choose_extension,
    clean_file_name,
    clean_segment,
    guess_content_type,
    split_extension,
    truncate,
)

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
# RFC 6266 with the quoted-string and ext-value forms that we write; attr-char is RFC 8187's.
DISPOSITION = re.compile(
    r"(?P<kind>attachment|inline); filename=\"(?P<ascii>[ !#-\[\]-~]+)\""
    r"(?:; filename\*=UTF-8''(?P<utf8>(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+))?"
)


@pytest.mark.parametrize(
    "name",
    [
        "photo.jpg",
        "照片 2026.jpg",
        "фото.png",
        "صورة.jpg",
        "תמונה.jpg",
        "รูปภาพ.jpg",
        "चित्र.jpg",
        "می\u200cخواهم.txt",
        f"{FAMILY}.png",
        "❤\ufe0f.png",
        "a b (1) [2] {3} $5 100% #1 & 'x'.txt",
        "archive.tar.gz",
        "no extension",
        "C:photo.jpg",
        "-rf",
        "CON",
        "…",
    ],
)
def test_ordinary_name_stays_as_it_is(name: str) -> None:
    """A label in any script is kept to the character; only its key is made plain."""
    assert clean_file_name(name) == name


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
    [
        ("C:\\fakepath\\photo.jpg", "photo.jpg"),
        ("/etc/passwd", "passwd"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a/b\\c/d.txt", "d.txt"),
        (".htaccess", "htaccess"),
        ("...hidden...", "hidden"),
        ("photo.jpg. . .", "photo.jpg"),
        ("  photo.jpg\u3000", "photo.jpg"),
        ("\u2003photo.jpg\u202f", "photo.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("\u2067photo\u2069.jpg", "photo.jpg"),
        ("pho\x00to\r\n.jp\x7fg", "photo.jpg"),
        ("pho\u200bto\ufeff.jpg", "photo.jpg"),
        ("photo\ud83d.jpg", "photo.jpg"),
        ("line\u2028break.jpg", "linebreak.jpg"),
        ("cafe\u0301.jpg", "café.jpg"),
        ("cafe\u200b\u0301.jpg", "café.jpg"),
        ("\u200d.\u200dphoto.jpg", "photo.jpg"),
        (".\u202e./photo", "photo"),
    ],
)
def test_hidden_characters_and_paths_are_cleaned(given_name: str, cleaned: str) -> None:
    """Paths, leading dots, blanks at the ends, controls, direction overrides and decomposed accents go."""
    assert clean_file_name(given_name) == cleaned


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "." * 300,
        "/",
        "a/",
        "a\\",
        "C:\\",
        " ",
        "\u3000",
        "\x00",
        "\u202e",
        "\u200d",
        "../..",
        ". . .",
        "\ud800",
    ],
    ids=ascii,
)
def test_name_of_nothing_is_refused(name: str) -> None:
    """A folder, dots, blanks or controls alone are no name."""
    with pytest.raises(FileNameInvalid) as refusal:
        clean_file_name(name)

    assert refusal.value.code == "filename_invalid"
    assert refusal.value.message.isprintable()


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("a" * 255, True),
        ("a" * 256, False),
        ("图" * 85, True),
        ("图" * 85 + "a", False),
        ("a" * 10_240, False),
        ("\u0301" * 10_240, False),
        ("x/" * 5_000 + "photo.jpg", True),
        ("\u202e" * 10_240 + "photo.jpg", True),
    ],
    ids=lambda value: str(len(value)) if isinstance(value, str) else str(value),
)
def test_length_is_bounded_in_bytes_of_what_is_left(name: str, taken: bool) -> None:
    """255 bytes of UTF-8 after cleaning; the message is short however long the name was."""
    if taken:
        assert len(clean_file_name(name).encode()) <= MAX_NAME_BYTES
    else:
        with pytest.raises(FileNameInvalid) as refusal:
            clean_file_name(name)
        assert len(refusal.value.message) < 200


@given(name=st.text(st.characters(), max_size=300))
def test_any_name_is_cleaned_or_refused(name: str) -> None:
    """What comes out is a composed label without path, control or dots at its ends, and cleaning it again changes nothing."""
    try:
        cleaned = clean_file_name(name)
    except FileNameInvalid:
        return
    assert clean_file_name(cleaned) == cleaned
    assert unicodedata.normalize("NFC", cleaned) == cleaned
    assert 0 < len(cleaned.encode()) <= MAX_NAME_BYTES
    assert not set(cleaned) & set("/\\\r\n\x00\u202e")
    assert cleaned.strip(". ") == cleaned


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("user-42", "user-42"),
        ("照片 一", "照片_一"),
        ("a/b\\c:d*e?f", "a_b_c_d_e_f"),
        ("${filename}", "filename"),
        ("../..", "fallback"),
        ("..", "fallback"),
        ("100%", "100"),
        ("a+b&c", "a_b_c"),
        ("___", "fallback"),
        (FAMILY, FAMILY),
        ("图" * 50, "图" * 33),
        ("a" * 99 + ".b", "a" * 99),
    ],
)
def test_segment_is_plain(text: str, segment: str) -> None:
    """Characters with a meaning of their own become underscores, the ends are trimmed, the length is bounded."""
    assert clean_segment(text, "fallback") == segment


@given(text=st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_becomes_one_segment(text: str) -> None:
    """Never empty, never dots alone, never a slash, a dollar sign or a blank, at most 100 bytes."""
    segment = clean_segment(text, "fallback")

    assert 0 < len(segment.encode()) <= MAX_SEGMENT_BYTES
    assert segment.strip("._-") == segment
    assert not re.search(r"[\s/\\$?#%+\"{}]", segment)


@pytest.mark.parametrize(
    ("limit", "text"), [(0, ""), (2, "a"), (4, "a图"), (5, "a图"), (7, "a图"), (8, "a图👩")]
)
def test_truncated_text_ends_between_characters(limit: int, text: str) -> None:
    """No character is cut in two."""
    assert truncate("a图👩b", limit) == text


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("photo.JPG", ("photo", ".jpg")),
        ("archive.tar.gz", ("archive.tar", ".gz")),
        ("noext", ("noext", "")),
        (".jpg", (".jpg", "")),
        ("a.", ("a.", "")),
        ("a.图", ("a.图", "")),
        ("a.b c", ("a.b c", "")),
        ("a.abcdefghijk", ("a.abcdefghijk", "")),
        ("a.\u212aML", ("a", ".kml")),
        ("JPİG.JPİG", ("JPİG.JPİG", "")),
    ],
)
def test_extension_is_plain_ascii(name: str, parts: tuple[str, str]) -> None:
    """One to ten letters and digits after the last dot, in lower case."""
    assert split_extension(name) == parts


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.jpg", "image/jpeg"),
        ("a.JPEG", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.heic", "image/heic"),
        ("a.pdf", "application/pdf"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.tar.gz", "application/gzip"),
        ("a.tgz", "application/octet-stream"),
        ("a.zzz", "application/octet-stream"),
        ("noext", "application/octet-stream"),
        (".jpg", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_content_type_is_guessed_from_the_extension(name: str, content_type: str) -> None:
    """The extension alone decides, and what is packed is not taken for what is inside."""
    assert guess_content_type(name) == content_type


@pytest.mark.parametrize(
    ("name", "content_type", "extension"),
    [
        ("a.jpg", "image/jpeg", ".jpg"),
        ("a.JPEG", "image/jpeg", ".jpeg"),
        ("a.png", "image/jpeg", ".jpg"),
        ("a.exe", "image/jpeg", ".jpg"),
        ("a.php", "image/png", ".png"),
        ("a.html", "image/webp", ".webp"),
        ("a.html", "application/octet-stream", ".html"),
        ("a", "application/octet-stream", ""),
        ("a", "image/jpeg", ".jpg"),
        ("a", "text/plain", ".txt"),
        ("a.heic", "image/heic", ".heic"),
        ("a.xyz", "application/x-unheard-of", ".xyz"),
        ("a", "application/x-unheard-of", ""),
    ],
)
def test_extension_of_the_key_follows_the_content_type(name: str, content_type: str, extension: str) -> None:
    """A key never says another type than the one that is pinned, unless nobody knows that type's extension."""
    assert choose_extension(name, content_type) == extension


@pytest.mark.parametrize("known", [".far-too-long-for-a-key", ".C++", "", None])
def test_odd_extension_of_a_machine_is_left_out(known: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of media types differ between machines; what does not look like an extension is not used."""
    monkeypatch.setattr("mimetypes.guess_extension", lambda media_type: known)

    assert choose_extension("a.xyz", f"application/x-odd-{len(known or '')}") == ".xyz"


@given(
    name=st.text(max_size=40), content_type=st.from_regex(r"[a-z]{1,12}/[a-z0-9.+-]{1,20}", fullmatch=True)
)
def test_any_extension_is_short_and_plain(name: str, content_type: str) -> None:
    """At most a dot and ten letters or digits, which is what object keys reckon with."""
    assert re.fullmatch(r"(?:\.[a-z0-9]{1,10})?", choose_extension(name, content_type))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("photo.jpg", 'attachment; filename="photo.jpg"'),
        ("my photo (1).jpg", 'attachment; filename="my photo (1).jpg"'),
        ("café.jpg", "attachment; filename=\"cafe.jpg\"; filename*=UTF-8''caf%C3%A9.jpg"),
        ("照片.jpg", "attachment; filename=\"file.jpg\"; filename*=UTF-8''%E7%85%A7%E7%89%87.jpg"),
        ('a"b\\c.txt', "attachment; filename=\"a_b_c.txt\"; filename*=UTF-8''a%22b%5Cc.txt"),
        ("a%41;b.txt", "attachment; filename=\"a_41_b.txt\"; filename*=UTF-8''a%2541%3Bb.txt"),
        ("图", "attachment; filename=\"file\"; filename*=UTF-8''%E5%9B%BE"),
    ],
)
def test_disposition_has_the_known_form(name: str, header: str) -> None:
    """An ASCII name for old programs, whose extension always stays, and the true one in UTF-8 beside it."""
    assert build_content_disposition("attachment", name) == header


def test_disposition_is_read_by_a_mail_parser() -> None:
    """Python's own reader of such headers finds the true name."""
    message = Message()
    message["Content-Disposition"] = build_content_disposition("inline", f"照片 {FAMILY}.jpg").replace(
        'filename="file.jpg"; ', ""
    )

    assert message.get_content_disposition() == "inline"
    assert message.get_filename() == f"照片 {FAMILY}.jpg"


@given(
    name=st.text(st.characters(), min_size=1, max_size=255), kind=st.sampled_from(["attachment", "inline"])
)
def test_any_disposition_follows_the_grammar(name: str, kind: str) -> None:
    """For every cleaned name the header is one line of the grammar, and its last part is the very name."""
    try:
        cleaned = clean_file_name(name)
    except FileNameInvalid:
        return
    match = DISPOSITION.fullmatch(build_content_disposition(kind, cleaned))

    assert match
    assert match["kind"] == kind
    assert (unquote(match["utf8"]) if match["utf8"] else match["ascii"]) == cleaned
