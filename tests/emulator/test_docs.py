"""docs/emulator.md says what is true: its snippets run, its tables are those of the code."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ossgate.emulator.cli import command
from ossgate.emulator.fault_rules import ACTIONS, parse_rule
from ossgate.emulator.scenario import read_scenario

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "emulator.md").read_text("utf-8")


def read_blocks(language: str) -> list[str]:
    """Tell the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def read_section(title: str) -> str:
    """Tell a section's text."""
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


SNIPPETS = [block for block in read_blocks("python") if "import pytest" not in block]
PLUGIN = [block for block in read_blocks("python") if "import pytest" in block]


def run_python(folder: Path, *arguments: str, **environment: str) -> str:
    """Run Python in a folder of its own; tell what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: re.findall(r"import (\S+)", block)[-1])
def test_python_runs(start_emulator: Callable[..., Any], tmp_path: Path, block: str) -> None:
    """Each Python snippet runs as it is written, but for the port."""
    client = start_emulator(
        bucket="demo-bucket", access_key_id="demo-access-key-id", access_key_secret="demo-access-key-secret"
    )
    (tmp_path / "snippet.py").write_text(block.replace("9000", str(client.emulator.port)), "utf-8")

    run_python(tmp_path, "snippet.py")


def test_both_sdks_and_the_emulator_are_among_them() -> None:
    """The snippets are found."""
    assert [True] * 3 == [
        any(name in block for block in SNIPPETS) for name in ("oss2.Bucket", "oss.Client", "Emulator(")
    ]
    assert 2 == len(PLUGIN)


def test_pytest_example_passes(tmp_path: Path) -> None:
    """The example of the fixtures passes as it is written, with the options of the other."""
    tests, conftest = PLUGIN
    (tmp_path / "test_mine.py").write_text(tests, "utf-8")
    (tmp_path / "conftest.py").write_text(conftest, "utf-8")
    # Named by hand, since ossgate need not be installed here; where it is, it would be loaded twice.
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "ossgate.emulator.pytest_plugin"]
    output = run_python(tmp_path, *arguments, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")

    assert "2 passed" in output


def test_every_action_is_named() -> None:
    """The table of faults names each action with its parameters."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (`\w+`.*) \|$", read_section("Faults"), re.MULTILINE))
    told = {
        (on, name): re.findall(r"(\w+)(?::[^,)]*)?", parameters.replace("also negative", ""))
        for on, cell in rows.items()
        for name, parameters in re.findall(r"`(\w+)`(?: \(([^)]*)\))?", cell)
    }

    assert set(ACTIONS) == set(told)
    for key, names in told.items():
        assert set(ACTIONS[key].parameters) == set(names), key


def test_every_option_is_named() -> None:
    """The table of options names each option of the command."""
    told = set(re.findall(r"`(--[\w-]+)`", read_section("Options"))) - {"--help"}
    known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}

    # Of a pair, the one that is not the default is told.
    assert known - {"--allow-private-callbacks"} == told


def test_faults_of_the_examples_can_be_played() -> None:
    """Every fault that is sent by curl is understood."""
    bodies = re.findall(r"curl -d '([^']+)'", TEXT)

    assert len(bodies) >= 2
    for body in bodies:
        parse_rule(json.loads(body))


def test_scenario_can_be_played(tmp_path: Path) -> None:
    """The scenario is one."""
    (scenario,) = read_blocks("toml")
    (tmp_path / "bad-day.toml").write_text(scenario, "utf-8")

    assert 3 == len(read_scenario(tmp_path / "bad-day.toml"))


def test_routes_exist(client: Any) -> None:
    """Every admin route that is named is answered."""
    for path in sorted(set(re.findall(r"/_emulator/([a-z0-9.-]*)", TEXT))):
        assert 404 != client.request("GET", f"/_emulator/{path}").status, path
