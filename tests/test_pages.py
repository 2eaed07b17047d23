"""Tests for the human pages, on a small application with a stand-in for everything behind them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ossgate import pages
from ossgate.errors import ApiError
from ossgate.pages import Pages, ProfileView

ROOT = Path(__file__).resolve().parents[1]
BUCKET = "http://127.0.0.1:9000"
PHOTO = ProfileView("photo", "Photos", 20 * 1024**2, 1, ("image/jpeg", "image/png"), titles={"zh": "照片"})
FILE = ProfileView("file", "Any <file>", 1024**3)
GRANT = {
    "upload_id": "01up",
    "method": "POST",
    "url": f"{BUCKET}/demo-bucket",
    "fields": {"key": 'a"b.jpg', "policy": "eyJ9", "x-oss-signature": "feed"},
    "object_key": 'a"b.jpg',
    "expires_at": "2026-01-02T03:04:05Z",
    "profile": "photo",
}
NOT_SAID = object()


@pytest.fixture
def issued() -> list[tuple[str, str]]:
    """Collect what forms were issued for."""
    return []


@pytest.fixture
def app(issued: list[tuple[str, str]]) -> Flask:
    """Build an application that has the pages and nothing else."""

    def issue(profile: str, content_type: str) -> dict[str, Any]:
        issued.append((profile, content_type))
        return GRANT

    built = Flask("stranger", static_folder=None)
    built.register_blueprint(pages.bp)
    built.extensions["pages"] = Pages((BUCKET,), lambda: [PHOTO, FILE], issue, {}.get)
    return built


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Build a visitor."""
    return app.test_client()


@pytest.fixture
def change(app: Flask) -> Callable[..., None]:
    """Change what stands behind the pages."""

    def change_it(**parts: Any) -> None:
        app.extensions["pages"] = replace(app.extensions["pages"], **parts)

    return change_it


def make_upload(**facts: Any) -> dict[str, Any]:
    """Make an upload as the server shows it."""
    later = (datetime.now(UTC) + timedelta(minutes=5)).isoformat(timespec="seconds").replace("+00:00", "Z")
    upload = {
        "upload_id": "01up",
        "state": "issued",
        "profile": "photo",
        "subject": "anonymous",
        "object_key": "photo/01up.jpg",
        "file_name": "日落 🌇.jpg",
        "size": None,
        "etag": None,
        "content_type": "image/jpeg",
        "created_at": "2026-01-02T03:04:05Z",
        "expires_at": later,
        "uploaded_at": None,
    }
    return upload | facts


def read_module() -> str:
    """Read the source of the module for anyone's page."""
    return "".join(path.read_text("utf-8") for path in sorted((ROOT / "static").glob("ossgate*.js")))


def list_error_codes() -> set[str]:
    """List the codes that the module itself gives."""
    source = read_module()
    codes = set(re.findall(r"new UploadError\(\s*\"(\w+)\"", source))
    return codes | set(re.findall(r"^    \"([a-z_]+)\",$", source, re.MULTILINE))


def read_page_data(html: str) -> dict[str, Any]:
    """Read the data that a page carries for its script."""
    found = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', html)
    assert found
    loaded: dict[str, Any] = json.loads(found.group(1))
    return loaded


# The upload page.


def test_upload_page_says_the_limits_of_each_profile(client: FlaskClient) -> None:
    """A visitor reads what is allowed before choosing a file."""
    html = client.get("/").text
    assert "JPEG, PNG · Up to 20 MB each" in html
    assert "Any type of file · Up to 1 GB each" in html
    assert "Up to 1 KB each, at least 10 B" in pages.describe_limits(
        ProfileView("small", "Small", 1024, 10), pages.load_messages("en")
    )


@pytest.mark.parametrize(
    ("language", "days", "told"),
    [
        ("en", 30, " · Kept for 30 days"),
        ("en", 1, " · Kept for a day"),
        ("zh", 30, " · 保留 30 天"),
        ("en", None, "each"),
    ],
)
def test_upload_page_says_how_long_files_stay(language: str, days: int | None, told: str) -> None:
    """Where they do not stay for ever."""
    view = ProfileView("small", "Small", 1024, keep_days=days)

    assert pages.describe_limits(view, pages.load_messages(language)).endswith(told)


def test_upload_page_knows_the_ways_of_upload(client: FlaskClient, change: Callable[..., None]) -> None:
    """The script learns which profiles take parts, so that it asks nobody."""
    change(profiles=lambda: [PHOTO, replace(FILE, via=("post",))])
    photo, file = read_page_data(client.get("/").text)["profiles"]
    assert photo["via"] == ["post", "put", "multipart"]
    assert file["via"] == ["post"]


