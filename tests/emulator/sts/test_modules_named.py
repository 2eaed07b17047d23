"""FIDELITY.md names the modules of STS that hold its rules."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "ossgate" / "emulator"


def test_every_module_named_exists() -> None:
    """What the table calls `sts/…` is a module of the package."""
    names = set(re.findall(r"`(sts/\w+)`", (PACKAGE / "FIDELITY.md").read_text("utf-8")))

    assert len(names) > 10
    assert set() == {name for name in names if not (PACKAGE / f"{name}.py").exists()}
