"""Other people's uploaders, unmodified from npm, in a page of another origin, against the real demo."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from ossgate.emulator.object_paths import map_key
from ossgate.example_settings import DemoPlace, render_demo
from ossgate.ledger import Ledger, Upload

ROOT = Path(__file__).resolve().parents[2]
PAGES = Path(__file__).parent / "pages"
# What the recipes call the server; here it is the demo.
DOCS_URL = "https://uploads.example.com"
READY_SECONDS = 30.0
PATIENCE = 30_000.0
# The recipes tell their outcome to the console; so the tests hear it with its parts.
LISTEN = """
globalThis.said = [];
const log = console.log;
console.log = (...words) => {
  globalThis.said.push(JSON.parse(JSON.stringify(words)));
  log(...words);
};
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents and "shop" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@dataclass
class Demo:
    """A running demo, and what is to be known of it afterwards."""

    url: str
    emulator_url: str
    folder: Path
    ledger: Ledger

    def play(self, fault: dict[str, Any]) -> None:
        """Have the local OSS play a fault."""
        self._call("POST", f"{self.emulator_url}/_emulator/faults", fault)

    def clear_faults(self) -> None:
        """Have the local OSS play no fault any more."""
        self._call("DELETE", f"{self.emulator_url}/_emulator/faults")

    def confirm(self, upload_id: str) -> dict[str, Any]:
        """Ask what became of an upload, as a client does that was told of a failed callback."""
        return json.loads(self._call("POST", f"{self.url}/v1/uploads/{upload_id}/confirm"))

    def read_stored(self, object_key: str) -> bytes:
        """Read an object off the disk."""
        objects = self.folder / "emulator" / "buckets" / "demo-bucket" / "objects"
        return (objects / map_key(object_key)).read_bytes()

    def find(self, object_key: str) -> Upload | None:
        """Return the upload of an object, once there is one."""
        return next(
            (found for found in self.ledger.list_uploads(limit=100) if found.object_key == object_key), None
        )

    def find_named(self, file_name: str) -> Upload | None:
        """Return the upload of a file, once there is one."""
        return next(
            (found for found in self.ledger.list_uploads(limit=100) if found.file_name == file_name), None
        )

    def find_newest(self) -> Upload:
        """Return the upload that was granted last."""
        return self.ledger.list_uploads(limit=1)[0]

    def check(self, upload: Upload | None, content: bytes, **facts: object) -> Upload:
        """Check that an upload is on the disk with these bytes, and in the ledger with these facts."""
        assert upload is not None
        assert facts == {name: getattr(upload, name) for name in facts}
        assert content == self.read_stored(upload.object_key)
        assert upload.size in (None, len(content))
        return upload

    def reconcile(self) -> None:
        """Have ledger and bucket agree, as an operator's timer does."""
        ran = subprocess.run(
            [sys.executable, "-m", "ossgate", "reconcile", "--grace", "0s"],
            env=os.environ | {"OSSGATE_CONFIG": str(self.folder / "ossgate.toml")},
            capture_output=True,
            text=True,
            timeout=READY_SECONDS,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def _call(self, method: str, url: str, body: dict[str, Any] | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            url, data=data, headers={"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()


@dataclass
class Shop:
    """Somebody's pages, on an origin of their own."""

    origin: str
    page: Page
    demo: Demo
    trouble: list[str] = field(default_factory=list)

    def open(self, name: str) -> Shop:
        """Open a page."""
        self.page.goto(f"{self.origin}/{name}")
        return self

    def choose(self, *files: Path) -> None:
        """Choose files, as a visitor does."""
        self.page.set_input_files("input[type=file]", list(files))

    def hear(self, count: int = 1, *, patience: float = PATIENCE) -> list[list[Any]]:
        """Wait until the page has told so many things, and return all that it has told."""
        self.page.wait_for_function("(count) => said.length >= count", arg=count, timeout=patience)
        return self.page.evaluate("said")


class PageHandler(SimpleHTTPRequestHandler):
    """Serves the pages, the libraries below /npm/, and nothing else."""

    node_modules: Path
    server_url: str

    def do_GET(self) -> None:
        """Answer with a page that knows the demo's URL, or with a library as it was published."""
        path = self.path.partition("?")[0]
        if path.startswith("/npm/"):
            self.directory = str(self.node_modules)
            self.path = path.removeprefix("/npm")
            super().do_GET()
            return
        page = PAGES / path.lstrip("/")
        if page.parent != PAGES or not page.is_file():
            self.send_error(404)
            return
        body = page.read_text(encoding="utf-8").replace(DOCS_URL, self.server_url).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def origin(node_clients: Path, ports: tuple[int, int, int]) -> Iterator[str]:
    """Serve the pages."""
    port, demo_port, _ = ports
    handler = type(
        "Handler",
        (PageHandler,),
        {"node_modules": node_clients, "server_url": f"http://127.0.0.1:{demo_port}"},
    )
    server = ThreadingHTTPServer(("127.0.0.1", port), functools.partial(handler, directory=str(PAGES)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def ports() -> tuple[int, int, int]:
    """Find ports that nobody listens on: for the pages, the demo and its local OSS."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        first, second, third = (each.getsockname()[1] for each in sockets)
    return first, second, third


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, ports: tuple[int, int, int]) -> Iterator[Demo]:
    """Start `ossgate demo` with one line more in its settings: the origin of the pages."""
    pages_port, port, emulator_port = ports
    folder = tmp_path_factory.mktemp("demo")
    data, log = folder / "data", folder / "demo.log"
    data.mkdir(mode=0o700)
    settings, added = re.subn(
        r"^\[server\]$",
        f'[server]\norigins = ["http://127.0.0.1:{pages_port}"]',
        render_demo(DemoPlace(port, emulator_port)),
        flags=re.MULTILINE,
    )
    assert added == 1
    (data / "ossgate.toml").write_text(settings, encoding="utf-8")
    command = [sys.executable, "-m", "ossgate", "demo", "--port", str(port)]
    command += ["--emulator-port", str(emulator_port), "--data-dir", str(data)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        ledger = Ledger(f"sqlite:///{data / 'ossgate.sqlite3'}")
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, log)
            yield Demo(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{emulator_port}", data, ledger)
        finally:
            ledger.close()
            process.terminate()
            process.wait(timeout=20)


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


@pytest.fixture
def shop(browser: Browser, demo: Demo, origin: str) -> Iterator[Shop]:
    """A visitor in front of somebody's pages; a test fails when a page threw."""
    context = browser.new_context()
    context.add_init_script(LISTEN)
    shop = Shop(origin, context.new_page(), demo)
    shop.page.on("pageerror", lambda error: shop.trouble.append(str(error)))
    yield shop
    demo.clear_faults()
    context.close()
    assert shop.trouble == []


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[..., Path]:
    """Write files to upload: pictures with a tail of bytes that nobody else has."""
    written = io.BytesIO()
    Image.new("RGB", (3, 2)).save(written, "PNG")
    picture = written.getvalue()

    def write(name: str = "photo.png", size: int = 200_000) -> Path:
        path = tmp_path / name
        path.write_bytes(picture + os.urandom(size - len(picture)))
        return path

    return write