def test_upload_page_escapes_a_title(client: FlaskClient) -> None:
    """A profile's title is text, in the page as in its data."""
    html = client.get("/").text
    assert "Any &lt;file&gt;" in html
    assert "<file>" not in html
    assert read_page_data(html)["profiles"][1]["title"] == "Any <file>"


def test_upload_page_issues_nothing(client: FlaskClient, issued: list[tuple[str, str]]) -> None:
    """A mere visit costs no grant."""
    client.get("/")
    assert issued == []


def test_upload_page_says_so_when_nothing_is_open(client: FlaskClient, change: Callable[..., None]) -> None:
    """A visitor without any profile is told, and is offered no form."""
    change(profiles=list)
    html = client.get("/").text
    assert "nothing to upload here" in html
    assert "<form" not in html


def test_upload_page_has_a_form_per_profile_without_script(client: FlaskClient) -> None:
    """Without JavaScript each profile has its own form, with a choice among its types."""
    html = client.get("/").text
    plain = html[html.index("<noscript>") : html.index("</noscript>")]
    assert plain.count('action="/form"') == 2
    assert '<option value="image/png">PNG</option>' in plain
    assert plain.count("<select") == 1


@pytest.mark.parametrize(
    ("header", "language", "title"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans", "上传文件"),
        ("zh-TW", "zh-Hans", "上传文件"),
        ("zh-CN,en;q=0.5", "zh-Hans", "上传文件"),
        ("en-GB,zh;q=0.5", "en", "Upload files"),
        ("fr", "en", "Upload files"),
        ("", "en", "Upload files"),
    ],
)
def test_upload_page_speaks_the_language_of_the_browser(
    client: FlaskClient, header: str, language: str, title: str
) -> None:
    """Chinese where the browser prefers it, English elsewhere; caches are told that it depends."""
    answer = client.get("/", headers={"Accept-Language": header})
    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{title}</h1>" in answer.text
    assert "Accept-Language" in answer.headers["Vary"]


def test_upload_page_uses_a_translated_title(client: FlaskClient) -> None:
    """A profile that has a Chinese title shows it to Chinese readers."""
    html = client.get("/", headers={"Accept-Language": "zh"}).text
    assert "照片" in html
    assert "Photos" not in html


# Headers.


def test_policy_allows_the_server_and_the_bucket_only(client: FlaskClient) -> None:
    """Forms and requests go to us and to the bucket; nothing inline runs; nobody frames us."""
    policy = client.get("/").headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["connect-src"] == rules["form-action"] == f"'self' {BUCKET}"
    assert rules["img-src"] == f"'self' blob: data: {BUCKET}"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["default-src"] == "'none'"
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/uploads/unknown"])
def test_pages_carry_the_protecting_headers(client: FlaskClient, path: str) -> None:
    """Every page is guarded, refusals included."""
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Content-Security-Policy" in headers


def test_templates_hold_nothing_inline() -> None:
    """No template has a style, a handler or a script that the policy would block."""
    for template in (ROOT / "templates").glob("*.html"):
        text = template.read_text("utf-8")
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", text), template.name
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script or 'type="application/json"' in script


def test_static_modules_are_open_to_other_pages(client: FlaskClient) -> None:
    """The module may be imported from anyone's page, as a script of the right type."""
    with client.get("/static/ossgate.js") as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "javascript" in answer.headers["Content-Type"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


# The plain form.


def test_form_holds_the_grant_in_order_and_the_file_last(
    client: FlaskClient, issued: list[tuple[str, str]]
) -> None:
    """The fields stand as the grant orders them; nothing follows the file."""
    answer = client.post("/form", data={"profile": "photo", "content_type": "image/png"})
    form = answer.text[answer.text.index("<form") : answer.text.index("</form>")]
    assert answer.status_code == 200
    assert issued == [("photo", "image/png")]
    assert re.findall(r'<input[^>]* name="([^"]+)"', form) == ["key", "policy", "x-oss-signature", "file"]
    assert 'value="a&#34;b.jpg"' in form
    assert f'action="{BUCKET}/demo-bucket" enctype="multipart/form-data" target="_blank"' in form


def test_form_leads_to_the_upload(client: FlaskClient) -> None:
    """Beside the form stands the link that tells how it went, and nothing of it is kept by caches."""
    answer = client.post("/form", data={"profile": "photo", "content_type": "image/png"})
    assert 'href="/uploads/01up"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_form_of_any_type_uses_the_general_type(client: FlaskClient, issued: list[tuple[str, str]]) -> None:
    """Where any type will do, none is asked for."""
    client.post("/form", data={"profile": "file"})
    assert issued == [("file", "application/octet-stream")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://localhost:81"},
    ],
)
@pytest.mark.parametrize("path", ["/form", "/uploads/01up/confirm"])
def test_foreign_forms_are_refused(
    client: FlaskClient, issued: list[tuple[str, str]], path: str, headers: dict[str, str]
) -> None:
    """Another site cannot have anything done in a visitor's name."""
    answer = client.post(path, data={"profile": "file"}, headers=headers)
    assert answer.status_code == 403
    assert issued == []


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}, {}, {"Sec-Fetch-Site": "none"}],
)
def test_own_forms_are_taken(client: FlaskClient, headers: dict[str, str]) -> None:
    """Our own page, a reload and a tool without headers are let in."""
    assert client.post("/form", data={"profile": "file"}, headers=headers).status_code == 200


