"""Uploads that do not go well: refused, cut, unconfirmed; and what the page says and does about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

Photo = Callable[..., dict[str, Any]]

# Has the page lose the bucket's next answers after the file has left, as a connection does that breaks late.
LOSE_ANSWERS = """
window.answersToLose = 0;
const listen = XMLHttpRequest.prototype.addEventListener;
XMLHttpRequest.prototype.addEventListener = function (type, listener) {
  if (type === "error") {
    this.tellError = listener;
  }
  const act = type === "load"
    ? (event) => (window.answersToLose-- > 0 ? this.tellError(event) : listener(event))
    : listener;
  return listen.call(this, type, act);
};
"""


def test_refused_type_is_not_sent(visit: Callable[..., Any]) -> None:
    """A file that the profile does not take is refused in the page, and sent as another kind on request."""
    report = {"name": "report.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 " * 100}
    visitor = visit().open().drop(report)
    row = visitor.expect_state("report.pdf", "refused")
    expect(row).to_contain_text("Files of this kind are not accepted here. Accepted: JPEG, PNG, WebP, GIF.")
    assert visitor.posts == []
    row.get_by_role("button", name="Send as “Any file”").click()
    visitor.expect_state("report.pdf", "done")


def test_file_over_the_limit_is_not_sent(visit: Callable[..., Any], tmp_path: Path) -> None:
    """A file above the limit is refused in the page, with both sizes."""
    large = tmp_path / "large.jpg"
    large.write_bytes(b"\xff\xd8\xff" + bytes(20 * 1024**2))
    visitor = visit().open().choose(large)
    row = visitor.expect_state("large.jpg", "refused")
    expect(row).to_contain_text("Too large: 20,971,523 B, and the limit is 20 MB.")
    assert visitor.posts == []


def test_empty_file_is_not_sent(visit: Callable[..., Any]) -> None:
    """An empty file is refused in the page."""
    visitor = visit().open().choose({"name": "empty.png", "mimeType": "image/png", "buffer": b""})
    expect(visitor.expect_state("empty.png", "refused")).to_contain_text("The file is empty.")


def test_server_refuses_where_the_page_was_bypassed(visit: Callable[..., Any], tmp_path: Path) -> None:
    """A page that has lost its limits meets the server's, and says the same."""
    large = tmp_path / "large.jpg"
    large.write_bytes(b"\xff\xd8\xff" + bytes(21 * 1024**2))
    visitor = visit().open()
    visitor.page.evaluate(
        """async () => {
          const { pageData } = await import("/static/messages.js");
          const [photo] = pageData.profiles;
          const honest = photo.max_size;
          let asked = 0;
          Object.defineProperty(photo, "max_size", { get: () => (asked++ === 0 ? Infinity : honest) });
        }"""
    )
    row = visitor.choose(large).expect_state("large.jpg", "failed")
    expect(row).to_contain_text("Too large: 21 MB, and the limit is 20 MB.")
    expect(row.get_by_role("button", name="Retry")).to_have_count(0)
    assert visitor.posts == []


def test_lost_callback_is_confirmed_by_itself(visit: Callable[..., Any], photo: Photo) -> None:
    """A 203 is no success yet: the page has it confirmed, and tells what OSS said."""
    visitor = visit().open()
    visitor.demo.lose_callbacks(1)
    row = visitor.choose(photo()).expect_state("sunset.jpg", "done")
    row.locator("summary").click()
    expect(row.locator(".facts")).to_contain_text("asking storage")
    expect(row.locator(".facts")).to_contain_text("CallbackFailed")
    assert visitor.fetch_stored(row) == photo()["buffer"]
    assert len(visitor.posts) == 1


