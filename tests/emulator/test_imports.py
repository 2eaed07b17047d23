"""The emulator is a separate reading of OSS's rules: it shares no code with the rest of the product."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ossgate" / "emulator"
LIBRARIES = {"PIL", "anycrc", "cheroot", "click", "cryptography", "imagesize", "python_multipart"}


def list_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_module_imports_nothing_else_of_ours(path: Path) -> None:
    """A module imports the standard library, its libraries, and the emulator itself."""
    allowed = LIBRARIES | ({"pytest"} if path.stem == "pytest_plugin" else set())
    foreign = [
        name
        for name in list_imports(path)
        if not (name == "ossgate.emulator" or name.startswith("ossgate.emulator."))
        and name.partition(".")[0] not in allowed
        and name.partition(".")[0] not in sys.stdlib_module_names
    ]

    assert foreign == []
