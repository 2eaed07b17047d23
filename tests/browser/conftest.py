"""A real Chromium, the real demo, and files to upload."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Locator,
    Page,
    Request,
    expect,
)

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / "artefacts"
READY_SECONDS = 30
PATIENCE = 20_000
# What the browser itself writes to the console when a request is refused; the tests provoke these.
PROVOKED = ("Failed to load resource", "net::ERR")
WATCH_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Demo:
    """A running demo."""

    url: str
    emulator_url: str
    folder: Path

    @property
    def operator_key(self) -> str:
        """The key that the demo made for its console."""
        return (self.folder / "secrets" / "operator.key").read_text().strip()

    def read_object(self, object_key: str) -> bytes:
        """Read an object where the local OSS keeps it; the file's name may have a mark in its middle."""
        path = self.folder / "emulator" / "buckets" / "demo-bucket" / "objects" / object_key
        (found,) = path.parent.glob(f"{path.stem}*{path.suffix}")
        return found.read_bytes()

    def list_open_uploads(self) -> set[str]:
        """List the uploads in parts that the local OSS holds, neither complete nor aborted."""
        return {path.name for path in (self.folder / "emulator" / "multipart" / "demo-bucket").glob("*")}

    def lose_callbacks(self, times: int) -> None:
        """Have the local OSS lose the next callbacks."""
        self.call("POST", {"on": "callback", "action": "drop", "times": times})

    def call(self, method: str, body: dict[str, Any] | None = None) -> None:
        """Call the local OSS's fault API."""
        request = urllib.request.Request(
            f"{self.emulator_url}/_emulator/faults",
            data=json.dumps(body).encode() if body else None,
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10):
            pass


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, chromium_path: str) -> Iterator[Demo]:
    """Start `ossgate demo` as a user does, and stop it as a user does."""
    port, emulator_port = find_free_ports(2)
    folder = tmp_path_factory.mktemp("demo")
    log = folder / "demo.log"
    command = [
        sys.executable,
        "-m",
        "ossgate",
        "demo",
        "--port",
        str(port),
        "--emulator-port",
        str(emulator_port),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--data-dir", str(folder / "data")], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, log)
            yield Demo(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{emulator_port}", folder / "data")
        finally:
            process.terminate()
            process.wait(timeout=20)


def find_free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for a 200; a demo that ends instead shows its last words."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the demo is not ready:\n{log.read_text('utf-8', 'replace')[-2000:]}")


class Cable:
    """A way to the bucket that can be slow, and that can be cut while something is on it."""

    def __init__(self, target: str) -> None:
        host, port = target.removeprefix("http://").split(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        # A loopback socket takes megabytes at once by itself, and the browser would be done before any cut.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        self.slow = False

    @property
    def url(self) -> str:
        """Where the cable begins."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """Reset every connection."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._sockets.clear()

    def close(self) -> None:
        """Take the cable away."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for each in self._threads:
            each.join(timeout=5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    self._threads.append(
                        threading.Thread(target=self._carry, args=(source, sink), daemon=True)
                    )
                    self._threads[-1].start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(16 * 1024):
                if self.slow:
                    time.sleep(0.05)
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def cable(demo: Demo) -> Iterator[Cable]:
    """Lay a cable to the bucket."""
    laid = Cable(demo.emulator_url)
    yield laid
    laid.close()


@dataclass
class Visitor:
    """A person with a browser, at the upload page."""

    page: Page
    demo: Demo
    trouble: list[str] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    puts: list[Request] = field(default_factory=list)
    in_flight: int = 0
    most_at_once: int = 0
    network: CDPSession | None = None

    @property
    def context(self) -> BrowserContext:
        """The browser's profile."""
        return self.page.context

    def is_post_to_bucket(self, request: Request) -> bool:
        """Tell whether a request carries a file."""
        return request.method == "POST" and request.url.startswith(self.demo.emulator_url)

    def watch(self) -> Visitor:
        """Note what the page does wrong, and what it sends to the bucket."""
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.trouble.append(message.text)
                if message.type in ("error", "warning") and not message.text.startswith(PROVOKED)
                else None
            ),
        )
        self.page.on("request", self.note_start)
        self.page.on("requestfinished", self.note_end)
        self.page.on("requestfailed", self.note_end)
        return self

    def reopen(self) -> Visitor:
        """Close the tab, and open the page in a new one."""
        context = self.context
        self.page.close()
        self.page, self.network = context.new_page(), None
        return self.watch().open()

    def note_start(self, request: Request) -> None:
        """Count a file that begins to be sent."""
        if request.method == "PUT" and request.url.startswith(self.demo.emulator_url):
            self.puts.append(request)
        if self.is_post_to_bucket(request):
            self.posts.append(request.url)
            self.in_flight += 1
            self.most_at_once = max(self.most_at_once, self.in_flight)

    def note_end(self, request: Request) -> None:
        """Count a file whose sending has ended."""
        if self.is_post_to_bucket(request):
            self.in_flight -= 1

    def open(self, path: str = "/") -> Visitor:
        """Open a page of the demo."""
        self.page.goto(self.demo.url + path)
        return self

    def pick(self, profile: str) -> Visitor:
        """Choose a profile."""
        self.page.check(f"input[name=profile][value={profile}]")
        return self

    def choose(self, *files: dict[str, Any] | Path) -> Visitor:
        """Add files by the file chooser."""
        with self.page.expect_file_chooser() as chooser:
            self.page.click("#choose")
        chooser.value.set_files(list(files))  # type: ignore[arg-type]
        return self

    def drop(self, *files: dict[str, Any]) -> Visitor:
        """Drag files over the page and drop them."""
        carried = [
            {
                "name": each["name"],
                "type": each["mimeType"],
                "base64": base64.b64encode(each["buffer"]).decode(),
            }
            for each in files
        ]
        transfer = self.page.evaluate_handle(
            """(files) => {
              const transfer = new DataTransfer();
              for (const { name, type, base64 } of files) {
                const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
                transfer.items.add(new File([bytes], name, { type }));
              }
              return transfer;
            }""",
            carried,
        )
        for event in ("dragenter", "dragover", "drop"):
            self.page.dispatch_event("#drop", event, {"dataTransfer": transfer})
        return self

    def item(self, name: str) -> Locator:
        """The row of a file."""
        return self.page.locator(".item", has_text=name)

    def expect_state(self, name: str, state: str) -> Locator:
        """Wait until a file's row is in a state."""
        row = self.item(name)
        expect(row).to_have_attribute("data-state", state, timeout=PATIENCE)
        return row

    def throttle(self, *, bytes_per_second: int = -1) -> None:
        """Slow the sending down, or no longer."""
        if self.network is None:
            self.network = self.context.new_cdp_session(self.page)
            self.network.send("Network.enable")
        self.network.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": 0,
                "downloadThroughput": -1,
                "uploadThroughput": bytes_per_second,
            },
        )

    def fetch_stored(self, row: Locator) -> bytes:
        """Fetch the object that a row links to."""
        url = row.locator("a[data-link=open]").get_attribute("href")
        assert url
        answer = self.context.request.get(url)
        assert answer.ok, answer.status
        return answer.body()

    def photograph(self, name: str) -> None:
        """Keep a picture of the whole page."""
        ARTEFACTS.mkdir(exist_ok=True)
        # Off the buttons, which would be shown as hovered; and thumbnails take a moment to be drawn.
        self.page.mouse.move(1, 1)
        self.page.evaluate(
            "Promise.all([...document.images].map((image) => image.decode().catch(() => null)))"
        )
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)

    def width_of_content(self) -> int:
        """Tell how wide the page wants to be."""
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert isinstance(width, int)
        return width


