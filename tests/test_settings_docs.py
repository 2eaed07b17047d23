"""docs/settings.md and what `ossgate init` writes name every setting, as the code has it.

After a change of a setting, `OSSGATE_WRITE_DOCS=1 make test ARGS=tests/test_settings_docs.py` writes the tables anew.
"""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from ossgate.example_settings import EXAMPLE
from ossgate.settings import Override, Settings

DOCS = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->\n"


def find_tables(model=Settings, path=()):
    """Return each table of the settings as its path and its model, a user's own names as NAME."""
    tables = [(path, model)]
    for name, field in model.model_fields.items():
        named = (*path, name, "NAME") if get_origin(field.annotation) is dict else (*path, name)
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                tables += find_tables(kind, named)
    return tables


TABLES = find_tables()
# Lists of tables, which the file writes with two brackets.
LISTS = {
    (*path, name)
    for path, model in TABLES
    for name, field in model.model_fields.items()
    if get_origin(field.annotation) is tuple
    and isinstance(kind := get_args(field.annotation)[0], type)
    and issubclass(kind, BaseModel)
}
PATHS = {path for path, _ in TABLES}
FIELDS = [
    (path, field.alias or name, field)
    for path, model in TABLES
    for name, field in model.model_fields.items()
    if not {(*path, name), (*path, name, "NAME")} & PATHS
]


def render_default(field):
    if field.is_required():
        return "required"
    value = field.default if field.default is not PydanticUndefined else {}
    if isinstance(value, tuple):
        value = list(value)
    if value in ("", None, {}, []):
        return ""
    return f"`{json.dumps(value)}`"


def render_tables():
    """Return the tables of docs/settings.md."""
    lines = []
    for path, model in TABLES:
        fields = [(name, field) for where, name, field in FIELDS if where == path]
        if not fields:
            continue
        written = ".".join(path)
        title = f"`[[{written}]]`" if path in LISTS else f"`[{written}]`" if path else "At the top"
        lines += [f"### {title}", ""]
        if path and model.__doc__:
            lines += [model.__doc__.strip(), ""]
        lines += ["| setting | default | meaning |", "|---|---|---|"]
        for name, field in fields:
            meaning = field.description.replace("|", "\\|")
            lines.append(f"| `{name}` | {render_default(field)} | {meaning} |")
        lines.append("")
    return "\n".join(lines)


def test_settings_docs_are_those_of_the_code():
    """Every setting stands in docs/settings.md with its default and its help, and nothing else does."""
    text = DOCS.read_text(encoding="utf-8")
    head, tail = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    if os.environ.get("OSSGATE_WRITE_DOCS"):
        DOCS.write_text(head + render_tables() + tail, encoding="utf-8")

    assert head + render_tables() + tail == DOCS.read_text(encoding="utf-8"), __doc__


def test_settings_docs_name_every_override():
    """Each check that can be switched off is explained."""
    text = DOCS.read_text(encoding="utf-8")

    for override in get_args(Override):
        assert f"| `{override}` |" in text


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, name, _ in FIELDS])
def test_every_setting_has_help_and_an_example(path, name):
    """Each field has a line of help, and what `ossgate init` writes shows it in its table."""
    (field,) = (field for where, other, field in FIELDS if (where, other) == (path, name))

    assert field.description
    assert name in list_shown()[normalise(path)]


def normalise(path):
    """Return a table's path with the user's own names as NAME."""
    known = {part for table in PATHS for part in table} | {name for _, name, _ in FIELDS}
    return tuple(part if part in known else "NAME" for part in path)


def list_shown():
    """Return the names that the example shows, by table, commented out or not."""
    shown = {(): set()}
    table = ()
    for line in EXAMPLE.splitlines():
        bare = re.sub(r"^# ?", "", line)
        header = re.match(r"\[\[?([a-z_.]+)\]", bare)
        key = re.match(r"([a-z_]+) = ", bare)
        if header:
            table = normalise(tuple(header[1].split(".")))
            shown.setdefault(table[:-1], set()).add(table[-1])
            shown.setdefault(table, set())
        elif key:
            shown[table].add(key[1])
    return shown


def test_example_is_right_when_all_of_it_is_switched_on():
    """Each line that the example comments out is a setting that would be accepted."""
    lines = [re.sub(r'^# (?=[a-z_]+ = |\[|")', "", line) for line in EXAMPLE.splitlines()]

    settings = Settings.model_validate(tomllib.loads("\n".join(lines)))

    assert settings.profiles["photo"].variables["album"].type == "string"
    assert settings.access.api_keys["backend"].operator is False
    assert settings.callback.public_keys
