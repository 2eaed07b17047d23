"""The bodies of requests about parts: which are to be signed, and how an upload is completed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signer.errors import PartNumberInvalid, quote
from signer.issue_request import FieldInvalid, parse_object, refuse_unknown
from signer.profiles import MAX_PARTS
from signer.stored_parts import NamedPart

MAX_ETAG_LENGTH = 64


@dataclass(frozen=True, slots=True)
class CompleteRequest:
    """How an upload is completed: by us, or by a presigned request; the parts as the client counts them, if it does."""

    parts: tuple[NamedPart, ...] | None = None
    presign: bool = False


def parse_part_numbers(body: bytes) -> list[object]:
    """Return the numbers of the parts that are to be signed, still as they were sent.

    Raises:
        RequestMalformed: No JSON object; answered with 400.
        FieldInvalid: No list, or further fields; answered with 422.
    """
    data = parse_object(body, example='{"part_numbers": [1]}')
    refuse_unknown(data, {"part_numbers"})
    numbers = data.get("part_numbers")
    if not isinstance(numbers, list):
        raise FieldInvalid("the field part_numbers is no list", hint='send {"part_numbers": [1, 2]}')
    return numbers


def parse_complete(body: bytes) -> CompleteRequest:
    """Return how an upload is to be completed; an empty body leaves all to us.

    Raises:
        RequestMalformed: No JSON object; answered with 400.
        FieldInvalid: A field of another form than is documented; answered with 422.
        PartNumberInvalid: A part number that no upload has; answered with 422.
    """
    data = parse_object(body or b"{}", example="{}")
    refuse_unknown(data, {"parts", "presign"})
    presign = data.get("presign")
    if presign is not None and not isinstance(presign, bool):
        raise FieldInvalid(f"the field presign is neither true nor false: {quote(presign)}")
    parts = data.get("parts")
    if parts is None:
        return CompleteRequest(None, bool(presign))
    if presign:
        raise FieldInvalid(
            "a presigned completion takes all parts", hint="leave parts out, or let us complete the upload"
        )
    if not isinstance(parts, list) or len(parts) > MAX_PARTS:
        raise FieldInvalid(
            "the field parts is no list of at most 10000",
            hint='send [{"part_number": 1, "etag": "…"}] or leave it out',
        )
    return CompleteRequest(tuple(map(_parse_part, parts)))


def _parse_part(part: object) -> NamedPart:
    if not isinstance(part, Mapping):
        raise FieldInvalid("an entry of parts is not a JSON object")
    fields: Mapping[str, Any] = part
    refuse_unknown(fields, {"part_number", "etag"})
    number, etag = fields.get("part_number"), fields.get("etag")
    if type(number) is not int or not 1 <= number <= MAX_PARTS:
        raise PartNumberInvalid(
            f"{quote(number)} is no part number", hint=f"parts are numbered from 1 to {MAX_PARTS}"
        )
    if not isinstance(etag, str) or not 0 < len(etag) <= MAX_ETAG_LENGTH:
        raise FieldInvalid(
            f"part {number} has no etag", hint="send the ETag that OSS answered, with or without quotes"
        )
    return NamedPart(number, etag)
