"""The operators' page: signing in, finding uploads, one upload and its history, callbacks."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

# Grants one upload for each name, and sends the files of some.
BEGIN = """
async ({ names, send }) => {
  const { requestGrant, postForm } = await import("/static/ossgate.js");
  const ids = [];
  for (const name of names) {
    const file = new File(["hello"], name, { type: "text/plain" });
    const grant = await requestGrant("", { profile: "file", file });
    if (send.includes(name)) {
      await postForm(grant, file);
    }
    ids.push(grant.upload_id);
  }
  return ids;
}
"""
ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts"
IS_LINK = re.compile(r"^http://127\.0\.0\.1:\d+/demo-bucket/files/")
SIZES = {"desktop": (1280, 900), "phone": (390, 844), "small-phone": (320, 640)}


def sign_in(visitor: Any, key: str | None = None, *, keep: bool = False) -> Any:
    """Paste a key and sign in."""
    page = visitor.open("/console").page
    page.fill("#key", visitor.demo.operator_key if key is None else key)
    page.set_checked("#keep", keep)
    page.click("#sign-in button")
    return page


def begin(visitor: Any, *names: str, send: tuple[str, ...] = ()) -> list[str]:
    """Ask for grants as anybody does."""
    ids: list[str] = visitor.open().page.evaluate(BEGIN, {"names": list(names), "send": list(send)})
    return ids


def refuse_callback(url: str, body: bytes = b'{"size":1}') -> None:
    """Send what OSS never sent."""
    request = urllib.request.Request(f"{url}/callback?node=1", data=body, method="POST")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)


def test_console_wants_an_operators_key(visit: Callable[..., Any]) -> None:
    """Without a key nothing is shown, a wrong one is refused in words, and the field is where the reader is."""
    visitor = visit()
    page = visitor.open("/console").page
    expect(page.locator("#key")).to_be_focused()
    expect(page.locator("#console")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Paste a key first.")
    for wrong in ("ossgate_wrong", "口令"):
        sign_in(visitor, wrong)
        expect(page.get_by_role("alert")).to_have_text("This key is not known here.")
    expect(page.locator("#console")).to_be_hidden()


def test_key_is_kept_only_where_it_was_told_to_be(visit: Callable[..., Any]) -> None:
    """A reload forgets the key unless the tab may keep it; signing out forgets both key and what was shown; no cookie is set."""
    visitor = visit()
    begin(visitor, "kept.txt")
    page = sign_in(visitor)
    expect(page.locator("#console")).to_be_visible()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    page.reload()
    expect(page.locator("#sign-in")).to_be_visible()
    page = sign_in(visitor, keep=True)
    expect(page.locator("#uploads-rows tr").first).to_be_visible()
    page.reload()
    expect(page.locator("#uploads-rows tr").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#sign-in")).to_be_visible()
    assert page.locator("#uploads-rows tr").count() == 0
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    assert visitor.context.cookies() == []


def test_uploads_are_listed_found_and_counted(visit: Callable[..., Any]) -> None:
    """States stand in words; filters and search narrow the list, and the address keeps them."""
    visitor = visit()
    begin(visitor, "列表 one.txt", "list two.txt", send=("列表 one.txt",))
    page = sign_in(visitor)
    row = page.locator("#uploads-rows tr", has_text="列表 one.txt").first
    expect(row.locator(".badge")).to_have_text("Uploaded")
    expect(page.locator("#uploads-rows tr", has_text="list two.txt").first.locator(".badge")).to_have_text(
        "Waiting"
    )
    page.get_by_label("Search", exact=True).fill("LIST tw")
    page.keyboard.press("Enter")
    expect(page.locator("#uploads-rows tr")).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text("1 upload shown")
    assert "q=LIST+tw" in page.url
    page.get_by_label("State").select_option("uploaded")
    expect(page.get_by_text("Nothing fits these filters.")).to_be_visible()
    page.go_back()
    expect(page.locator("#uploads-rows tr")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#uploads-rows tr").nth(1)).to_be_visible()
    page.locator("#counts a", has_text="Uploaded").click()
    expect(page.locator('#uploads-rows tr:not([data-state="uploaded"])')).to_have_count(0)
    expect(page.locator("#uploads-rows tr").first).to_be_visible()


def test_filters_of_the_address_are_obeyed(visit: Callable[..., Any]) -> None:
    """A link to filters shows what they let through, also those that are folded away."""
    visitor = visit()
    begin(visitor, "old.txt")
    page = visitor.open("/console#/uploads?created_until=2020-01-01T00:00:00Z&profile=file").page
    page.fill("#key", visitor.demo.operator_key)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing fits these filters.")).to_be_visible()
    expect(page.get_by_label("Profile")).to_have_value("file")
    page.get_by_label("Granted before").fill("2120-01-01T00:00:00")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#uploads-rows tr").first).to_be_visible()


def test_list_goes_on_by_pages(visit: Callable[..., Any]) -> None:
    """More is shown when it is asked for, and the keyboard's place is the first new row."""
    visitor = visit()
    begin(visitor, *(f"page {number}.txt" for number in range(53)))
    page = sign_in(visitor)
    expect(page.locator("#uploads-rows tr")).to_have_count(50)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#uploads-rows tr").nth(52)).to_be_visible()
    expect(page.locator("#uploads-rows tr").nth(50).locator("a")).to_be_focused()
    ids = page.eval_on_selector_all("#uploads-rows tr", "rows => rows.map(row => row.dataset.id)")
    assert ids == sorted(set(ids), reverse=True)