def test_unconfirmed_upload_is_shown_and_confirmed_by_hand(visit: Callable[..., Any], photo: Photo) -> None:
    """While the server cannot be asked, the file counts as stored but not confirmed; the button settles it."""
    visitor = visit()
    visitor.page.clock.install()
    visitor.open()
    visitor.demo.lose_callbacks(1)
    visitor.page.route("**/confirm", lambda route: route.abort())
    visitor.choose(photo())
    visitor.expect_state("sunset.jpg", "confirming")
    row = skip_waiting(visitor.page, visitor.item("sunset.jpg"), "unconfirmed")
    expect(row).to_contain_text("Stored, not yet confirmed")
    expect(row).to_contain_text("You need not send it again.")
    visitor.photograph("upload-desktop-light-unconfirmed")

    visitor.page.unroute("**/confirm")
    row.get_by_role("button", name="Confirm now").click()
    row = skip_waiting(visitor.page, visitor.item("sunset.jpg"), "done")
    assert visitor.fetch_stored(row) == photo()["buffer"]
    assert len(visitor.posts) == 1


def skip_waiting(page: Page, row: Any, state: str) -> Any:
    """Move the page's clock until a row is in a state."""
    for _ in range(60):
        if row.get_attribute("data-state") == state:
            break
        page.clock.fast_forward(1_000)
        page.wait_for_timeout(50)
    expect(row).to_have_attribute("data-state", state)
    return row


def test_network_cut_in_the_middle(visit: Callable[..., Any], cable: Any, photo: Photo) -> None:
    """A cut while sending is told in words; a retry sends the file whole."""
    # The cable is another origin than the page's policy names.
    visitor = visit(bypass_csp=True).open()

    def lead_over_cable(route: Route) -> None:
        answer = route.fetch()
        grant = answer.json()
        route.fulfill(response=answer, json=grant | {"url": cable.url + urlsplit(grant["url"]).path})

    visitor.page.route("**/v1/uploads", lead_over_cable)
    cable.slow = True
    large = photo(mark=bytes(12 * 1024**2))
    visitor.choose(large)
    row = visitor.expect_state("sunset.jpg", "sending")
    expect(row.locator("progress")).to_have_attribute("value", re.compile(r"^[1-9]\d"), timeout=15_000)
    visitor.photograph("upload-desktop-light-sending")
    cable.cut()
    visitor.expect_state("sunset.jpg", "failed")
    expect(row).to_contain_text("The connection broke while sending. Check your connection, then retry.")
    visitor.photograph("upload-desktop-light-cut")

    cable.slow = False
    row.get_by_role("button", name="Retry").click()
    visitor.expect_state("sunset.jpg", "done")
    assert visitor.fetch_stored(row) == large["buffer"]


def test_cancelled_upload_can_be_taken_up_again(visit: Callable[..., Any], photo: Photo) -> None:
    """Cancel stops the sending at once; a retry brings the file there."""
    visitor = visit().open()
    visitor.throttle(bytes_per_second=300_000)
    visitor.choose(photo())
    row = visitor.expect_state("sunset.jpg", "sending")
    row.get_by_role("button", name="Cancel").click()
    visitor.expect_state("sunset.jpg", "cancelled")
    visitor.throttle()
    row.get_by_role("button", name="Retry").click()
    visitor.expect_state("sunset.jpg", "done")


def test_lost_answer_is_asked_for_before_anything_is_sent_again(
    visit: Callable[..., Any], photo: Photo
) -> None:
    """A file whose answer was lost is found in the bucket, and is not sent twice."""
    visitor = visit()
    visitor.page.add_init_script(LOSE_ANSWERS)
    visitor.open()
    visitor.page.evaluate("window.answersToLose = 1")
    row = visitor.choose(photo()).expect_state("sunset.jpg", "done")
    assert visitor.fetch_stored(row) == photo()["buffer"]
    assert len(visitor.posts) == 1


