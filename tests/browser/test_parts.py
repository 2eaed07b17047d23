"""Large files: sent in parts, paused, cut, cancelled, and gone on with after the tab was closed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Route, expect

MEBIBYTE = 1024**2
PART = 2 * MEBIBYTE
PHONE = {
    "viewport": {"width": 375, "height": 812},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
SLOW = 4 * MEBIBYTE


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 60 MiB that nothing compresses, and that differ from part to part: thirty of them."""
    path = tmp_path_factory.mktemp("films") / "holiday film.mov"
    path.write_bytes(Random(1).randbytes(60 * MEBIBYTE))
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 36 MiB: eighteen parts."""
    path = tmp_path_factory.mktemp("clips") / "clip.mov"
    path.write_bytes(Random(2).randbytes(36 * MEBIBYTE))
    return path


def part_numbers(visitor: Any, since: int = 0) -> list[int]:
    """List the parts that were sent, in order, repeats included."""
    return [int(parse_qs(urlsplit(put.url).query)["partNumber"][0]) for put in visitor.puts[since:]]


def expect_progress(row: Locator, percent: int) -> None:
    """Wait until a row has come so far."""
    row.page.wait_for_function(
        "([bar, least]) => bar.value >= least",
        arg=[row.locator("progress").element_handle(), percent],
        timeout=20_000,
    )


def read_reply(row: Locator) -> dict[str, Any]:
    """Read what the server answered."""
    reply: dict[str, Any] = row.page.evaluate(
        "(pre) => JSON.parse(pre.textContent)", row.locator("pre").element_handle()
    )
    return reply


def test_large_file_with_a_part_that_fails(visit: Callable[..., Any], film: Path) -> None:
    """Parts that break off or are refused for a while are sent again; the object equals the file and was made of parts."""
    visitor = visit().open().pick("file")
    part = {"on": "request", "operation": "UploadPart"}
    visitor.demo.call("POST", {**part, "action": "reset", "after": MEBIBYTE, "nth": 3})
    visitor.demo.call("POST", {**part, "action": "status", "code": "SlowDown", "nth": 5})
    row = visitor.choose(film).expect_state("holiday film.mov", "done")
    reply = read_reply(row)
    assert reply["size"] == 60 * MEBIBYTE
    assert reply["etag"].endswith("-30")
    assert visitor.demo.read_object(reply["object_key"]) == film.read_bytes()
    sent = part_numbers(visitor)
    assert sorted(set(sent)) == list(range(1, 31))
    # A connection that was used before is tried again by the browser itself, unseen.
    assert len(sent) in (31, 32)
    assert all("content-type" not in put.headers for put in visitor.puts)
    assert visitor.posts == []
    row.locator("summary").click()
    expect(row.locator(".facts")).to_contain_text("putting the parts together")


def test_small_file_goes_by_form(visit: Callable[..., Any]) -> None:
    """Below the size the form is used, and no question about profiles is asked."""
    visitor = visit().open().pick("file")
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.choose({"name": "a.bin", "mimeType": "", "buffer": bytes(MEBIBYTE)}).expect_state("a.bin", "done")
    assert (len(visitor.posts), visitor.puts) == (1, [])
    assert [url for url in asked if "/v1/profiles" in url] == []


def test_pause_and_resume_by_keyboard(visit: Callable[..., Any], clip: Path) -> None:
    """A pause stops all sending and keeps what has arrived; going on sends the rest alone; a screen reader hears both."""
    visitor = visit().open().pick("file")
    page = visitor.page
    visitor.throttle(bytes_per_second=2 * SLOW)
    visitor.choose(clip)
    row = visitor.expect_state("clip.mov", "sending")
    expect_progress(row, 75)
    expect(row.locator("[data-part=detail]")).to_contain_text("left")
    page.get_by_role("button", name="Pause: clip.mov").focus()
    page.keyboard.press("Enter")
    visitor.expect_state("clip.mov", "paused")
    expect(row.locator(".item-state")).to_contain_text(re.compile(r"^Paused · \d+% · [\d.]+ MB of 36.0 MB"))
    expect(page.locator("#announcer")).to_contain_text("clip.mov is paused at")
    expect(page.get_by_role("button", name="Resume: clip.mov")).to_be_focused()
    before = len(visitor.puts)
    kept = float(row.locator("progress").get_attribute("value") or 0)
    page.wait_for_timeout(500)
    assert len(visitor.puts) == before
    visitor.photograph("upload-desktop-light-parts-paused")

    visitor.throttle()
    page.keyboard.press("Enter")
    visitor.expect_state("clip.mov", "done")
    missing = 18 - round(kept / 100 * 36 * MEBIBYTE / PART)
    assert len(visitor.puts) - before == missing < 18
    assert visitor.demo.read_object(read_reply(row)["object_key"]) == clip.read_bytes()


def test_tab_closed_in_the_middle(visit: Callable[..., Any], film: Path) -> None:
    """In a new tab the unfinished upload is offered, and the same file goes on without its finished parts being sent again."""
    visitor = visit().open().pick("file")
    before_all = visitor.demo.list_open_uploads()
    visitor.throttle(bytes_per_second=3 * SLOW)
    visitor.choose(film)
    row = visitor.expect_state("holiday film.mov", "sending")
    expect_progress(row, 50)
    assert len(visitor.demo.list_open_uploads() - before_all) == 1
    visitor.page.get_by_role("button", name="Pause: holiday film.mov").click()
    visitor.expect_state("holiday film.mov", "paused")
    kept = round(float(row.locator("progress").get_attribute("value") or 0) / 100 * 60 * MEBIBYTE / PART)
    before = len(visitor.puts)

    visitor.reopen()
    page = visitor.page
    expect(page.locator("#left")).to_contain_text("Not finished last time")
    visitor.photograph("upload-desktop-light-parts-left")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose the file: holiday film.mov").click()
    visitor.throttle(bytes_per_second=SLOW)
    chooser.value.set_files(film)
    row = visitor.expect_state("holiday film.mov", "sending")
    expect(row.locator(".item-note")).to_contain_text(
        f"Continues where it stopped: {kept * 2} MB were there already."
    )
    expect(page.locator("#left")).to_be_hidden()
    expect(row.locator("[data-part=detail]")).to_contain_text("left")
    visitor.photograph("upload-desktop-light-parts-resumed")
    visitor.throttle()
    visitor.expect_state("holiday film.mov", "done")
    assert 2 <= kept == 30 - (len(visitor.puts) - before)
    assert visitor.demo.read_object(read_reply(row)["object_key"]) == film.read_bytes()
    assert page.evaluate("localStorage.getItem('ossgate.uploads')") == "[]"
    assert visitor.demo.list_open_uploads() == before_all


def test_other_file_of_the_same_name_is_not_mixed_in(
    visit: Callable[..., Any], clip: Path, tmp_path: Path
) -> None:
    """Name, size and date may agree: a file of other content begins anew, and the first one can be discarded."""
    visitor = visit().open().pick("file")
    before_all = visitor.demo.list_open_uploads()
    visitor.throttle(bytes_per_second=SLOW)
    visitor.choose(clip)
    expect_progress(visitor.expect_state("clip.mov", "sending"), 10)
    visitor.reopen().pick("file")
    page = visitor.page
    expect(page.locator("#left")).to_be_visible()

    twin = tmp_path / clip.name
    twin.write_bytes(b"twin" + clip.read_bytes()[4:])
    os.utime(twin, ns=(clip.stat().st_atime_ns, clip.stat().st_mtime_ns))
    row = visitor.choose(twin).expect_state("clip.mov", "done")
    assert len(set(part_numbers(visitor)[-18:])) == 18
    assert visitor.demo.read_object(read_reply(row)["object_key"]) == twin.read_bytes()
    assert len(visitor.demo.list_open_uploads() - before_all) == 1
    page.get_by_role("button", name="Discard: clip.mov").click()
    expect(page.locator("#left")).to_be_hidden()
    expect(page.locator("#queue-title")).to_be_focused()
    assert visitor.demo.list_open_uploads() == before_all


def test_cancel_gives_the_parts_up(visit: Callable[..., Any], clip: Path) -> None:
    """After a cancel nothing is left in the bucket or in the browser; a retry begins anew and arrives."""
    visitor = visit().open().pick("file")
    before_all = visitor.demo.list_open_uploads()
    visitor.throttle(bytes_per_second=2 * SLOW)
    visitor.choose(clip)
    row = visitor.expect_state("clip.mov", "sending")
    expect_progress(row, 20)
    assert len(visitor.demo.list_open_uploads() - before_all) == 1
    with visitor.page.expect_response(lambda answer: answer.request.method == "DELETE") as answered:
        row.get_by_role("button", name="Cancel").click()
    assert answered.value.json()["state"] == "aborted"
    visitor.expect_state("clip.mov", "cancelled")
    assert visitor.demo.list_open_uploads() == before_all
    assert visitor.page.evaluate("localStorage.getItem('ossgate.uploads')") == "[]"
    visitor.throttle()
    row.get_by_role("button", name="Retry").click()
    visitor.expect_state("clip.mov", "done")


def test_network_cut(visit: Callable[..., Any], clip: Path) -> None:
    """While the bucket cannot be reached the page tries by itself; when it gives up, a retry goes on."""
    visitor = visit()
    visitor.page.clock.install()
    visitor.open().pick("file")
    page = visitor.page
    row = visitor.item("clip.mov")

    def cut_after_two(route: Route) -> None:
        if len(visitor.puts) <= 2:
            route.continue_()
        else:
            route.abort("connectionreset")

    page.route(f"{visitor.demo.emulator_url}/**", cut_after_two)
    visitor.choose(clip)
    for _ in range(60):
        if row.get_attribute("data-state") == "failed":
            break
        page.clock.fast_forward(1_000)
        page.wait_for_timeout(50)
    visitor.expect_state("clip.mov", "failed")
    expect(row).to_contain_text("The connection broke while sending.")
    page.unroute(f"{visitor.demo.emulator_url}/**")
    before = len(visitor.puts)
    row.get_by_role("button", name="Retry").click()
    for _ in range(40):
        if row.get_attribute("data-state") == "done":
            break
        page.clock.fast_forward(1_000)
        page.wait_for_timeout(50)
    visitor.expect_state("clip.mov", "done")
    assert len(visitor.puts) - before == 16
    assert visitor.demo.read_object(read_reply(row)["object_key"]) == clip.read_bytes()


def test_lost_answer_of_the_completion(visit: Callable[..., Any], clip: Path) -> None:
    """Where the completion's answer is lost, the server is asked, and nothing is sent twice."""
    visitor = visit().open().pick("file")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    visitor.page.route("**/complete", lose)
    row = visitor.choose(clip).expect_state("clip.mov", "done")
    assert sorted(part_numbers(visitor)) == list(range(1, 19))
    row.locator("summary").click()
    expect(row.locator(".facts")).to_contain_text("asking storage")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(visit: Callable[..., Any], clip: Path, scheme: str) -> None:
    """On a phone the row has its signs, and nothing sticks out."""
    visitor = visit(color_scheme=scheme, **PHONE).open().pick("file")
    visitor.throttle(bytes_per_second=SLOW)
    visitor.choose(clip)
    row = visitor.expect_state("clip.mov", "sending")
    expect_progress(row, 8)
    visitor.photograph(f"upload-phone-{scheme}-parts-sending")
    assert visitor.width_of_content() <= 375
    row.get_by_role("button", name="Pause").tap()
    visitor.expect_state("clip.mov", "paused")
    visitor.photograph(f"upload-phone-{scheme}-parts-paused")
    assert visitor.width_of_content() <= 375


def test_chinese_reader_in_the_dark(visit: Callable[..., Any], clip: Path) -> None:
    """In Chinese and on a dark desk the same is there."""
    visitor = visit(locale="zh-CN", color_scheme="dark").open().pick("file")
    visitor.throttle(bytes_per_second=SLOW)
    visitor.choose(clip)
    row = visitor.expect_state("clip.mov", "sending")
    expect_progress(row, 8)
    visitor.photograph("upload-desktop-dark-parts-sending")
    row.get_by_role("button", name="暂停").click()
    expect(row.locator(".item-state")).to_contain_text("已暂停 ·")
    visitor.photograph("upload-desktop-dark-parts-paused")
