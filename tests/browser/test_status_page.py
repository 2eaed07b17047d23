"""The page of one upload, with JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
