"""The document tells of every route, every refusal and every code, and of none that is not there; its examples are right."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient

from ossgate.openapi import refusals
from ossgate.openapi.document import build_document
from ossgate.openapi.paths import OPERATIONS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = build_document()
DESCRIBED = ("/v1", "/callback", "/healthz", "/readyz", "/metrics", "/openapi.json")
REFUSALS = [
    (path, method, operation) for path, methods in OPERATIONS.items() for method, operation in methods.items()
]


def list_routes(app: Flask) -> set[tuple[str, str]]:
    """List path and method of every route that is to be described."""
    return {
        (re.sub(r"<(?:\w+:)?_?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(DESCRIBED)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def list_media(node: Any) -> Iterator[dict[str, Any]]:
    """List every Media Type Object."""
    if isinstance(node, dict):
        for media in node.get("content", {}).values() if isinstance(node.get("content"), dict) else ():
            if "schema" in media:
                yield media
        for child in node.values():
            yield from list_media(child)


def read_written_codes() -> dict[str, int]:
    """Read the table of docs/api.md."""
    rows = re.findall(
        r"^\| (`\w+`(?:, `\w+`)*) \| (\d{3}) \|", (ROOT / "docs/api.md").read_text(), re.MULTILINE
    )
    return {code: int(status) for codes, status in rows for code in re.findall(r"`(\w+)`", codes)}


def make_validator(schema: dict[str, Any]) -> Any:
    return jsonschema_rs.Draft202012Validator(
        schema | {"components": DOCUMENT["components"]}, validate_formats=True
    )


def test_every_route_is_described_and_no_other(app: Flask) -> None:
    """Routes and operations are the same."""
    described = {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}

    assert described == list_routes(app)


def test_every_code_that_is_written_is_some_operations(app: Flask) -> None:
    """Each code of docs/api.md stands in the document with the same status; what no operation answers is not among them."""
    described = {
        (code, status)
        for _, _, operation in REFUSALS
        for status, codes in refusals.group_codes(operation.refusals).items()
        for code in codes
    }
    # Not an operation's: the method is another. Taken by dialects alone: bearers of the query.
    elsewhere = {"method_not_allowed", "bearer_invalid", "bearer_expired", "bearer_revoked"}
    written = {(code, status) for code, status in read_written_codes().items() if code not in elsewhere}

    assert described == written


def test_credentials_are_refused_by_codes_that_are_described() -> None:
    """Each code that the gate refuses by stands in the list, which is written by hand."""
    sources = "".join(
        path.read_text()
        for path in [*(ROOT / "ossgate/access").glob("*.py"), *(ROOT / "ossgate").glob("*.py")]
    )
    raised = set(re.findall(r"(?:credentials_refused|request_forbidden)\(\s*\"(\w+)\"", sources))
    described = {
        code for group in (refusals.CREDENTIALS, refusals.PROFILE, refusals.BEARERS) for _, code in group
    }

    assert {code for code in raised if not code.startswith("bearer_")} <= described


def test_every_error_of_the_tables_is_some_operations() -> None:
    """Each class that a view's table gives a status, and all below it, may be the answer of an operation."""
    import callback.views
    import signer.views

    described = {refusal for _, _, operation in REFUSALS for refusal in operation.refusals}
    for table in (signer.views.STATUSES, callback.views.STATUSES):
        for kind, _ in table:
            assert set(refusals.list_refusals(table, kind)) <= described, kind


def test_examples_are_of_their_schemas() -> None:
    """Each example of a body is what its schema says."""
    checked = 0
    for media in list_media(DOCUMENT["paths"]):
        validator = make_validator(media["schema"])
        examples = [each["value"] for each in media.get("examples", {}).values()]
        for example in [*examples, *([media["example"]] if "example" in media else [])]:
            assert [str(error) for error in validator.iter_errors(example)] == []
            checked += 1
    assert checked > 120


def test_references_lead_somewhere_and_every_schema_is_used() -> None:
    """No reference is broken, and nothing is defined in vain."""
    text = str(DOCUMENT)
    named = set(re.findall(r"#/components/schemas/(\w+)", text))

    assert named == set(DOCUMENT["components"]["schemas"])
    operations = {operation.name for _, _, operation in REFUSALS}
    assert len(operations) == len(REFUSALS)
    assert set(re.findall(r"'operationId': '(\w+)', 'parameters'", text)) <= operations


def test_document_is_served_with_an_etag(client: FlaskClient) -> None:
    """Who has the document already gets no more than that it is the same."""
    first = client.get("/openapi.json")
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, first.json["openapi"]) == (200, "3.1.0")
    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["Cache-Control"] == "no-cache"


def test_page_shows_every_operation_and_schema(client: FlaskClient) -> None:
    """The page has each of them under its anchor, and loads nothing from elsewhere."""
    response = client.get("/docs")
    anchors = set(re.findall(r' id="([\w-]+)"', response.text))
    links = set(re.findall(r'href="#([\w-]+)"', response.text))

    assert {operation.name for _, _, operation in REFUSALS} <= anchors
    assert {f"schema-{name}" for name in DOCUMENT["components"]["schemas"]} <= anchors
    assert links <= anchors
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert not re.findall(r'(?:src|href)="https?:', response.text)


def test_document_is_the_same_for_all_settings(make_app: Callable[..., Flask]) -> None:
    """Nothing of the settings is in it, so it may be published."""
    app = make_app(lambda text: text.replace("[profiles.photo", "[profiles.secret_project"))

    assert b"secret_project" not in app.test_client().get("/openapi.json").data


@pytest.mark.parametrize("name", ["Grant", "Grants", "Upload", "Profiles", "Error"])
def test_answers_of_the_application_fit(client: FlaskClient, name: str) -> None:
    """What the application really answers is of the schema."""
    grant = client.post("/v1/uploads", json={"profile": "photo", "filename": "图.jpg"}).json
    answers = {
        "Grant": grant,
        "Grants": client.post(
            "/v1/uploads", json={"profile": "photo", "files": [{"filename": "a.jpg"}]}
        ).json,
        "Upload": client.get("/v1/uploads/" + grant["upload_id"]).json,
        "Profiles": client.get("/v1/profiles").json,
        "Error": client.get("/v1/uploads/x").json,
    }
    validator = make_validator({"$ref": f"#/components/schemas/{name}"})

    assert [str(error) for error in validator.iter_errors(answers[name])] == []
