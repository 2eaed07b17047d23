"""The errors of the core, and the imports of its modules."""

import ast
import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import signer
from signer import errors
from signer.errors import SignerError, quote

PACKAGE = Path(signer.__file__).parent
EDGES = {
    "views", "services", "open_uploads", "open_upload_views", "key_confirmations", "credential_services", "credential_views",
    "dialect_prefixes", "dialect_services", "dialect_views",
}  # fmt: skip
CORE = sorted({path.stem for path in PACKAGE.glob("*.py")} - EDGES - {"__init__"})
LIBRARIES = {"cryptography", "itsdangerous", "orjson", "signer"}


def list_error_classes() -> list[type[SignerError]]:
    for name in CORE:
        importlib.import_module(f"signer.{name}")
    found, waiting = [], [SignerError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return [kind for kind in found if kind.__module__.removeprefix("signer.") in CORE]


@pytest.mark.parametrize("module", ["__init__", *CORE])
def test_core_imports_nothing_of_the_web(module: str) -> None:
    """Every core module lives on the standard library, three libraries and the signer itself, but its edges."""
    names = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module or "")
    edges = {f"signer.{edge}" for edge in EDGES}

    assert not names & edges
    assert {name.partition(".")[0] for name in names} - LIBRARIES <= sys.stdlib_module_names


def test_codes_are_told_apart() -> None:
    """Each error has its own code, of small letters and underscores: clients branch on it."""
    kinds = list_error_classes()
    codes = [kind.code for kind in kinds]

    assert len(set(codes)) == len(codes) > 15
    assert all(code.replace("_", "").isalpha() and code.islower() for code in codes)


def test_tree_in_the_docstring_names_every_error() -> None:
    """Who reads the module finds all errors of the core, wherever they are defined."""
    assert errors.__doc__
    missing = [kind.__name__ for kind in list_error_classes() if kind.__name__ not in errors.__doc__]

    assert missing == []


def test_error_carries_message_and_hint() -> None:
    """The message is the text of the exception; the hint is optional."""
    error = SignerError("what is wrong", hint="what to do")

    assert (str(error), error.message, error.hint) == ("what is wrong", "what is wrong", "what to do")
    assert SignerError("what is wrong").hint == ""


@pytest.mark.parametrize(
    ("given_value", "shown"),
    [
        ("a", "'a'"),
        ("a'b", '"a\'b"'),
        ("a\r\n\u202eb", "'a\\r\\n\\u202eb'"),
        ("\ud800", "'\\ud800'"),
        ("照片", "'照片'"),
        (b"\xff", "b'\\xff'"),
        (5, "5"),
        (True, "True"),
        (None, "None"),
        (1.5, "1.5"),
        (["secret"], "'list'"),
        (10**5000, "a huge number"),
        (-(10**5000), "a huge number"),
    ],
    ids=lambda value: ascii(value)[:12] if not isinstance(value, int) else "number",
)
def test_foreign_input_is_quoted_in_one_short_line(given_value: object, shown: str) -> None:
    """Line ends and hidden characters are escaped, structures are named by their type."""
    assert quote(given_value) == shown


@given(value=st.text(st.characters()) | st.binary() | st.integers() | st.floats() | st.lists(st.text()))
def test_anything_is_quoted_within_its_limit(value: object) -> None:
    """At most sixty printable characters, whatever it is."""
    assert len(quote(value)) <= 60
    assert quote(value).isprintable()


def test_long_text_is_cut() -> None:
    """A cut text says so."""
    assert quote("a" * 10**7) == "'" + "a" * 58 + "…"
    assert quote("a" * 58) == "'" + "a" * 58 + "'"
