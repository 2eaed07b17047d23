"""Fields of a client's request, in a query, a form or JSON, under any of the names that clients give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from signer.dialects.contract import DialectRequest
from signer.errors import SizeInvalid, quote
from signer.issue_request import MAX_NAME_TEXT, FieldInvalid, RequestMalformed

MAX_FIELDS = 100
FILE_NAMES = ("filename", "fileName", "name", "file_name")
CONTENT_TYPES = ("type", "content_type", "contentType", "fileType")
SIZES = ("size", "fileSize")


def read_fields(request: DialectRequest) -> Mapping[str, Any]:
    """Return the fields of a request: its query, and over it those of a form or a JSON object in its body.

    Raises:
        RequestMalformed: A body that is neither; answered with 400.
    """
    if not request.body:
        return request.query
    if "form-urlencoded" in request.content_type:
        try:
            pairs = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError as error:
            raise RequestMalformed("the body holds no form fields") from error
        return {**request.query, **dict(pairs)}
    try:
        data = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise RequestMalformed(
            "the body is not JSON", hint="send JSON, a form, or all in the query"
        ) from error
    if not isinstance(data, dict):
        raise RequestMalformed("the body is not a JSON object")
    return {**request.query, **data}


def read_text(fields: Mapping[str, Any], *names: str) -> str:
    """Return the first of these fields that is there, as text, or nothing.

    Raises:
        FieldInvalid: It is no text, or a very long one; answered with 422.
    """
    for name in names:
        value = fields.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise FieldInvalid(f"the field {name} is no text: {quote(value)}")
        if len(value) > MAX_NAME_TEXT:
            raise FieldInvalid(f"the field {name} has more than {MAX_NAME_TEXT} characters")
        return value
    return ""


def read_size(fields: Mapping[str, Any]) -> int | None:
    """Return the file's size when the client tells it, as a number or in digits.

    Raises:
        SizeInvalid: It is no whole number of bytes; answered with 422.
    """
    for name in SIZES:
        value = fields.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            return int(value)
        if type(value) is int and value >= 0:
            return value
        raise SizeInvalid(
            f"{quote(value)} is no size", hint="send the whole number of bytes, or leave it out"
        )
    return None


def read_metadata(fields: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what is said of a file besides: the object ``metadata``, or fields named ``metadata[NAME]``."""
    found = {
        name[len("metadata[") : -1]: value
        for name, value in fields.items()
        if name.startswith("metadata[") and name.endswith("]")
    }
    own = fields.get("metadata")
    if isinstance(own, Mapping):
        found |= own
    return {name: value for name, value in found.items() if isinstance(value, str)}
