"""The way without JavaScript: a plain form, and the page that tells how it went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

Photo = Callable[..., dict[str, Any]]


def send_plainly(visitor: Any, file: dict[str, Any]) -> tuple[Page, str]:
    """Send a photograph by the plain form; give the tab with the answer, and the way to the upload."""
    page = visitor.open().page
    page.locator(".plain-choice").first.get_by_role("button", name="Continue").click()
    page.set_input_files("input[type=file]", [file])  # type: ignore[list-item]
    path = page.get_by_role("link", name="How did it go?").get_attribute("href")
    with visitor.context.expect_page() as opened:
        page.get_by_role("button", name="Send the file").click()
    opened.value.wait_for_load_state()
    return opened.value, path


def test_plain_form_uploads(visit: Callable[..., Any], photo: Photo) -> None:
    """A photograph goes up without any script, and its page tells so and links to the same bytes."""
    visitor = visit(java_script_enabled=False).open()
    visitor.photograph("plain-desktop-light")
    answer, path = send_plainly(visitor, photo())
    assert '"Status"' in answer.content()
    visitor.photograph("plain-form-desktop-light")
    visitor.open(path)
    expect(visitor.page.locator("h1")).to_have_text("Uploaded and confirmed")
    visitor.photograph("status-desktop-light-uploaded")
    url = visitor.page.get_by_role("link", name="Open the stored file").get_attribute("href")
    assert visitor.context.request.get(url).body() == photo()["buffer"]


def test_plain_upload_whose_callback_was_lost(visit: Callable[..., Any], photo: Photo) -> None:
    """After a 203 the page waits for the file; its button asks the bucket, and the upload is confirmed."""
    visitor = visit(java_script_enabled=False, viewport={"width": 375, "height": 812})
    visitor.demo.lose_callbacks(1)
    _, path = send_plainly(visitor, photo())
    visitor.open(path)
    expect(visitor.page.locator("h1")).to_have_text("Waiting for the file")
    assert visitor.page.locator('meta[http-equiv="refresh"]').count() == 1
    visitor.photograph("status-phone-light-waiting")
    visitor.page.get_by_role("button", name="Ask storage now").click()
    expect(visitor.page.locator("h1")).to_have_text("Uploaded and confirmed")
    visitor.photograph("status-phone-light-uploaded")


def test_plain_pages_on_a_phone_in_chinese(visit: Callable[..., Any]) -> None:
    """The plain pages fit a small phone, in the dark and in Chinese."""
    visitor = visit(
        java_script_enabled=False, viewport={"width": 320, "height": 568}, color_scheme="dark", locale="zh-CN"
    ).open()
    expect(visitor.page.get_by_role("heading", name="不使用 JavaScript 上传")).to_be_visible()
    visitor.photograph("plain-small-phone-dark-chinese")
    visitor.page.get_by_role("button", name="继续").first.click()
    expect(visitor.page.get_by_role("button", name="发送文件")).to_be_visible()
    visitor.photograph("plain-form-small-phone-dark-chinese")


def test_unknown_upload_is_a_plain_page(visit: Callable[..., Any]) -> None:
    """An address that leads nowhere says so, and leads back."""
    visitor = visit(java_script_enabled=False).open("/uploads/01NOBODY")
    expect(visitor.page.locator("h1")).to_have_text("There is no such upload")
    visitor.page.get_by_role("link", name="Back to the upload page").click()
    expect(visitor.page.locator("h1")).to_have_text("Upload files")
