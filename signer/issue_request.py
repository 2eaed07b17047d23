"""The body of ``POST /v1/uploads``: one file, or a list that is granted all or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from signer.checksums import parse_checksum
from signer.errors import SignerError, SizeInvalid, quote
from signer.facts import Via
from signer.grants import GrantRequest

MAX_FILES = 100
MAX_SUBJECT_TEXT = 1024
MAX_NAME_TEXT = 4096
REQUESTED_WAYS: tuple[Via, ...] = ("post", "put", "multipart")
MAX_MULTIPART_FILES = 20
"""Each is begun in the bucket, one after the other, while the client waits."""
_ONE_FILE = {"filename", "size", "content_type", "vars", "via", "profile", "subject", "part_size", "checksum"}
_SHARED = {"profile", "subject", "via"}


class RequestMalformed(SignerError):
    """A body that is not JSON, or not of the documented form."""

    code = "bad_request"


class FieldInvalid(SignerError):
    """A field of another type than is documented, or one that does not exist."""

    code = "field_invalid"


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """What a client asks for."""

    profile: str
    subject: str
    files: tuple[GrantRequest, ...]
    is_list: bool
    via: Via = "post"


def parse_issue_request(body: bytes) -> IssueRequest:
    """Return what a request body asks for.

    Raises:
        RequestMalformed: No JSON object; answered with 400.
        FieldInvalid: A field of another form than is documented; answered with 422.
        SizeInvalid: A size that is no whole number of bytes; answered with 422.
    """
    data = parse_object(body, example='{"profile": …, "filename": …}')
    if "files" not in data:
        refuse_unknown(data, _ONE_FILE)
        places = entries = [data]
    else:
        refuse_unknown(data, _SHARED | {"files"})
        entries = _parse_files(data)
        places = [data, *entries]
    profile = _read_same(places, "profile")
    subject = _read_same(places, "subject")
    via = _parse_via(_read_same(places, "via"))
    if not profile:
        raise FieldInvalid(
            "the field profile is missing", hint="`GET /v1/profiles` lists what is open to you"
        )
    if via == "multipart" and len(entries) > MAX_MULTIPART_FILES:
        raise FieldInvalid(
            f"{len(entries)} multipart uploads in one request are more than {MAX_MULTIPART_FILES}",
            hint="ask for each file's grant just before its upload",
        )
    files = tuple(parse_file(entry, via) for entry in entries)
    return IssueRequest(profile, subject, files, "files" in data, via)


def _parse_files(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    files = data["files"]
    if not isinstance(files, list) or not files:
        raise FieldInvalid("the field files is no list with a file in it")
    if len(files) > MAX_FILES:
        raise FieldInvalid(
            f"{len(files)} files in one request are more than {MAX_FILES}",
            hint="ask for each file's grant just before its upload",
        )
    for entry in files:
        if not isinstance(entry, dict):
            raise FieldInvalid("an entry of files is not a JSON object")
        refuse_unknown(entry, _ONE_FILE)
    return files


def _parse_via(written: str) -> Via:
    for via in REQUESTED_WAYS:
        if written == via:
            return via
    if not written:
        return "post"
    raise FieldInvalid(
        f"there is no way of upload {quote(written)}", hint="known are " + ", ".join(REQUESTED_WAYS)
    )


def parse_object(body: bytes, *, example: str) -> dict[str, Any]:
    """Return the JSON object that a body holds.

    Raises:
        RequestMalformed: It holds none; answered with 400.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestMalformed("the body is not JSON", hint=f"send {example}") from error
    if not isinstance(data, dict):
        raise RequestMalformed("the body is not a JSON object", hint=f"send {example}")
    return data


def refuse_unknown(data: Mapping[str, Any], known: set[str]) -> None:
    """Refuse fields that are not documented.

    Raises:
        FieldInvalid: Answered with 422.
    """
    for name in data:
        if name not in known:
            raise FieldInvalid(
                f"there is no field {quote(name)}", hint="known are " + ", ".join(sorted(known))
            )


def _read_same(places: list[dict[str, Any]], name: str) -> str:
    if len(places) == 1:
        return read_text(places[0], name, MAX_SUBJECT_TEXT)
    values = {read_text(place, name, MAX_SUBJECT_TEXT) for place in places} - {""}
    if len(values) > 1:
        raise FieldInvalid(f"the files of one request have one {name}", hint="send one request for each")
    return values.pop() if values else ""


def read_text(data: Mapping[str, Any], name: str, longest: int) -> str:
    """Return a field that is text; nothing when it is missing or null.

    Raises:
        FieldInvalid: Another type, or too long; answered with 422.
    """
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldInvalid(f"the field {name} is no text: {quote(value)}")
    if len(value) > longest:
        raise FieldInvalid(f"the field {name} has more than {longest} characters")
    return value


def parse_file(entry: Mapping[str, Any], via: Via) -> GrantRequest:
    """Return what is asked for one file.

    Raises:
        FieldInvalid, SizeInvalid, ChecksumInvalid: A field of another form than is documented; answered with 422.
    """
    if "filename" not in entry:
        raise FieldInvalid(
            "the field filename is missing", hint="send the name of the file, such as photo.jpg"
        )
    size = entry.get("size")
    if size is not None and (type(size) is not int or size < 0):
        raise SizeInvalid(f"{quote(size)} is no size", hint="send the whole number of bytes, or leave it out")
    variables = entry.get("vars")
    if variables is not None and not isinstance(variables, dict):
        raise FieldInvalid("the field vars is not a JSON object")
    return GrantRequest(
        filename=read_text(entry, "filename", MAX_NAME_TEXT * 4),
        size=size,
        content_type=read_text(entry, "content_type", MAX_NAME_TEXT),
        variables=variables or {},
        part_size=_parse_part_size(entry, via),
        content_md5=parse_checksum(entry.get("checksum")),
    )


def _parse_part_size(entry: Mapping[str, Any], via: Via) -> int | None:
    part_size = entry.get("part_size")
    if part_size is None:
        return None
    if via != "multipart":
        raise FieldInvalid(
            "only multipart uploads have a part_size", hint='leave it out, or send "via": "multipart"'
        )
    if type(part_size) is not int:
        raise FieldInvalid(
            f"the field part_size is no whole number: {quote(part_size)}",
            hint="leave it out, and the grant says it",
        )
    return part_size
