"""The README and the pages of docs/ say what is true: their commands run, their tables are those of the code."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import urllib3
from PIL import Image

import callback.errors
import callback.views
import signer.errors
import signer.views
from ossgate.bucket import BucketUnavailable
from ossgate.bucket.sts import StsUnavailable
from ossgate.ledger.errors import LedgerBusy, LedgerUnavailable, QuotaExceeded, SchemaOutdated
from ossgate.serving import find_free_port
from ossgate.settings import Settings
from signer.credentials import CredentialsUnavailable

ROOT = Path(__file__).resolve().parent.parent
README, CHINESE, API = ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "docs" / "api.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "ossgate/emulator/FIDELITY.md"])
PATIENCE = 30.0

# What differs from run to run, in what is printed and in what is written alike.
VOLATILE = (
    (r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "<upload id>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
    (r"\d{8}T\d{6}Z", "<time>"),
    (r"\d{4}-\d\d-\d\d", "<date>"),
    (r"/\d{8}/cn-", "/<date>/cn-"),
    (r'"request_id":"[0-9a-f]{16}"', '"request_id":"<request id>"'),
)


def normalise(text):
    for pattern, word in VOLATILE:
        text = re.sub(pattern, word, text)
    return text


def matches(expected, printed):
    """Tell whether output is what was written, where … and what leads up to it stand for anything within a line."""
    pattern = r"[^\n]*".join(map(re.escape, re.split(r"[\w-]*…", normalise(expected).rstrip())))
    return re.fullmatch(pattern, normalise(printed).rstrip()) is not None


def read_blocks(path, language):
    """Return the fenced blocks of one language."""
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^[ ]*```{language}\n(.*?)^[ ]*```$", text, re.MULTILINE | re.DOTALL)


def read_commands(path):
    """Return each command of the console blocks with the output that is written below it."""
    commands = []
    for block in read_blocks(path, "console"):
        for line in block.splitlines(keepends=True):
            if line.startswith("$ "):
                commands.append([line[2:].rstrip("\n"), ""])
            else:
                commands[-1][1] += line
    return commands


class RunningDemo:
    """A demo on free ports, and what it prints."""

    def __init__(self, folder):
        self.folder = folder
        self.port, self.emulator_port = find_free_port("127.0.0.1"), find_free_port("127.0.0.1")
        self.log = folder / "demo.log"
        command = [sys.executable, "-m", "ossgate", "demo", f"--port={self.port}"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, f"--emulator-port={self.emulator_port}", f"--data-dir={folder / 'data'}"],
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdout=log,
                stderr=log,
            )
        self.wait_for("Ctrl-C")

    @property
    def printed(self):
        return self.translate(self.log.read_text(encoding="utf-8"))

    def wait_for(self, word):
        end = time.monotonic() + PATIENCE
        while word not in self.printed:
            assert time.monotonic() < end, self.printed
            assert self.process.poll() is None, self.printed
            time.sleep(0.05)

    def translate(self, text):
        """Put the usual ports and folder in place of this demo's."""
        text = text.replace(str(self.folder / "data"), "/home/you/ossgate/ossgate-data")
        return text.replace(f":{self.port}", ":8000").replace(f":{self.emulator_port}", ":9000")

    def run(self, commands, folder):
        """Run commands as one shell session, and return what each printed."""
        script = ""
        for number, command in enumerate(commands):
            mine = command.replace(":8000", f":{self.port}").replace(":9000", f":{self.emulator_port}")
            script += f"echo '@@@ {number}'\n{mine}\n"
        ran = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
        assert ran.stderr == ""
        return [self.translate(text.partition("\n")[2]) for text in ran.stdout.split("@@@ ")[1:]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    running = RunningDemo(tmp_path_factory.mktemp("readme"))
    yield running
    running.process.send_signal(signal.SIGINT)
    running.process.wait(PATIENCE)


@pytest.mark.parametrize("page", [README, CHINESE], ids=lambda page: page.name)
def test_commands_print_what_is_written(page, demo, tmp_path):
    """Each command of the page, run beside a demo, prints what the page says."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    commands = read_commands(page)

    printed = demo.run([command for command, _ in commands], tmp_path)

    assert len(commands) >= 5
    for (command, expected), output in zip(commands, printed, strict=True):
        assert matches(expected, output), f"{command}\nprinted\n{output}\nand not\n{expected}"


@pytest.mark.parametrize("page", [README, CHINESE], ids=lambda page: page.name)
def test_demo_prints_what_is_written(page, tmp_path):
    """What the page shows of a demo's terminal is what a demo prints when a photograph is uploaded."""
    (block,) = re.findall(r"<!-- demo -->\n```text\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    demo = RunningDemo(tmp_path)
    try:
        upload_photograph(demo)
        demo.wait_for("recorded")
    finally:
        demo.process.send_signal(signal.SIGINT)
        demo.process.wait(PATIENCE)
    for pattern in (r"\d\d:\d\d:\d\d", r"[0-9.]+ (bytes|KB|MB)", r"  [0-9A-Z]{8}  "):
        block = re.sub(pattern, "…", block)

    assert matches(block + "stopped.\n", demo.printed), demo.printed


def upload_photograph(demo):
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(picture, "JPEG")
    with urllib3.PoolManager(retries=False) as http:
        grant = http.request(
            "POST", f"http://127.0.0.1:{demo.port}/v1/uploads", json={"profile": "photo", "filename": "a.jpg"}
        ).json()
        fields = [*grant["fields"].items(), ("file", ("a.jpg", picture.getvalue(), "image/jpeg"))]
        assert http.request("POST", grant["url"], fields=fields).status == 200


@pytest.mark.parametrize("page", [README, CHINESE], ids=lambda page: page.name)
def test_the_two_commands_do_what_they_say(page):
    """The page's two commands are targets that set up an environment by hashes, and then run the demo and the tests."""
    blocks = "\n".join(read_blocks(page, "sh"))
    assert re.search(r"^make demo$", blocks, re.MULTILINE)
    assert re.search(r"^make test$", blocks, re.MULTILINE)

    for target, lock, runs in (
        ("demo", "requirements.lock", "-m ossgate demo --port"),
        ("test", "requirements-dev.lock", "-m pytest"),
    ):
        # -W: as if the lock had just changed, so that the installation is among what would be run.
        told = subprocess.run(
            ["make", "-n", "-W", lock, target], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        assert f"--require-hashes -r {lock}" in told
        assert told.index("--require-hashes") < told.index(runs)


@pytest.mark.parametrize(
    ("python", "said"),
    [
        (None, "There is no ./python here. Install Python 3.11 or newer"),
        (
            '[ "$1" = -V ] && echo Python 3.9.2 || exit 1',
            "needs Python 3.11 or newer, and ./python is Python 3.9.2",
        ),
        ('case "$2" in *ensurepip*) exit 1;; esac', "apt-get install python3-venv"),
    ],
    ids=["none", "old", "no venv"],
)
def test_make_says_what_is_missing(python, said, tmp_path):
    """Without a Python that will do, `make demo` says in a sentence what to install, and leaves nothing behind."""
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    if python is not None:
        (tmp_path / "python").write_text(f"#!/bin/sh\n{python}\n")
        (tmp_path / "python").chmod(0o755)

    ran = subprocess.run(
        ["make", "demo", "PYTHON=./python"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 2
    assert said in ran.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    """Every relative link names a file that is there, and a heading that is in it."""
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in headings}


def test_readme_names_every_setting():
    """The README's short table of settings has the same names as the code."""
    text = README.read_text(encoding="utf-8")
    for table, model in (
        ("[server]", Settings.model_fields["server"].annotation),
        ("[oss]", Settings.model_fields["oss"].annotation),
        ("[callback]", Settings.model_fields["callback"].annotation),
        ("[keys]", Settings.model_fields["keys"].annotation),
        ("[database]", Settings.model_fields["database"].annotation),
    ):
        (row,) = re.findall(rf"^\| `{re.escape(table)}` \| (.*) \|$", text, re.MULTILINE)
        assert re.findall(r"`(\w+)`", row) == list(model.model_fields)
    (row,) = re.findall(r"^\| `\[profiles\.NAME\]` \| (.*) \|$", text, re.MULTILINE)
    (profile,) = (kind for kind in Settings.model_fields["profiles"].annotation.__args__ if kind is not str)
    assert set(re.findall(r"`(\w+)`", row)) == set(profile.model_fields) - {"quota", "variables"}


def list_subclasses(kind):
    return {kind, *(below for child in kind.__subclasses__() for below in list_subclasses(child))}


def find_statuses():
    """Return the status of every code that the HTTP interface answers with."""
    statuses = {}
    for base, table in (
        (signer.errors.GrantRefused, signer.views.STATUSES),
        (signer.errors.PartsRefused, signer.views.STATUSES),
        (signer.errors.UploadNotOpen, signer.views.STATUSES),
        (signer.views.RequestMalformed, signer.views.STATUSES),
        (signer.views.FieldInvalid, signer.views.STATUSES),
        (signer.views.ProfileUnknown, signer.views.STATUSES),
        (callback.errors.CallbackRefused, callback.views.STATUSES),
    ):
        for kind in list_subclasses(base) - {
            signer.errors.GrantRefused,
            signer.errors.PartsRefused,
            signer.errors.UploadNotOpen,
            callback.errors.CallbackRefused,
        }:
            statuses[kind.code] = next(status for row, status in table if issubclass(kind, row))
    for kind in (
        LedgerBusy,
        LedgerUnavailable,
        SchemaOutdated,
        BucketUnavailable,
        StsUnavailable,
        CredentialsUnavailable,
    ):
        statuses[kind.code] = 503
    statuses[QuotaExceeded.code] = 429
    return statuses


def test_api_page_names_every_error():
    """Each code that an answer may carry stands in docs/api.md with its status."""
    written = {}
    for codes, status in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (\d{3}) \|", API.read_text(), re.MULTILINE):
        for code in re.findall(r"`(\w+)`", codes):
            written[code] = int(status)

    statuses = find_statuses()

    assert statuses == {code: status for code, status in written.items() if code in statuses}
    assert {
        "credentials_missing": 401,
        "credentials_invalid": 401,
        "profile_forbidden": 403,
    }.items() <= written.items()