def test_retry_after_a_lost_answer_asks_first(visit: Callable[..., Any], photo: Photo) -> None:
    """Where the server was away as well, the retry asks it first, and still nothing is sent twice."""
    visitor = visit()
    visitor.page.add_init_script(LOSE_ANSWERS)
    visitor.open()
    visitor.page.evaluate("window.answersToLose = 1")
    visitor.page.route("**/confirm", lambda route: route.abort())
    row = visitor.choose(photo()).expect_state("sunset.jpg", "failed")
    expect(row).to_contain_text("The file was sent, but no answer came back.")
    visitor.page.unroute("**/confirm")
    row.get_by_role("button", name="Retry").click()
    visitor.expect_state("sunset.jpg", "done")
    assert len(visitor.posts) == 1


def test_server_that_is_away(visit: Callable[..., Any], photo: Photo) -> None:
    """A server that does not answer is told as such."""
    visitor = visit().open()
    visitor.page.route("**/v1/uploads", lambda route: route.abort())
    row = visitor.choose(photo()).expect_state("sunset.jpg", "failed")
    expect(row).to_contain_text("The upload server does not answer.")
    visitor.page.unroute("**/v1/uploads")
    row.get_by_role("button", name="Retry").click()
    visitor.expect_state("sunset.jpg", "done")


def test_all_failed_files_are_retried_at_once(visit: Callable[..., Any], photo: Photo) -> None:
    """One button takes up everything that failed."""
    visitor = visit().open()
    visitor.page.route("**/v1/uploads", lambda route: route.abort())
    visitor.choose(photo("first.jpg"), photo("second.jpg"))
    visitor.expect_state("first.jpg", "failed")
    visitor.expect_state("second.jpg", "failed")
    visitor.page.unroute("**/v1/uploads")
    visitor.page.get_by_role("button", name="Retry failed").click()
    visitor.expect_state("first.jpg", "done")
    visitor.expect_state("second.jpg", "done")


def test_used_up_quota_says_when_to_come_back(visit: Callable[..., Any], photo: Photo) -> None:
    """A 429 with Retry-After tells how long to wait."""
    visitor = visit().open()
    visitor.page.route(
        "**/v1/uploads",
        lambda route: route.fulfill(
            status=429,
            headers={"Retry-After": "90"},
            json={"error": {"code": "quota_exceeded", "message": "full", "hint": "wait", "request_id": "r"}},
        ),
    )
    row = visitor.choose(photo()).expect_state("sunset.jpg", "failed")
    expect(row).to_contain_text("Your share of uploads is used up for now.")
    expect(row).to_contain_text("You can try again in 2 min.")


@pytest.mark.parametrize(
    ("status", "code", "message", "ec", "said", "again"),
    [
        (
            403,
            "AccessDenied",
            "Invalid according to Policy: Policy expired.",
            "0006-00000213",
            "Sending took longer than the permission lasts.",
            True,
        ),
        (403, "SignatureDoesNotMatch", "No match.", "", "does not accept the server's signature", False),
        (400, "EntityTooLarge", "Too large.", "0006-00000003", "larger than permitted", False),
        (503, "ServiceUnavailable", "Busy.", "", "Storage cannot answer just now.", True),
        (400, "SomethingNew", "Never <seen>.", "", "Storage refused the file.", False),
    ],
)
def test_refusals_of_the_bucket_are_told_in_words(
    visit: Callable[..., Any],
    photo: Photo,
    status: int,
    code: str,
    message: str,
    ec: str,
    said: str,
    again: bool,
) -> None:
    """OSS's error XML becomes a sentence with a way out; its own words are in the details."""
    escaped = message.replace("<", "&lt;").replace(">", "&gt;")
    visitor = visit().open()
    visitor.page.route(
        f"{visitor.demo.emulator_url}/**",
        lambda route: route.fulfill(
            status=status,
            content_type="application/xml",
            headers={"Access-Control-Allow-Origin": "*"},
            body=f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{escaped}</Message><EC>{ec}</EC></Error>",
        ),
    )
    row = visitor.choose(photo()).expect_state("sunset.jpg", "failed")
    expect(row).to_contain_text(said)
    expect(row.get_by_role("button", name="Retry")).to_have_count(1 if again else 0)
    row.locator("summary").click()
    expect(row.locator(".facts")).to_contain_text(message)
