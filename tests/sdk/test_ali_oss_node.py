"""ali-oss in Node, unmodified: its scenarios by both signatures, with long-term keys and with temporary ones."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NODE = Path(__file__).parent / "node"
NAMES = [
    name
    for file in ("scenarios.js", "node_scenarios.js")
    for name in re.findall(r'^ +async "(.+)"\(t\)', (NODE / file).read_text("utf-8"), re.MULTILINE)
]


@pytest.fixture(scope="session")
def results(
    node_clients: Path, signing: Any, make_setting: Callable[[str], dict[str, Any]]
) -> dict[str, str | None]:
    """Run all scenarios in one process, and tell what was wrong with each."""
    run = f"node-{signing.version}{'-sts' if signing.keys.token else ''}"
    setting = {**make_setting(run), "package": str(node_clients / "ali-oss")}
    done = subprocess.run(
        ["node", "run.js"],
        cwd=NODE,
        input=json.dumps(setting),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return {line["name"]: line["problem"] for line in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", NAMES)
def test_scenario(results: dict[str, str | None], name: str) -> None:
    """What the scenario says holds."""
    problem = results[name]

    assert problem is None, problem
