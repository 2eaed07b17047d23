"""ali-oss's browser build in Chromium, unmodified: its scenarios across origins, by both signatures, with and without STS."""

import http.server
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from ossgate.emulator import Emulator

with warnings.catch_warnings():
    # The SDK's own business.
    warnings.simplefilter("ignore")
    import oss2

NODE = Path(__file__).parent / "node"
NAMES = re.findall(r'^ +async "(.+)"\(t\)', (NODE / "scenarios.js").read_text("utf-8"), re.MULTILINE)
HTML = b"""<!doctype html><meta charset="utf-8"><title>ali-oss</title>
<script src="sdk.js"></script><script src="scenarios.js"></script><script src="page.js"></script>"""


@pytest.fixture(scope="module")
def page_url(node_clients: Path) -> Iterator[str]:
    """Serve a page with the SDK's browser build and the scenarios."""
    files = {
        "/": ("text/html", HTML),
        "/sdk.js": ("text/javascript", (node_clients / "ali-oss/dist/aliyun-oss-sdk.min.js").read_bytes()),
        "/scenarios.js": ("text/javascript", (NODE / "scenarios.js").read_bytes()),
        "/page.js": ("text/javascript", (NODE / "page.js").read_bytes()),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content_type, body = files.get(self.path, ("text/plain", b""))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", f"{content_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def page(page_url: str, browser: Browser) -> Iterator[Page]:
    """The page, open in a Chromium."""
    opened = browser.new_page()
    opened.goto(page_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def web_bucket(emulator: Emulator, long_term: Any, page_url: str) -> str:
    """A bucket whose rules let the page in, and let it see what the SDK reads."""
    auth = oss2.AuthV4(long_term.access_key_id, long_term.access_key_secret)
    session = oss2.Session()
    bucket = oss2.Bucket(auth, emulator.url, "web-bucket", region="cn-hangzhou", session=session)
    exposed = "ETag x-oss-request-id x-oss-object-type x-oss-next-append-position x-oss-hash-crc64ecma x-oss-err x-oss-ec"
    rule = oss2.models.CorsRule(
        allowed_origins=[page_url[:-1]],
        allowed_methods=["GET", "PUT", "POST", "DELETE", "HEAD"],
        allowed_headers=["*"],
        expose_headers=[*exposed.split(), "x-oss-meta-author", "x-oss-meta-a"],
        max_age_seconds=600,
    )
    bucket.put_bucket_cors(oss2.models.BucketCors([rule]))
    session.session.close()
    return "web-bucket"


@pytest.fixture(scope="module")
def setting(signing: Any, web_bucket: str, make_setting: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """What the scenarios are told, for one way of signing."""
    return make_setting(f"web-{signing.version}{'-sts' if signing.keys.token else ''}", web_bucket)


@pytest.mark.browser
@pytest.mark.parametrize("name", NAMES)
def test_scenario(page: Page, setting: dict[str, Any], name: str) -> None:
    """What the scenario says holds."""
    number = NAMES.index(name)
    told = {**setting, "run": f"{setting['run']}-{number}", "folder": f"{setting['run']}-{number}/"}
    problem = page.evaluate("([setting, name]) => runScenario(setting, name)", [told, name])

    assert problem is None, problem


def test_scenarios_are_found() -> None:
    """The names are read from the script: none may be missed."""
    assert len(NAMES) > 15
    assert len(NAMES) == (NODE / "scenarios.js").read_text("utf-8").count("(t) {\n")