def test_one_upload_is_settled_from_its_page(visit: Callable[..., Any]) -> None:
    """After a lost callback the button asks the bucket; history, state and reply are shown at once."""
    visitor = visit()
    visitor.demo.lose_callbacks(1)
    (upload_id,) = begin(visitor, "lost.txt", send=("lost.txt",))
    page = sign_in(visitor)
    page.locator(f'tr[data-id="{upload_id}"] a').click()
    expect(page.locator("#one-title")).to_be_focused()
    expect(page.locator("#one-history li")).to_have_count(1)
    page.get_by_role("button", name="Ask the bucket").click()
    expect(page.locator("#one-state")).to_have_text("Uploaded")
    expect(page.locator("#one-history li")).to_have_count(2)
    expect(page.locator("#one-reply-text")).to_contain_text('"Status": "OK"')
    expect(page.get_by_role("link", name="Open the file")).to_have_attribute("href", IS_LINK)
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator(f'tr[data-id="{upload_id}"] .badge')).to_have_text("Uploaded")


def test_what_goes_wrong_is_said(visit: Callable[..., Any]) -> None:
    """Nothing arrived, no such upload, no server: each in words, and the page stays usable."""
    visitor = visit()
    (upload_id,) = begin(visitor, "never.txt")
    page = sign_in(visitor)
    page.evaluate("id => { location.hash = `#/uploads/${id}` }", upload_id)
    page.get_by_role("button", name="Ask the bucket").click()
    expect(page.get_by_role("alert")).to_have_text("Nothing has arrived in the bucket under this upload.")
    page.evaluate("location.hash = '#/uploads/01KE00000000000000000000AA'")
    expect(page.get_by_role("alert")).to_have_text("There is no such upload.")
    visitor.context.set_offline(True)
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
    visitor.context.set_offline(False)
    page.get_by_role("link", name="Uploads", exact=True).click()
    expect(page.locator("#uploads-rows tr").first).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_callbacks_are_shown_with_what_was_made_of_them(visit: Callable[..., Any]) -> None:
    """Those that were refused with layer and code, those of one upload alone; what a stranger sent is text and nothing else."""
    visitor = visit()
    (upload_id,) = begin(visitor, "a.txt", send=("a.txt",))
    refuse_callback(visitor.demo.url, b'{"ticket":"<img src=x onerror=alert(1)>"}')
    page = sign_in(visitor)
    page.get_by_role("link", name="Callbacks", exact=True).click()
    items = page.locator("#callbacks-items li")
    page.get_by_label("Verdict").select_option("Refused")
    expect(page).to_have_url(re.compile("#/callbacks.verdict=refused$"))
    expect(page.locator("#callbacks-items li:not([data-verdict=refused])")).to_have_count(0)
    first = items.first
    expect(first.locator(".badge")).to_have_text("Refused")
    expect(first).to_contain_text("Signature")
    expect(first.locator("code").first).to_have_text("callback_signature_invalid")
    first.locator("summary").click()
    expect(first.locator("pre").nth(2)).to_have_text('{"ticket":"<img src=x onerror=alert(1)>"}')
    assert page.locator("#callbacks-items img").count() == 0
    page.get_by_label("Verdict").select_option("")
    page.get_by_label("Upload id").fill(upload_id)
    page.locator("#inbox-filters").get_by_role("button", name="Search").click()
    expect(items).to_have_count(1)
    expect(items.locator(".badge")).to_have_text("Believed")
    items.locator("summary").click()
    expect(items).to_contain_text("authorization: [redacted]")
    expect(items).to_contain_text("ossgate inbox replay")
    items.get_by_role("link", name="Show the upload").click()
    expect(page.locator("#one-title")).to_have_text("a.txt")