@pytest.fixture
def visit(browser: Browser, demo: Demo) -> Iterator[Callable[..., Visitor]]:
    """Build visitors; a test fails when one of their pages broke its own security policy or threw."""
    visitors: list[Visitor] = []

    def build(**options: Any) -> Visitor:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        context.add_init_script(WATCH_VIOLATIONS)
        visitor = Visitor(context.new_page(), demo).watch()
        visitors.append(visitor)
        return visitor

    yield build
    demo.call("DELETE")
    for visitor in visitors:
        visitor.context.close()
    assert [visitor.trouble for visitor in visitors if visitor.trouble] == []


@pytest.fixture(scope="session")
def photo_bytes() -> bytes:
    """Draw what a camera delivers: gradients with grain, some megabytes of JPEG."""
    size = (3000, 2250)
    sky = Image.linear_gradient("L").resize(size)
    light = Image.radial_gradient("L").resize(size)
    grain = Image.effect_noise(size, 80)
    written = io.BytesIO()
    Image.merge("RGB", (sky, light, grain)).save(written, "JPEG", quality=90)
    drawn = written.getvalue()
    assert 1_500_000 < len(drawn) < 5_000_000
    return drawn


@pytest.fixture
def photo(photo_bytes: bytes) -> Callable[..., dict[str, Any]]:
    """Build photographs to upload, each different in its last bytes."""

    def build(name: str = "sunset.jpg", *, mark: bytes = b"") -> dict[str, Any]:
        return {"name": name, "mimeType": "image/jpeg", "buffer": photo_bytes + mark}

    return build