def test_form_refusal_is_told_in_words(client: FlaskClient, change: Callable[..., None]) -> None:
    """A refused grant gives its status and what to do, in the reader's language."""

    def refuse(profile: str, content_type: str) -> dict[str, Any]:
        raise ApiError(429, "quota_exceeded", "12 uploads are pending", "Wait.")

    change(issue_form_grant=refuse)
    answer = client.post("/form", data={"profile": "file"}, headers={"Accept-Language": "zh"})
    assert answer.status_code == 429
    assert "你的上传额度暂时已用完。" in answer.text


def test_unknown_refusal_is_told_in_the_servers_words(
    client: FlaskClient, change: Callable[..., None]
) -> None:
    """A code that the pages do not know is not hidden behind a phrase."""

    def refuse(profile: str, content_type: str) -> dict[str, Any]:
        raise ApiError(418, "teapot", "I am a <teapot>.", "Use a kettle.")

    change(issue_form_grant=refuse)
    answer = client.post("/form", data={"profile": "file"})
    assert answer.status_code == 418
    assert "I am a &lt;teapot&gt;. Use a kettle." in answer.text


def test_form_types_of_wildcards_are_spelt_out() -> None:
    """A plain form cannot know the file's type, so that a family becomes a choice."""
    view = ProfileView("media", "Media", 1, content_types=("image/*", "application/pdf"))
    assert pages.list_form_types(view) == [
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/gif",
        "image/heic",
        "application/pdf",
    ]


# The page of an upload.


def test_status_of_an_unknown_upload_is_404(client: FlaskClient) -> None:
    """An upload that is not the visitor's to see is a plain page, in either language."""
    answer = client.get("/uploads/nobody", headers={"Accept-Language": "zh"})
    assert answer.status_code == 404
    assert "没有这个上传" in answer.text


@pytest.mark.parametrize(
    ("facts", "heading", "refreshed"),
    [
        ({}, "Waiting for the file", True),
        ({"expires_at": "2026-01-02T03:04:05Z"}, "Nothing has arrived", False),
        ({"state": "unconfirmed"}, "Stored, not yet confirmed", True),
        ({"state": "uploaded", "size": 3_500_000}, "Uploaded and confirmed", False),
        ({"state": "expired"}, "Nothing arrived in time", False),
        ({"state": "aborted"}, "Cancelled", False),
        ({"state": "deleted"}, "Deleted", False),
        ({"state": "sideways"}, "In state “sideways”", False),
    ],
)
def test_status_tells_each_state_in_words(
    client: FlaskClient,
    change: Callable[..., None],
    facts: dict[str, Any],
    heading: str,
    refreshed: bool,
) -> None:
    """Each state has its words, and only one that may change soon is looked at again."""
    change(fetch_upload={"01up": make_upload(**facts)}.get)
    answer = client.get("/uploads/01up")
    assert f">{heading}</h1>" in answer.text
    assert ('http-equiv="refresh"' in answer.text) is refreshed
    assert answer.headers["Cache-Control"] == "no-store"


def test_status_of_a_stored_upload_links_to_the_object(
    client: FlaskClient, change: Callable[..., None]
) -> None:
    """The stored object is one click away, and what is stored is told."""
    url = f"{BUCKET}/demo-bucket/photo/01up.jpg?x-oss-signature=feed&x=1"
    change(fetch_upload={"01up": make_upload(state="uploaded", size=3_500_000, url=url)}.get)
    html = client.get("/uploads/01up").text
    assert f'href="{url.replace("&", "&amp;")}"' in html
    assert "3.3 MB" in html
    assert "日落 🌇.jpg" in html


