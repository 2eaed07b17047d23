"""docs/clients.md says what works: its programs are run, its scripts are JavaScript, its contracts and paths exist."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ossgate.access.keys import hash_api_key, new_api_key
from signer.dialects.registry import DIALECTS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "clients.md"
TEXT = DOCS.read_text(encoding="utf-8")
RUNNABLE = re.findall(r"<!-- run: (\w+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL)
SCRIPTS = re.findall(r"^```js\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = {
    "bash": ["bash", "-euc"],
    "python": [sys.executable, "-c"],
    "node": ["node", "--input-type=module", "-e"],
}
PATIENCE = 60.0


@pytest.mark.parametrize(("language", "program"), RUNNABLE, ids=[language for language, _ in RUNNABLE])
def test_program_uploads_a_file(world, tmp_path, language, program):
    """Each program, as it is written, leaves one more upload in the ledger."""
    if shutil.which(COMMANDS[language][0]) is None:
        pytest.skip(f"{language} is not here")
    Image.new("RGB", (3, 2)).save(tmp_path / "photo.png")
    before = len(world.ledger.list_uploads(state="uploaded", limit=100))
    ran = subprocess.run(
        [*COMMANDS[language], program.replace("http://127.0.0.1:8000", world.url)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert (0, "") == (ran.returncode, ran.stderr)
    assert re.search(r"state\W+uploaded", ran.stdout)
    assert before + 1 == len(world.ledger.list_uploads(state="uploaded", limit=100))


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_script_is_javascript(tmp_path, script):
    """Node reads each script whole; the libraries that it uses are not here."""
    if shutil.which("node") is None:
        pytest.skip("node is not here")
    (tmp_path / "recipe.mjs").write_text(script, encoding="utf-8")
    read = subprocess.run(
        ["node", "--check", "recipe.mjs"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert (0, "") == (read.returncode, read.stderr)


@pytest.fixture
def run_on_a_phone(tmp_path):
    """Run the first script below a heading, with a stand-in for what a phone gives it; return what it told."""
    if shutil.which("node") is None:
        pytest.skip("node is not here")
    Image.new("RGB", (3, 2)).save(tmp_path / "photo.png")

    def run(world, kind, heading, token=""):
        script = re.search(rf"^## {heading}$.*?^```js\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)[1]
        ran = subprocess.run(
            ["node", Path(__file__).parent / "apps.mjs", kind, tmp_path / "photo.png"],
            input=script.replace("https://uploads.example.com", world.url),
            env=os.environ | {"TOKEN": token},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (0, "") == (ran.returncode, ran.stderr)
        return json.loads(ran.stdout)

    return run


def test_mini_program_posts_its_form(world, run_on_a_phone):
    """The sample's page with ``dir`` in front of its key: OSS answers 204, and the object lies below the grant's prefix."""
    before = len(world.events)

    assert ["done"] == run_on_a_phone(world, "wechat", "Mini programs")
    (posted,) = [event for event in world.events[before:] if event.get("status") == 204]
    assert re.fullmatch(r"files/\d{4}-\d\d-\d\d/[0-9A-Z]{26}\.[\w-]+/photo\.png", posted["object_key"])


def test_react_native_posts_its_form(make_world, run_on_a_phone):
    """Fields first, the file last; the reply is the profile's, and the upload is in the ledger."""
    key = new_api_key()
    table = f'\n[access.api_keys.app]\nhash = "{hash_api_key(key)}"\n'
    closed = lambda text: text.replace('allow = ["anonymous"]', 'allow = ["api_key"]') + table  # noqa: E731
    with make_world(change=closed) as world:
        status, reply = run_on_a_phone(world, "native", "React Native", key)

        assert (200, "uploaded") == (status, reply["state"])
        assert "uploaded" == world.ledger.fetch_upload(reply["upload_id"]).state


def test_contracts_of_the_recipes_exist():
    """Each table is a contract's own name, or names its contract."""
    tables = re.findall(r"\[dialects\.(\w+)\](?!\()", TEXT)
    renamed = re.findall(r"\[dialects\.(\w+)\][^\[]*\ncontract = \"(\w+)\"", TEXT)

    assert len(tables) > 20
    assert set(tables) - {name for name, _ in renamed} <= set(DIALECTS)
    assert {contract for _, contract in renamed} <= set(DIALECTS)


def test_every_contract_has_a_recipe():
    """No contract stands without one."""
    assert set(DIALECTS) - set(re.findall(r"\[dialects\.(\w+)\]", TEXT)) <= {
        "form_data",
        "mini_program_token",
    }


def test_paths_of_the_recipes_are_the_usual_ones():
    """What the recipes ask for is at its contract's usual path, or ours."""
    asked = set(re.findall(r"https://uploads\.example\.com(/[\w/.-]+)", TEXT))
    usual = {path for dialect in DIALECTS.values() for path in dialect.usual_paths}

    assert {path for path in asked if not path.startswith("/v1/")} <= usual | {"/ali-oss/sts/client"}
