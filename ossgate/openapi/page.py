"""What the page shows of the document: operations by tag, and each schema as a table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup, escape

from ossgate.openapi.document import build_document

_METHODS = ("get", "post", "delete")
_STATUS_CLASSES = {"2": "good", "3": "good", "4": "warn", "5": "bad"}


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a table."""

    name: str
    kind: Markup
    required: bool
    description: Markup


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One answer of an operation."""

    status: str
    tone: str
    description: Markup
    kind: Markup
    example: str


@dataclass(frozen=True, slots=True)
class OperationView:
    """One operation as the page shows it."""

    anchor: str
    method: str
    path: str
    summary: str
    description: Markup
    who: Markup
    parameters: list[Row]
    body: Markup | None
    body_examples: list[tuple[str, str]]
    answers: list[AnswerView]


@dataclass(frozen=True, slots=True)
class SchemaView:
    """One schema as a table, or as a line."""

    name: str
    kind: Markup
    description: Markup
    rows: list[Row]


@cache
def build_page() -> dict[str, Any]:
    """Return what the template needs."""
    document = build_document()
    operations = [
        (operation["tags"][0], _view_operation(path, method, operation))
        for path, methods in document["paths"].items()
        for method, operation in sorted(methods.items(), key=lambda item: _METHODS.index(item[0]))
    ]
    return {
        "about": write_text(document["info"]["description"]),
        "version": document["info"]["version"],
        "groups": [
            (tag["name"], write_text(tag["description"]), [each for name, each in operations if name == tag["name"]])
            for tag in document["tags"]
        ],
        "ways": [
            (name, write_text(scheme["description"]))
            for name, scheme in document["components"]["securitySchemes"].items()
        ],
        "schemas": [_view_schema(name, schema) for name, schema in document["components"]["schemas"].items()],
    }  # fmt: skip


def write_text(text: str) -> Markup:
    """Return a sentence as HTML: what stands between backticks is code, all else is text."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def write_kind(schema: dict[str, Any]) -> Markup:
    """Return what a schema is, in a few words with links to the schemas it names."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    if "allOf" in schema:
        return write_kind(schema["allOf"][0])
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return Markup(" or ").join(write_kind(each) for each in schema[several])
    if "const" in schema:
        return Markup("<code>{}</code>").format(json.dumps(schema["const"]))
    if "enum" in schema:
        return Markup(", ").join(
            Markup("<code>{}</code>").format(json.dumps(each)) for each in schema["enum"]
        )
    kinds = schema.get("type", "anything")
    return Markup(" or ").join(
        _write_one_kind(each, schema) for each in (kinds if isinstance(kinds, list) else [kinds])
    )


def _write_one_kind(kind: str, schema: dict[str, Any]) -> Markup:
    if kind == "array":
        items = schema["items"]
        inner = write_kind(items) if "properties" not in items else Markup("objects")
        return Markup("list of {}").format(inner)
    bounds = [
        f"{word} {schema[name]:,}"
        for name, word in (("minimum", "from"), ("maximum", "to"), ("maxLength", "up to"))
        if name in schema
    ]
    words = {"string": "text", "integer": "number", "boolean": "true or false", "null": "null"}
    if kind == "null":
        bounds = []
    return escape(" ".join([words.get(kind, kind), *bounds]))


def _view_operation(path: str, method: str, operation: dict[str, Any]) -> OperationView:
    body = operation.get("requestBody")
    content = next(iter(body["content"].values())) if body else {}
    return OperationView(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=write_text(operation.get("description", "")),
        who=_write_who(operation["security"]),
        parameters=[_view_parameter(each) for each in operation.get("parameters", [])],
        body=write_kind(content["schema"]) if body else None,
        body_examples=[
            (name, _write_example(each["value"])) for name, each in content.get("examples", {}).items()
        ],
        answers=[_view_answer(status, each) for status, each in operation["responses"].items()],
    )


def _write_who(security: list[dict[str, Any]]) -> Markup:
    if not security:
        return Markup("anybody")
    ways = [next(iter(each)) for each in security if each]
    named = Markup(", ").join(Markup('<a href="#way-{0}">{0}</a>').format(way) for way in ways)
    return Markup("anybody, or ") + named if {} in security else named


def _view_parameter(parameter: dict[str, Any]) -> Row:
    place = {"path": "in the path", "header": "a header", "query": ""}[parameter["in"]]
    description = ": ".join(part for part in (place, parameter.get("description", "")) if part)
    return Row(
        parameter["name"],
        write_kind(parameter["schema"]),
        bool(parameter.get("required")),
        write_text(description),
    )


def _view_answer(status: str, answer: dict[str, Any]) -> AnswerView:
    content = next(iter(answer["content"].values()))
    failed = status[0] in "45"
    example = content["example"]
    return AnswerView(
        status=status,
        tone=_STATUS_CLASSES[status[0]],
        description=write_text(answer["description"]),
        kind=write_kind(content["schema"]),
        example="" if failed else example if isinstance(example, str) else _write_example(example),
    )


def _view_schema(name: str, schema: dict[str, Any]) -> SchemaView:
    required = set(schema.get("required", ()))
    return SchemaView(
        name=name,
        kind=write_kind(schema),
        description=write_text(schema.get("description", "")),
        rows=_list_rows(schema, required, prefix=""),
    )


def _list_rows(schema: dict[str, Any], required: set[str], *, prefix: str) -> list[Row]:
    rows = []
    for name, field in schema.get("properties", {}).items():
        rows.append(
            Row(prefix + name, write_kind(field), name in required, write_text(field.get("description", "")))
        )
        inner, mark = (field.get("items", {}), "[].") if field.get("type") == "array" else (field, ".")
        # Shapes without a name of their own are told where they stand.
        rows += _list_rows(inner, set(inner.get("required", ())), prefix=f"{prefix}{name}{mark}")
    return rows


def _write_example(example: object) -> str:
    return json.dumps(example, indent=2, ensure_ascii=False)
