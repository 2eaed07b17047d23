"""What holds for all tests: where CI is set, nothing may be skipped. And applications of a demo's settings, for whom it concerns."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
NO_SKIPS = bool(os.environ.get("CI"))

OPERATOR, BACKEND = "ossgate_operator", "ossgate_backend"
SECRETS = {
    "ticket.key": "t" * 43,
    "seal.key": "s" * 43,
    "access-key-id": "test-key-id",
    "access-key-secret": "test-key-secret",
}
# What npm has of other people's clients, installed once for all folders of tests that drive them.
NODE_CLIENTS = Path(__file__).parent / "clients" / "node"
NODE_INSTALLED = Path(__file__).parents[1] / "build" / "node-clients"
INSTALL_SECONDS = 300.0
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def forbid_skip(report: Report) -> Report:
    """Turn a skip into a failure that keeps its reason; an expected failure stays one."""
    if NO_SKIPS and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"CI skips nothing. {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return forbid_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return forbid_skip((yield))


@pytest.fixture(autouse=True)
def log_is_written() -> Iterator[None]:
    """Lines of a test's requests are written before it ends, not into another's output."""
    yield
    logs = sys.modules.get("ossgate.logs")
    if logs is not None:
        logs.write_waiting_lines()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Find a Chromium; without one the tests that want it are skipped."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.skip(
            f"no Chromium found (looked for {', '.join(CHROMIUM_NAMES)}); on Debian: apt install chromium"
        )
    return found


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """Start one Chromium for all tests of all folders: Playwright runs once in a process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def node_clients() -> Path:
    """Install the clients as package-lock.json has them, once; later runs find them there."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm found; on Debian: apt install nodejs npm")
    NODE_INSTALLED.mkdir(parents=True, exist_ok=True)
    stamp = NODE_INSTALLED / "installed.json"
    lock = (NODE_CLIENTS / "package-lock.json").read_bytes()
    if not stamp.exists() or stamp.read_bytes() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NODE_CLIENTS / name, NODE_INSTALLED / name)
        ran = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=NODE_INSTALLED,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        stamp.write_bytes(lock)
    return NODE_INSTALLED / "node_modules"


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Make applications of the demo's settings, changed by a function from text to text; API keys are an operator's and a backend's."""
    from ossgate.access.keys import hash_api_key
    from ossgate.app import create_app
    from ossgate.example_settings import DemoPlace, render_demo
    from ossgate.settings import load_settings

    made: list[Flask] = []

    def make(change: Callable[[str], str] = lambda text: text) -> Flask:
        secrets = tmp_path / "secrets"
        secrets.mkdir(mode=0o700, exist_ok=True)
        for name, content in SECRETS.items():
            (secrets / name).touch(mode=0o600)
            (secrets / name).write_text(content)
        text = re.sub(r"\[callback\.public_keys\]\n.*\n", "", render_demo(DemoPlace(8000, 1)))
        text += (
            f'\n[access.api_keys.ops]\nhash = "{hash_api_key(OPERATOR)}"\noperator = true\n'
            f'[access.api_keys.shop]\nhash = "{hash_api_key(BACKEND)}"\n'
        )
        (tmp_path / "ossgate.toml").write_text(change(text), encoding="utf-8")
        app = create_app(load_settings(tmp_path / "ossgate.toml", environ={}))
        app.extensions["signer"].ledger.upgrade()
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["signer"].bucket.close()
        app.extensions["signer"].ledger.close()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """Make the usual application."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Make a client of it."""
    return app.test_client()
