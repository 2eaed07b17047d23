"""Operations as OpenAPI writes them, put together from what each is and what it may refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ossgate.openapi import examples
from ossgate.openapi.refusals import Refusal, group_codes
from ossgate.openapi.schemas import Schema, ref

JSON = "application/json"
ANYBODY: list[dict[str, list[str]]] = [{}, {"apiKey": []}, {"jwt": []}, {"proxy": []}, {"session": []}]
KEY_OR_TOKEN: list[dict[str, list[str]]] = [{"apiKey": []}, {"jwt": []}]
NOBODY: list[dict[str, list[str]]] = []
OSS: list[dict[str, list[str]]] = [{"oss": []}]

_MEANINGS = {
    400: "No proper request",
    401: "Who asks is not known, and must be",
    403: "Who asks may not",
    404: "Not there, or not for you to see",
    409: "Not as things stand",
    410: "Too late",
    413: "Too large",
    415: "Not a type that is taken",
    422: "A field or parameter is not as it should be",
    429: "Too much, or too often",
    500: "A fault of ours",
    503: "Not now; ask again in a moment",
}
_RETRY: Schema = {
    "description": "seconds to wait",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}
_REQUEST_ID: Schema = {"$ref": "#/components/headers/RequestId"}
_CHALLENGE: Schema = {"description": "RFC 6750", "required": True, "schema": {"type": "string"}}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers when it does what it was asked."""

    description: str
    schema: Schema
    example: object
    media_type: str = JSON
    links: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation takes."""

    schema: Schema
    examples: Mapping[str, object]
    required: bool = True
    media_types: Sequence[str] = (JSON,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request and all its answers."""

    name: str
    tag: str
    summary: str
    description: str = ""
    security: list[dict[str, list[str]]]
    parameters: Sequence[Schema] = ()
    body: Body | None = None
    answers: Mapping[int, Answer]
    refusals: Sequence[Refusal] = ()

    def render(self) -> Schema:
        """Return the Operation Object."""
        return {
            "operationId": self.name,
            "tags": [self.tag],
            "summary": self.summary,
            **({"description": self.description} if self.description else {}),
            "security": self.security,
            **({"parameters": list(self.parameters)} if self.parameters else {}),
            **({"requestBody": _render_body(self.body)} if self.body else {}),
            "responses": self._render_responses(),
        }

    def _render_responses(self) -> Schema:
        responses: dict[int, Schema] = {}
        for status, codes in group_codes(self.refusals).items():
            responses[status] = _render_refusal(status, codes)
        for status, answer in self.answers.items():
            responses[status] = _render_answer(answer)
        return {str(status): responses[status] for status in sorted(responses)}


def _render_body(body: Body) -> Schema:
    shown = {name: {"value": value} for name, value in body.examples.items()}
    return {
        "required": body.required,
        "content": {
            media_type: {"schema": body.schema, "examples": shown} for media_type in body.media_types
        },
    }


def _render_answer(answer: Answer) -> Schema:
    return {
        "description": answer.description,
        "headers": {"X-Request-ID": _REQUEST_ID},
        "content": {answer.media_type: {"schema": answer.schema, "example": answer.example}},
        **({"links": dict(answer.links)} if answer.links else {}),
    }


def _render_refusal(status: int, codes: Sequence[str]) -> Schema:
    headers: Schema = {"X-Request-ID": _REQUEST_ID}
    if status in (429, 503):
        headers["Retry-After"] = _RETRY
    if status == 401:
        headers["WWW-Authenticate"] = _CHALLENGE
    code: Schema = {"type": "object", "properties": {"code": {"enum": list(codes)}}}
    return {
        "description": f"{_MEANINGS[status]}: {', '.join(f'`{each}`' for each in codes)}",
        "headers": headers,
        "content": {
            JSON: {
                "schema": {"allOf": [ref("Error"), {"type": "object", "properties": {"error": code}}]},
                "example": {
                    "error": examples.ERROR["error"] | {"code": codes[0], "message": "…", "hint": "…"}
                },
            }
        },
    }
