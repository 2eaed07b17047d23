"""The emulator's page: live, honest about refusals, and able to make things go wrong."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ossgate.emulator import Emulator, EmulatorOptions

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>.txt"


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """A local OSS whose bucket takes anything from anybody."""
    options = EmulatorOptions(
        data_dir=tmp_path, access_key_id="id", access_key_secret="secret", bucket_acl="public-read-write"
    )
    with Emulator(options) as running:
        yield running


@pytest.fixture
def page(browser: Browser, emulator: Emulator) -> Iterator[Page]:
    """The page as it is opened; what the browser complains of fails the test."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.goto(f"{emulator.url}/_emulator/")
    expect(opened.locator("#connection")).to_have_text("live")
    yield opened
    context.close()
    # That a fault was refused is for the page to tell, and no complaint.
    assert [] == [text for text in complaints if "status of 400" not in text]


def send(emulator: Emulator, method: str, key: str, **headers: str) -> int:
    """Send an unsigned request; tell its status."""
    request = urllib.request.Request(
        f"{emulator.bucket_url}/{urllib.parse.quote(key)}", data=b"hello" if method == "PUT" else None, method=method,
        headers={"Content-Type": "text/plain", **headers},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_requests_appear_by_themselves(emulator: Emulator, page: Page) -> None:
    """A request and its object appear without a reload, with names that could be markup shown as text."""
    expect(page.locator("#no-events")).to_be_visible()
    assert 200 == send(emulator, "PUT", HOSTILE)

    expect(page.locator(".event", has_text="put object").locator(".where")).to_have_text(
        f"demo-bucket/{HOSTILE}"
    )
    expect(page.locator(".objects .key")).to_have_text(HOSTILE)
    expect(page.locator(".objects .about")).to_contain_text("5 B · text/plain")
    assert 0 == page.locator("main img").count()


def test_refusal_is_explained(emulator: Emulator, page: Page) -> None:
    """A wrong signature opens to a reason in words, and to what should have been signed."""
    send(emulator, "GET", "a.txt", Authorization="OSS id:wrong", Date="Tue, 01 Jan 2030 00:00:00 GMT")
    send(emulator, "GET", "b.txt", Authorization="OSS id:wrong", **{"x-oss-date": write_date()})
    event = page.locator(".event", has_text="SignatureDoesNotMatch")
    event.locator("summary").click()

    expect(event.locator(".reason")).to_contain_text("over another text or with another secret")
    expect(event.locator("pre")).to_contain_text("/demo-bucket/b.txt")
    page.locator("#kind").select_option("callbacks")
    expect(page.locator(".event:visible")).to_have_count(0)
    page.locator("#kind").select_option("all")
    page.locator("#search").fill("a.txt")
    expect(page.locator(".event:visible")).to_have_count(1)


def write_date() -> str:
    """Write the present moment as headers have it."""
    return formatdate(usegmt=True)


def test_faults_are_added_and_removed(emulator: Emulator, page: Page) -> None:
    """A fault of the form is played, counted, and gone when it is removed; a wrong one is told."""
    page.locator("#action").select_option("request.status")
    page.locator("[name=code]").fill("SlowDown")
    page.locator("#fault-form summary").click()
    page.locator("[name=times]").fill("many")
    page.locator("#fault-form [type=submit]").click()
    expect(page.locator("#fault-problem")).to_contain_text('"times" must be a whole number')
    page.locator("[name=times]").fill("2")
    page.locator("#fault-form [type=submit]").click()
    expect(page.locator(".faults .about")).to_have_text("code SlowDown · played 0 of 2")
    assert 503 == send(emulator, "PUT", "a.txt")
    expect(page.locator(".faults .about")).to_have_text("code SlowDown · played 1 of 2")
    page.locator(".faults button").click()

    expect(page.locator("#no-faults")).to_be_visible()
    assert 200 == send(emulator, "PUT", "a.txt")


def test_cleared(emulator: Emulator, page: Page) -> None:
    """All can be cleared, after a question."""
    send(emulator, "PUT", "a.txt")
    expect(page.locator(".objects li")).to_have_count(1)
    page.locator("#clear-all").click()
    page.locator("#confirm-no").click()
    assert 200 == send(emulator, "HEAD", "a.txt")
    page.locator("#clear-all").click()
    page.locator("#confirm-yes").click()

    expect(page.locator("#no-objects")).to_be_visible()
    expect(page.locator("#no-events")).to_be_visible()
    assert 404 == send(emulator, "HEAD", "a.txt")


def test_fits_a_phone(emulator: Emulator, page: Page) -> None:
    """Nothing is wider than the screen, however long a key is."""
    send(emulator, "PUT", "k" * 150)
    expect(page.locator(".objects li")).to_have_count(1)

    assert page.evaluate("document.documentElement.scrollWidth") <= 360
