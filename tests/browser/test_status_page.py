"""The page of one upload, with JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

# Asks for a grant; sends the file only when told to, and leaves the answer alone.
BEGIN = """
async ({ send }) => {
  const { requestGrant, postForm } = await import("/static/ossgate.js");
  const file = new File(["hello"], "hello.txt", { type: "text/plain" });
  const grant = await requestGrant("", { profile: "file", file });
  window.send = () => postForm(grant, file);
  if (send) {
    await window.send();
  }
  return grant.upload_id;
}
"""


def test_status_page_follows_the_upload(visit: Callable[..., Any]) -> None:
    """A page that was opened too early shows the file as soon as it has arrived, by itself."""
    sender = visit().open()
    upload_id = sender.page.evaluate(BEGIN, {"send": False})
    reader = visit().open(f"/uploads/{upload_id}")
    expect(reader.page.locator("h1")).to_have_text("Waiting for the file")
    sender.page.evaluate("window.send()")
    expect(reader.page.locator("h1")).to_have_text("Uploaded and confirmed", timeout=15_000)


def test_status_page_asks_the_bucket_in_place(visit: Callable[..., Any]) -> None:
    """After a lost callback the button settles the upload."""
    visitor = visit().open()
    visitor.demo.lose_callbacks(1)
    upload_id = visitor.page.evaluate(BEGIN, {"send": True})
    visitor.open(f"/uploads/{upload_id}")
    visitor.page.get_by_role("button", name="Ask storage now").click()
    expect(visitor.page.locator("h1")).to_have_text("Uploaded and confirmed")


def test_status_page_says_when_nothing_has_arrived(visit: Callable[..., Any]) -> None:
    """Asking for a file that was never sent is answered in place."""
    visitor = visit(color_scheme="dark").open()
    upload_id = visitor.page.evaluate(BEGIN, {"send": False})
    visitor.open(f"/uploads/{upload_id}")
    visitor.page.get_by_role("button", name="Ask storage now").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("Nothing has arrived in storage yet.")
    visitor.photograph("status-desktop-dark-nothing-arrived")


# Sends a picture that the page itself draws, so that it is small and known.
SEND_PICTURE = """
async ({ name, broken }) => {
  const { requestGrant, postForm } = await import("/static/ossgate.js");
  const canvas = Object.assign(document.createElement("canvas"), { width: 900, height: 600 });
  const pen = canvas.getContext("2d");
  const light = pen.createLinearGradient(0, 0, 900, 600);
  light.addColorStop(0, "#f7b267");
  light.addColorStop(1, "#2a6f97");
  pen.fillStyle = light;
  pen.fillRect(0, 0, 900, 600);
  const drawn = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const file = new File([broken ? "no picture" : drawn], name, { type: "image/png" });
  const grant = await requestGrant("", { profile: "photo", file });
  await postForm(grant, file);
  return grant.upload_id;
}
"""


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desktop-light", {}),
        ("phone-dark", {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}),
    ],
)
def test_status_page_shows_a_smaller_picture(
    visit: Callable[..., Any], name: str, options: dict[str, Any]
) -> None:
    """Made by storage, within the page's width, with the file's name as its words."""
    visitor = visit(**options).open()
    upload_id = visitor.page.evaluate(SEND_PICTURE, {"name": "evening.png", "broken": False})
    image = visitor.open(f"/uploads/{upload_id}").page.get_by_role(
        "img", name="A smaller picture of evening.png"
    )
    expect(image).to_be_visible()

    assert [480, 320] == image.evaluate(
        "async (one) => { await one.decode(); return [one.naturalWidth, one.naturalHeight]; }"
    )
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.photograph(f"status-{name}-picture")


def test_status_page_hides_what_is_no_picture(visit: Callable[..., Any]) -> None:
    """The granted type says little of the bytes; where storage can make nothing of them nothing is shown."""
    visitor = visit().open()
    upload_id = visitor.page.evaluate(SEND_PICTURE, {"name": "a.png", "broken": True})
    visitor.open(f"/uploads/{upload_id}")

    expect(visitor.page.locator("h1")).to_have_text("Uploaded and confirmed")
    expect(visitor.page.locator("#thumbnail")).to_have_count(0)
