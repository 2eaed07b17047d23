"""The callback body, read as our definition had it written: JSON or form fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

import orjson

from callback.errors import RequestMalformed

MAX_BODY_BYTES = 64 * 1024
"""A definition has at most 5 KB, and what OSS inserts is bounded; more is not ours."""
# Kept as it is claimed while the bucket cannot be asked, so it is something that a database can keep.
_ETAG = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a callback says of the object; claims until the bucket confirms them."""

    bucket: str
    object_key: str
    etag: str
    size: int
    content_type: str
    ticket: str
    width: int | None = None
    height: int | None = None


def parse_body(body: bytes, content_type: str) -> Claims:
    """Return the claims of a callback body.

    Raises:
        RequestMalformed: Not of the form that our definition asks for; answered with 400.
    """
    fields = _parse_form(body) if "form-urlencoded" in content_type else _parse_json(body)
    try:
        # Not text: a field that OSS left without quotes, or one that somebody else's template wrote.
        bucket, object_key, etag, ticket = (fields[name] for name in ("bucket", "object", "etag", "ticket"))
        mime_type = fields["mimeType"]
        size = _parse_number(fields["size"])
    except KeyError as error:
        raise RequestMalformed(f"the callback body has no field {error.args[0]}") from error
    if size is None:
        raise RequestMalformed("the callback's size is no whole number")
    if not (
        isinstance(bucket, str)
        and isinstance(object_key, str)
        and isinstance(etag, str)
        and isinstance(ticket, str)
        and isinstance(mime_type, str)
    ):
        raise RequestMalformed("a field of the callback body that should be text is not")
    etag = etag.strip('"').upper()
    if not _ETAG.fullmatch(etag):
        raise RequestMalformed("the callback's etag is none")
    return Claims(
        bucket=bucket,
        object_key=object_key,
        etag=etag,
        size=size,
        content_type=mime_type,
        ticket=ticket,
        width=_parse_number(fields.get("width")),
        height=_parse_number(fields.get("height")),
    )


def _parse_json(body: bytes) -> dict[str, object]:
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestMalformed("the callback body is not JSON") from error
    if not isinstance(fields, dict):
        raise RequestMalformed("the callback body is not a JSON object")
    return fields


def _parse_form(body: bytes) -> dict[str, object]:
    try:
        # OSS writes a space as %20; a plus sign is read as a space too, as every receiver does.
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise RequestMalformed("the callback body holds no form fields") from error
    fields: dict[str, object] = {}
    for name, value in pairs:
        if name in fields:
            raise RequestMalformed("the callback body holds a field twice")
        fields[name] = value
    return fields


def _parse_number(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        # As in digits: nothing below zero, and nothing that a database could not keep.
        return value if 0 <= value < 2**63 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return None
