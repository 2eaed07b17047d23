"""The built wheel: what it holds, and that it runs where a stranger's modules have the names of ours."""

import os
import signal
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import pytest
import urllib3

from ossgate import __version__
from ossgate.serving import find_free_port

ROOT = Path(__file__).resolve().parent.parent
METADATA = f"ossgate-{__version__}.dist-info"
PATIENCE = 60.0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel as a release would: out of the source distribution."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel):
    """The names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_wheel_installs_nothing_else_at_top_level(names):
    """Beside its own metadata the wheel brings three packages and nothing that a user's own could clash with."""
    found = {name.partition("/")[0] for name in names}

    assert found == {"signer", "callback", "ossgate", METADATA}


@pytest.mark.parametrize("folder", ["templates", "static"])
def test_wheel_holds_every_page(names, folder):
    """Each template and static file stands inside the package."""
    wanted = {
        f"ossgate/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }

    assert wanted
    assert wanted <= set(names)


def test_wheel_holds_what_is_no_python_module(names):
    """Migrations, OSS's public key, gunicorn's settings and the licence are there, and no tests."""
    for name in (
        "ossgate/deploy/gunicorn.conf.py",
        "ossgate/ledger/migrations/env.py",
        "ossgate/ledger/migrations/script.py.mako",
        "callback/keys/callback_pub_key_v1.pem",
        f"{METADATA}/licenses/LICENSE",
    ):
        assert name in names
    assert any(name.startswith("ossgate/ledger/migrations/versions/v0001") for name in names)
    assert not any("tests" in name or name.endswith(".pyc") for name in names)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install the wheel, with what it needs, in an environment that was empty."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*install, "--require-hashes", "-r", ROOT / "requirements.lock"], check=True)
    subprocess.run([*install, "--no-deps", wheel], check=True)
    return folder / "bin" / "ossgate"


@pytest.fixture
def beside_a_stranger(tmp_path):
    """A folder with a project of somebody else, whose modules must never be imported."""
    for name in ("app.py", "settings.py", "pages.py", "logs.py"):
        (tmp_path / name).write_text('raise RuntimeError("a module of somebody else was imported")\n')
    return tmp_path


@pytest.mark.timeout(300)
def test_wheel_runs_the_demo_beside_a_stranger(installed, beside_a_stranger):
    """Installed alone, beside other people's modules, the demo becomes ready and takes an upload."""
    port, emulator_port = find_free_port("127.0.0.1"), find_free_port("127.0.0.1")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    log = beside_a_stranger / "demo.log"
    with log.open("w") as output:
        demo = subprocess.Popen(
            [installed, "demo", "--port", str(port), "--emulator-port", str(emulator_port)],
            cwd=beside_a_stranger,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        with urllib3.PoolManager(retries=False) as http:
            wait_until_ready(http, f"http://127.0.0.1:{port}/readyz", demo, log)
            page = http.request("GET", f"http://127.0.0.1:{port}/")
            assert page.status == 200
            assert b"/static/ossgate.js" in page.data or b"/static/upload-page.js" in page.data
            assert http.request("GET", f"http://127.0.0.1:{port}/static/ossgate.js").status == 200
            wanted = {"profile": "file", "filename": "hello.txt", "content_type": "text/plain"}
            grant = http.request("POST", f"http://127.0.0.1:{port}/v1/uploads", json=wanted).json()
            fields = [*grant["fields"].items(), ("file", ("hello.txt", b"hello", "text/plain"))]
            posted = http.request("POST", grant["url"], fields=fields)
            assert (posted.status, posted.json()["state"]) == (200, "uploaded"), posted.data
    finally:
        demo.send_signal(signal.SIGINT)
        code = demo.wait(PATIENCE)
    assert code == 0, log.read_text()


def wait_until_ready(http, url, demo, log):
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if http.request("GET", url).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            assert demo.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)
