"""docs/clients.md says what works: its programs are run, its scripts are JavaScript, its contracts and paths exist."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

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
