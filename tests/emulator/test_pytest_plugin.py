"""The pytest plugin, as somebody uses it who has installed ossgate: another pytest, in an empty folder."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import ossgate.emulator

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str]]

TESTS = """
import oss2
import pytest


@pytest.fixture
def bucket(oss_bucket):
    auth = oss2.AuthV4(oss_bucket.access_key_id, oss_bucket.access_key_secret)
    found = oss2.Bucket(auth, oss_bucket.url, oss_bucket.bucket, region=oss_bucket.region)
    yield found
    found.session.session.close()


def test_put(bucket, oss_bucket):
    bucket.put_object("a/猫.txt", b"hello")
    assert bucket.get_object("a/猫.txt").read() == b"hello"
    assert oss_bucket.read_object("a/猫.txt") == b"hello"
    assert oss_bucket.list_keys() == ["a/猫.txt"]
    assert oss_bucket.events("put_object")[0]["status"] == 200


def test_fault(bucket, oss_bucket):
    assert oss_bucket.list_keys() == [] == oss_bucket.events()
    oss_bucket.fault("request.status=SlowDown", operation="PutObject", times=1)
    with pytest.raises(oss2.exceptions.ServerError, match="SlowDown"):
        bucket.put_object("a.txt", b"hello")
    bucket.put_object("a.txt", b"hello")


def test_fault_is_gone(bucket, oss_bucket):
    oss_bucket.fault({"on": "request", "action": "status"}, times=100)
    oss_bucket.clear()
    bucket.put_object("a.txt", b"hello")
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run pytest on some tests as if ossgate were installed; tell exit code and output."""
    # What an installed distribution says of itself, from the entry points of the project.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    information = tmp_path / "site" / "ossgate-0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: ossgate\nVersion: 0\n")
    points = "".join(f"{name} = {value}\n" for name, value in project["entry-points"]["pytest11"].items())
    (information / "entry_points.txt").write_text(f"[pytest11]\n{points}")
    folder = tmp_path / "project"
    folder.mkdir()

    def start(tests: str, *arguments: str, conftest: str = "") -> tuple[int, str]:
        (folder / "test_mine.py").write_text(tests, "utf-8")
        (folder / "conftest.py").write_text(conftest, "utf-8")
        paths = os.pathsep.join([str(information.parent), str(ROOT)])
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=100,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return start


def test_with_a_real_sdk(run: Run) -> None:
    """The official SDK finds a running emulator, which each test gets cleared."""
    code, output = run(TESTS)

    assert 0 == code, output
    assert "3 passed" in output


def test_options(run: Run) -> None:
    """A conftest says what the emulator is started with."""
    conftest = (
        "import pytest\n\n\n@pytest.fixture(scope='session')\ndef oss_emulator_options():\n"
        "    return {'bucket': 'my-bucket', 'region': 'cn-beijing', 'access_key_id': 'me'}\n"
    )
    tests = (
        "def test_it(oss_emulator):\n"
        "    facts = (oss_emulator.bucket, oss_emulator.region, oss_emulator.access_key_id)\n"
        "    assert facts == ('my-bucket', 'cn-beijing', 'me')\n"
        "    assert oss_emulator.bucket_url == oss_emulator.url + '/my-bucket'\n"
    )
    code, output = run(tests, conftest=conftest)

    assert 0 == code, output


def test_nothing_is_loaded_before_it_is_used(run: Run) -> None:
    """A run that wants no emulator pays for none: no server, no cryptography, no command line."""
    tests = (
        "import sys\n\n\ndef test_it(pytestconfig):\n"
        "    assert pytestconfig.pluginmanager.get_plugin('ossgate')\n"
        "    loaded = {name for name in sys.modules if name.startswith('ossgate')}\n"
        "    assert loaded == {'ossgate', 'ossgate.emulator', 'ossgate.emulator.pytest_plugin'}\n"
        "    assert not {'cheroot', 'cryptography', 'click', 'flask'} & set(sys.modules)\n"
    )
    code, output = run(tests)

    assert 0 == code, output


def test_wrong_fault(run: Run) -> None:
    """A fault that is none fails the test with what there is."""
    code, output = run("def test_it(oss_bucket):\n    oss_bucket.fault('callback.explode')\n")

    assert 1 == code
    assert "FaultRefused: 'callback.explode' is no fault; there are callback.drop" in output


def test_package_names_are_found_on_first_use() -> None:
    """The package gives what it promises, and nothing else."""
    for name in ossgate.emulator.__all__:
        assert name == getattr(ossgate.emulator, name).__name__
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = ossgate.emulator.Nothing
