"""Who may import whom: the walls of the house, read from the sources."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("signer", "callback", "ossgate")
CORE_LIBRARIES = {"cryptography", "itsdangerous", "orjson"}
EDGE = {"ossgate.ledger", "ossgate.access", "ossgate.bucket", "ossgate.wire", "flask"}

SIGNER_EDGES = {
    "signer.views", "signer.services", "signer.open_uploads", "signer.open_upload_views", "signer.key_confirmations",
    "signer.dialect_prefixes", "signer.dialect_services", "signer.dialect_views", "signer.credential_services", "signer.credential_views",
}  # fmt: skip
# The arrived step and the order of the layers speak to ledger and bucket; no rule but theirs is in them.
CALLBACK_EDGES = {
    "callback.views",
    "callback.receive",
    "callback.arrived",
    "callback.inbox",
    "callback.replay",
}
SIGNER_FOR_CALLBACK = {
    "signer.ticket", "signer.seal", "signer.profiles", "signer.facts", "signer.errors",
    "signer.grants", "signer.upload_ids", "signer.prefix_grants", "signer.recorded_facts",
}  # fmt: skip
SIGNER_FOR_RECONCILE = {
    "signer.seal", "signer.facts", "signer.errors", "signer.places", "signer.prefix_grants", "signer.profiles",
    "signer.recorded_facts",
}  # fmt: skip


def list_modules() -> dict[str, Path]:
    found = {}
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = list_modules()


def read_imports(module: str) -> set[str]:
    """Every module that a source names in an import, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            assert node.module
            names |= {
                full if (full := f"{node.module}.{alias.name}") in MODULES else node.module
                for alias in node.names
            }
    return names


def is_within(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(one + ".") for one in allowed)


def is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def list_foreign(module: str, allowed: set[str]) -> list[str]:
    return sorted(
        name for name in read_imports(module) if not is_standard(name) and not is_within(name, allowed)
    )


def allowed_for(module: str) -> set[str] | None:
    """What a module may import beside the standard library; None where all is allowed."""
    if module.startswith("signer"):
        return {"signer", *CORE_LIBRARIES} | (EDGE if module in SIGNER_EDGES else set())
    if module.startswith("callback"):
        core = {"callback", *CORE_LIBRARIES, *SIGNER_FOR_CALLBACK}
        return core | (EDGE if module in CALLBACK_EDGES else set())
    if module.startswith("ossgate.bucket"):
        return {"ossgate.bucket", "signer", "urllib3"}
    if module.startswith("ossgate.ledger"):
        return {"ossgate.ledger", "sqlalchemy", "alembic", "psycopg"}
    if is_within(module, {"ossgate.reconcile"}):
        return {
            "ossgate.reconcile", "ossgate.ledger", "ossgate.bucket", *SIGNER_FOR_RECONCILE,
            # One step serves a callback and a find alike.
            "callback.arrived", "callback.confirmation", "callback.deadline", "callback.errors",
            "callback.prefix_claims", "ossgate.access.callers",
        }  # fmt: skip
    if is_within(module, {"ossgate.delivery"}):
        return {"ossgate.delivery", "ossgate.ledger", "kombu", "standardwebhooks", "urllib3"}
    if is_within(module, {"ossgate.access"}):
        return {
            "ossgate.access",
            "ossgate.answering",
            "flask",
            "itsdangerous",
            "joserfc",
            "limits",
            "redis",
            "urllib3",
        }
    if module == "ossgate.emulator.pytest_plugin":
        return {"ossgate.emulator", "pytest"}
    if module.startswith("ossgate.emulator"):
        return {
            "ossgate.emulator", "cheroot", "cryptography", "click", "python_multipart", "anycrc", "imagesize", "PIL",
        }  # fmt: skip
    return None


@pytest.mark.parametrize("module", [name for name in MODULES if allowed_for(name) is not None])
def test_module_imports_only_what_its_room_may(module):
    """A module imports nothing but what the table allows its room."""
    allowed = allowed_for(module)
    assert allowed is not None

    assert [] == list_foreign(module, allowed)


def test_core_modules_never_touch_the_web():
    """Only the named edges of signer and callback know Flask."""
    web = {
        name for name in MODULES if name.startswith(("signer", "callback")) and "flask" in read_imports(name)
    }

    assert web <= SIGNER_EDGES | {"callback.views"}


def test_settings_are_read_in_one_place():
    """Nobody but app, the assemblies and the commands imports the settings, and nobody else reads the environment."""
    readers = {name for name in MODULES if "ossgate.settings" in read_imports(name)}
    environment = {
        name for name, path in MODULES.items() if "os.environ" in path.read_text(encoding="utf-8")
    } - {"ossgate.settings"}

    assert readers <= {
        "ossgate.app", "ossgate.assembly", "ossgate.access_assembly", "ossgate.access_jwt", "ossgate.cli",
        "ossgate.key_commands", "ossgate.inbox_commands", "ossgate.delivery_assembly", "ossgate.delivery_commands", "ossgate.dialect_assembly",
        "ossgate.reconcile_commands", "ossgate.oss_assembly",
    }  # fmt: skip
    # The demo hands its own environment on to its two children.
    assert environment <= {"ossgate.demo"}


def test_app_never_imports_the_emulator():
    """The product must not lean on its own stand-in for OSS."""
    leaning = {
        name
        for name in MODULES
        if not name.startswith("ossgate.emulator")
        and any(is_within(one, {"ossgate.emulator"}) for one in read_imports(name))
    }

    assert leaning <= {"ossgate.cli"}


def test_every_module_is_seen():
    """The list of modules is not empty by mistake, so that the tests above can fail."""
    assert {"signer.grants", "callback.receive", "ossgate.app", "ossgate.ledger.writer"} <= set(MODULES)
