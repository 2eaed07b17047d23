"""The body of ``POST /v1/credentials``: one file, or a prefix for many."""

from __future__ import annotations

from dataclasses import dataclass

from signer.errors import quote
from signer.facts import Use
from signer.grants import GrantRequest
from signer.issue_request import FieldInvalid, parse_file, parse_object, read_text, refuse_unknown

MAX_TEXT = 1024
_FIELDS = {"profile", "subject", "use", "filename", "size", "content_type", "vars"}
_OF_ONE_FILE = ("filename", "size", "content_type")


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """What a client asks credentials for."""

    profile: str
    subject: str
    use: Use
    file: GrantRequest


def parse_credential_request(body: bytes) -> CredentialRequest:
    """Return what a request body asks for: with a file name one file, without it a prefix.

    Raises:
        RequestMalformed: No JSON object; answered with 400.
        FieldInvalid: A field of another form than is documented; answered with 422.
        SizeInvalid: A size that is no whole number of bytes; answered with 422.
    """
    data = parse_object(body, example='{"profile": …, "filename": …}')
    refuse_unknown(data, _FIELDS)
    profile = read_text(data, "profile", MAX_TEXT)
    if not profile:
        raise FieldInvalid(
            "the field profile is missing", hint="`GET /v1/profiles` lists what is open to you"
        )
    written = read_text(data, "use", 16)
    if written not in ("", "once", "prefix"):
        raise FieldInvalid(f"there is no use {quote(written)}", hint='"once" for one file, "prefix" for many')
    # An empty file name is a mistake, not a wish for more.
    use: Use = "prefix" if written == "prefix" or (not written and data.get("filename") is None) else "once"
    if use == "prefix":
        for name in _OF_ONE_FILE:
            if data.get(name) is not None:
                raise FieldInvalid(
                    f"a prefix is for many files, and has no {name}", hint='leave it out, or ask for "once"'
                )
        file = parse_file({"filename": "", "vars": data.get("vars")}, "sts")
    else:
        file = parse_file(data, "sts")
    return CredentialRequest(profile, read_text(data, "subject", MAX_TEXT), use, file)
