"""How the page looks and reads: sizes, colours, languages, keyboard, screen reader. Pictures are kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

Photo = Callable[..., dict[str, Any]]

PHONE = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}
# The contrast of each text with the ground that it stands on, by WCAG 2's formula; the least is given.
LEAST_CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const read = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = read(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) {
        return colour;
      }
    }
    return [255, 255, 255, 255];
  };
  let least = [21, ""];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) {
      continue;
    }
    const pair = [light(read(getComputedStyle(element).color).slice(0, 3)), light(ground(element).slice(0, 3))];
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (contrast < least[0]) {
      least = [contrast, walker.currentNode.textContent.trim()];
    }
  }
  return least;
}
"""


def fill(visitor: Any, photo: Photo) -> Any:
    """Bring the page into a state with something of everything."""
    name = "a very long name of a photograph that somebody took on a long walk by the sea, third version.jpg"
    visitor.demo.lose_callbacks(1)
    visitor.choose(photo("日落 🌇 上海.jpg"))
    visitor.expect_state("日落", "done")
    visitor.choose(photo(name), {"name": "report.pdf", "mimeType": "application/pdf", "buffer": b"%PDF" * 99})
    visitor.expect_state("a very long name", "done")
    visitor.page.route("**/v1/uploads", lambda route: route.abort())
    visitor.choose(photo("harbour.jpg"))
    visitor.expect_state("harbour.jpg", "failed")
    visitor.page.unroute("**/v1/uploads")
    visitor.throttle(bytes_per_second=150_000)
    visitor.choose(photo("lighthouse.jpg"))
    bar = visitor.item("lighthouse.jpg").locator("progress")
    visitor.expect_state("lighthouse.jpg", "sending")
    expect(bar).to_have_attribute("value", re.compile(r"^[1-9]"), timeout=20_000)
    return visitor


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("kind", "width", "height"), [("desktop", 1280, 900), ("phone", 375, 812), ("small-phone", 320, 568)]
)
def test_page_fits_and_reads(
    visit: Callable[..., Any], photo: Photo, kind: str, width: int, height: int, scheme: str
) -> None:
    """At each width and in both schemes nothing sticks out, and each text stands out from its ground."""
    options: dict[str, Any] = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    visitor = visit(**options, **({} if kind == "desktop" else PHONE)).open()
    visitor.photograph(f"upload-{kind}-{scheme}-empty")
    assert visitor.width_of_content() <= width
    fill(visitor, photo)
    visitor.photograph(f"upload-{kind}-{scheme}")
    assert visitor.width_of_content() <= width
    contrast, text = visitor.page.evaluate(LEAST_CONTRAST)
    assert contrast >= 4.5, text


def test_chinese_reader(visit: Callable[..., Any], photo: Photo) -> None:
    """A browser that asks for Chinese gets it everywhere, in the row of a file as well."""
    visitor = visit(locale="zh-CN").open()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(visitor.page.locator("h1")).to_have_text("上传文件")
    row = visitor.choose(photo("日落 🌇.jpg")).expect_state("日落", "done")
    expect(row).to_contain_text("已上传并确认")
    refused = {"name": "合同.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}
    expect(visitor.drop(refused).expect_state("合同", "refused")).to_contain_text(
        "这里不接受此类文件。可接受："
    )
    visitor.photograph("upload-desktop-light-chinese")


def test_phone_offers_the_camera(visit: Callable[..., Any]) -> None:
    """On a phone a picture can be taken; a desk has no such button."""
    phone = visit(viewport={"width": 375, "height": 812}, **PHONE).open()
    expect(phone.page.get_by_role("button", name="Take a picture")).to_be_visible()
    assert phone.page.locator("#camera-chooser").get_attribute("capture") == "environment"
    desk = visit().open()
    expect(desk.page.get_by_role("button", name="Take a picture")).to_be_hidden()


def test_keyboard_alone(visit: Callable[..., Any], photo: Photo) -> None:
    """Everything is reached and done by keys, in the order of the page, and the focus is seen."""
    visitor = visit().open()
    page = visitor.page
    # Playwright begins to catch choosers with the first listener and does not wait for it: a key would be quicker.
    page.on("filechooser", lambda _: None)
    reach(page, "input[name=profile][value=photo]")
    page.keyboard.press("ArrowDown")
    expect(page.locator("input[value=file]")).to_be_checked()
    page.keyboard.press("Tab")
    expect(page.locator("#choose")).to_be_focused()
    outline = page.locator("#choose").evaluate("(button) => getComputedStyle(button).outlineStyle")
    assert outline == "solid"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([photo()])  # type: ignore[list-item]
    row = visitor.expect_state("sunset.jpg", "done")
    reach(page, "summary")
    page.keyboard.press("Enter")
    expect(row.locator("pre")).to_be_visible()
    reach(page, "[data-action=remove]")
    page.keyboard.press("Enter")
    expect(page.locator(".item")).to_have_count(0)
    expect(page.locator("#queue-title")).to_be_focused()


def reach(page: Page, selector: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(25):
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} is not reached by Tab")


def test_screen_reader_hears_what_matters(visit: Callable[..., Any], photo: Photo) -> None:
    """Outcomes are announced, progress is not; bars and buttons name their file."""
    visitor = visit().open()
    visitor.page.evaluate(
        """() => {
          window.heard = [];
          const announcer = document.getElementById("announcer");
          new MutationObserver(() => window.heard.push(announcer.textContent)).observe(announcer, { childList: true });
        }"""
    )
    row = visitor.choose(photo()).expect_state("sunset.jpg", "done")
    expect(visitor.page.locator("#announcer")).to_contain_text("sunset.jpg uploaded")
    assert len(visitor.page.evaluate("window.heard")) <= 2
    expect(visitor.page.get_by_role("button", name="Remove: sunset.jpg")).to_be_visible()
    expect(visitor.page.get_by_role("link", name="Open stored file: sunset.jpg")).to_be_visible()
    assert row.locator("progress").get_attribute("aria-label") == "Progress of sunset.jpg"


def test_dragging_over_the_page_is_answered(visit: Callable[..., Any]) -> None:
    """While files are over the page, it shows that they may be let go."""
    visitor = visit().open()
    transfer = visitor.page.evaluate_handle(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(["x"], "x.png"));
          return transfer;
        }"""
    )
    visitor.page.dispatch_event("#drop", "dragenter", {"dataTransfer": transfer})
    expect(visitor.page.get_by_text("Let go to add them")).to_be_visible()
    visitor.photograph("upload-desktop-light-dragging")
    visitor.page.dispatch_event("#drop", "dragleave", {"dataTransfer": transfer})
    expect(visitor.page.get_by_text("Drop files here")).to_be_visible()