@pytest.mark.parametrize("size", SIZES)
def test_console_fits_every_screen(visit: Callable[..., Any], size: str) -> None:
    """From 320 pixels up nothing is wider than the screen, whatever files are called; pictures for people are kept."""
    width, height = SIZES[size]
    dark = size == "small-phone"
    language = "zh-CN" if size == "phone" else "en-US"
    visitor = visit(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        locale=language,
    )
    long = "a very long name " * 6 + "图片" * 12 + ".txt"
    ids = begin(visitor, long, "sunset.txt", "\u202egnp.exe", send=(long, "sunset.txt"))
    refuse_callback(visitor.demo.url)
    page = visitor.open("/console").page
    visitor.photograph(f"console-{size}-sign-in")
    assert visitor.width_of_content() <= width
    page = sign_in(visitor)
    expect(page.locator("#uploads-rows tr").first).to_be_visible()
    visitor.photograph(f"console-{size}-list")
    assert visitor.width_of_content() <= width
    page.evaluate("id => { location.hash = `#/uploads/${id}` }", ids[0])
    expect(page.locator("#one-history li")).to_have_count(2)
    visitor.photograph(f"console-{size}-one")
    assert visitor.width_of_content() <= width
    page.evaluate("location.hash = '#/callbacks'")
    page.locator("#callbacks-items summary").first.click()
    expect(page.locator("#callbacks-items pre").nth(1)).to_be_visible()
    visitor.photograph(f"console-{size}-callbacks")
    assert visitor.width_of_content() <= width


def test_console_is_worked_by_the_keyboard_alone(visit: Callable[..., Any]) -> None:
    """Sign in, go to an upload and back without a mouse."""
    visitor = visit()
    (upload_id,) = begin(visitor, "keys.txt")
    page = visitor.open("/console").page
    page.keyboard.insert_text(visitor.demo.operator_key)
    page.keyboard.press("Enter")
    expect(page.locator("#uploads-title")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#uploads-rows a')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#one-title")).to_be_focused()
    assert upload_id in page.url
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#uploads-title")).to_be_focused()


def test_docs_fit_every_screen(visit: Callable[..., Any]) -> None:
    """The page of the HTTP API is no wider than a small phone, in the dark as well."""
    for width, scheme in ((1280, "light"), (320, "dark")):
        visitor = visit(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page = visitor.open("/docs").page
        expect(page.locator("#issueUpload")).to_be_attached()
        assert visitor.width_of_content() <= width
        page.screenshot(path=ARTEFACTS / f"docs-{width}-top.png")
        page.locator("#issueUpload").scroll_into_view_if_needed()
        page.screenshot(path=ARTEFACTS / f"docs-{width}-operation.png")
        page.locator("#schema-Upload").scroll_into_view_if_needed()
        page.screenshot(path=ARTEFACTS / f"docs-{width}-schema.png")


SEND_PICTURE = """
async () => {
  const { requestGrant, postForm } = await import("/static/ossgate.js");
  const canvas = Object.assign(document.createElement("canvas"), { width: 900, height: 600 });
  const drawn = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const file = new File([drawn], "dark.png", { type: "image/png" });
  const grant = await requestGrant("", { profile: "photo", file });
  await postForm(grant, file);
  return grant.upload_id;
}
"""


@pytest.mark.parametrize("name", ["desktop-dark", "phone-light"])
def test_picture_of_an_upload_is_shown(visit: Callable[..., Any], name: str) -> None:
    """Of a photograph a smaller one; of the next upload, a text, none."""
    size, scheme = name.split("-")
    width, height = SIZES[size]
    visitor = visit(viewport={"width": width, "height": height}, color_scheme=scheme)
    picture = visitor.open().page.evaluate(SEND_PICTURE)
    (text,) = begin(visitor, "a.txt", send=("a.txt",))
    page = sign_in(visitor)
    page.goto(f"{visitor.demo.url}/console#/uploads/{picture}")
    image = page.locator("#one-preview img")
    expect(image).to_be_visible()

    assert 480 == image.evaluate("(one) => one.naturalWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.photograph(f"console-{name}-picture")
    page.goto(f"{visitor.demo.url}/console#/uploads/{text}")
    expect(page.locator("#one-title")).to_have_text("a.txt")
    expect(image).to_be_hidden()