def test_confirm_button_needs_no_script_where_the_server_can_ask(
    client: FlaskClient, change: Callable[..., None]
) -> None:
    """The button asks the bucket and leads back to the upload."""
    asked: list[str] = []
    change(fetch_upload={"01up": make_upload()}.get, confirm_upload=asked.append)
    assert 'id="confirm" >' in client.get("/uploads/01up").text
    answer = client.post("/uploads/01up/confirm")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/uploads/01up")
    assert asked == ["01up"]


def test_confirm_of_nothing_says_so(client: FlaskClient, change: Callable[..., None]) -> None:
    """A file that has not arrived is told in words, with the way back to the upload."""

    def confirm(upload_id: str) -> None:
        raise ApiError(409, "object_missing", "nothing has arrived")

    change(fetch_upload={"01up": make_upload()}.get, confirm_upload=confirm)
    answer = client.post("/uploads/01up/confirm")
    assert answer.status_code == 409
    assert "Nothing has arrived in storage yet." in answer.text
    assert 'href="/uploads/01up"' in answer.text


def test_module_imports_nothing_but_itself() -> None:
    """The files of the module form a whole: no page's script and no library is among what they import."""
    folder = ROOT / "static"
    names = {path.name for path in folder.glob("ossgate*.js")}
    for name in names:
        imported = re.findall(
            r"^\} from \"(.+)\"|^import .* from \"(.+)\"", (folder / name).read_text("utf-8"), re.M
        )
        found = {one or other for one, other in imported}
        assert {path.removeprefix("./") for path in found} <= names - {"ossgate.js"}, name


# Texts.


def test_both_languages_have_the_same_texts() -> None:
    """No text and no value is missing in either language."""
    english, chinese = (pages.load_messages(language) for language in pages.LANGUAGES)
    for part in ("server", "client"):
        texts, translated = getattr(english, part), getattr(chinese, part)
        assert texts.keys() == translated.keys()
        for key, text in texts.items():
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", translated[key])), key


def test_texts_that_are_used_exist() -> None:
    """Each text that a template or a script names is there; the console has texts of its own."""
    console = json.loads((ROOT / "static" / "messages" / "console" / "en.json").read_text("utf-8"))
    english = pages.load_messages("en")
    for template in (ROOT / "templates").glob("*.html"):
        texts = console if template.name.startswith("console") else {**english.server, **english.client}
        for key in re.findall(r"\bt\([\"']([\w.]+\w)[\"']", template.read_text("utf-8")):
            assert key in texts, f"{template.name}: {key}"
    for script in (ROOT / "static").glob("*.js"):
        texts = console if script.name.startswith("console") else english.client
        for key in re.findall(r"\bt\(\"([\w.]+\w)\"", script.read_text("utf-8")):
            assert key in texts, f"{script.name}: {key}"


def test_errors_of_the_module_have_words() -> None:
    """Each code that the module can raise is explained to people, with what to do."""
    english = pages.load_messages("en")
    codes = list_error_codes()
    assert len(codes) > 15
    assert {code for code in codes if f"error.{code}.do" not in english.client} == set()


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KB"),
        (20 * 1024**2, "20 MB"),
        (1024**3, "1 GB"),
        (3_500_000, "3.3 MB"),
    ],
)
def test_sizes_are_written_for_people(size: int, text: str) -> None:
    """A size has a unit that suits it."""
    assert pages.describe_size(size) == text


# The documentation of the module.


def test_public_functions_are_documented() -> None:
    """What static/ossgate.js exports has its section in docs/javascript.md, and nothing else has."""
    source = (ROOT / "static" / "ossgate.js").read_text("utf-8")
    document = (ROOT / "docs" / "javascript.md").read_text("utf-8")
    exported = re.findall(r"^export (?:async )?(?:function|class|const) (\w+)", source, re.MULTILINE)
    for names in re.findall(r"^export \{([^}]+)\}", source, re.MULTILINE):
        exported += [name.strip() for name in names.split(",")]
    assert len(exported) > 15
    documented = re.findall(r"^### `(\w+)", document, re.MULTILINE)
    assert sorted(documented) == sorted(exported)


def test_error_codes_are_documented() -> None:
    """Each code that the module itself gives is in docs/javascript.md."""
    document = (ROOT / "docs" / "javascript.md").read_text("utf-8")
    assert {code for code in list_error_codes() if f"`{code}`" not in document} == set()
