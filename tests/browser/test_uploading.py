"""Uploads that go well, through the real page to the local OSS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

Photo = Callable[..., dict[str, Any]]


def test_photo_by_drop(visit: Callable[..., Any], photo: Photo) -> None:
    """A dropped photograph arrives, and the object behind the link equals it to the byte."""
    visitor = visit().open().drop(photo())
    row = visitor.expect_state("sunset.jpg", "done")
    assert visitor.fetch_stored(row) == photo()["buffer"]
    expect(row.locator("img")).to_be_visible()


def test_photo_by_chooser(visit: Callable[..., Any], photo: Photo) -> None:
    """A chosen photograph arrives, and what the callback answered can be unfolded."""
    visitor = visit().open().choose(photo())
    row = visitor.expect_state("sunset.jpg", "done")
    row.locator("summary").click()
    facts = row.locator(".facts")
    expect(facts).to_contain_text("image/jpeg")
    expect(facts).to_contain_text("the callback")
    expect(row.locator("pre")).to_contain_text('"Status": "OK"')
    assert visitor.fetch_stored(row) == photo()["buffer"]


def test_photo_by_paste(visit: Callable[..., Any], photo: Photo) -> None:
    """A pasted picture gets a name of its own and arrives."""
    visitor = visit().open()
    visitor.page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(2000)], "image.png", { type: "image/png" }));
          document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
        }"""
    )
    visitor.expect_state("pasted-", "done")


def test_five_files_at_once(visit: Callable[..., Any], photo: Photo) -> None:
    """Five files arrive, three at a time at most, and each keeps its own bytes."""
    visitor = visit()
    names = [f"photo {number}.jpg" for number in range(1, 6)]
    visitor.open().choose(*(photo(name, mark=name.encode()) for name in names))
    assert visitor.page.locator(".item").count() == 5
    for name in names:
        row = visitor.expect_state(name, "done")
        assert visitor.fetch_stored(row).endswith(name.encode())
    expect(visitor.page.locator("#queue-sum")).to_have_text("5 of 5 uploaded")
    assert 1 < visitor.most_at_once <= 3
    visitor.photograph("upload-desktop-light-five-files")


@pytest.mark.parametrize(
    "name",
    [
        "上海的日落.jpg",
        "🌇 sunset 🏖️.jpg",
        "صورة جميلة.jpg",
        'a & b <i>"quoted"</i> 100%.jpg',
        "é" * 120 + ".jpg",
    ],
)
def test_names_in_any_script(visit: Callable[..., Any], photo: Photo, name: str) -> None:
    """A file may be called anything; the name is shown as text and the bytes arrive."""
    visitor = visit().open().pick("file").choose(photo(name))
    row = visitor.page.locator(".item")
    expect(row).to_have_attribute("data-state", "done", timeout=20_000)
    expect(row.locator("bdi").first).to_have_attribute("title", name)
    assert visitor.fetch_stored(row) == photo()["buffer"]


def test_any_file_in_the_other_profile(visit: Callable[..., Any]) -> None:
    """A file that is no picture goes up under the profile for any file."""
    report = {"name": "report.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 " * 1000}
    visitor = visit().open().pick("file").choose(report)
    row = visitor.expect_state("report.pdf", "done")
    assert visitor.fetch_stored(row) == report["buffer"]
    expect(row.locator(".thumb")).to_have_text("PDF")


def test_status_page_of_an_upload(visit: Callable[..., Any], photo: Photo) -> None:
    """The page of one upload tells its uploader how it went."""
    visitor = visit().open().choose(photo())
    row = visitor.expect_state("sunset.jpg", "done")
    with visitor.context.expect_page() as opened:
        row.locator("a[data-link=status]").click()
    page = opened.value
    expect(page.locator("h1")).to_have_text("Uploaded and confirmed")
    expect(page.locator(".facts")).to_contain_text("sunset.jpg")
    url = page.get_by_role("link", name="Open the stored file").get_attribute("href")
    assert visitor.context.request.get(url).body() == photo()["buffer"]


def test_finished_rows_can_be_cleared(visit: Callable[..., Any], photo: Photo) -> None:
    """The list can be emptied, and the empty state comes back."""
    visitor = visit().open().choose(photo())
    visitor.expect_state("sunset.jpg", "done")
    visitor.page.get_by_role("button", name="Clear finished").click()
    expect(visitor.page.locator("#queue-empty")).to_be_visible()
    expect(visitor.page.locator("#queue-title")).to_be_focused()
