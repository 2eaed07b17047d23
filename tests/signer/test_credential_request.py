"""The body of `POST /v1/credentials`, and everything else that may stand in one."""

import json
from typing import Any

import pytest

from signer.credential_request import CredentialRequest, parse_credential_request
from signer.errors import SignerError, SizeInvalid
from signer.grants import GrantRequest
from signer.issue_request import FieldInvalid, RequestMalformed


def parse(data: Any) -> CredentialRequest:
    return parse_credential_request(json.dumps(data).encode())


def test_file_name_asks_for_one_file() -> None:
    """Everything that may be said of it."""
    asked = parse(
        {"profile": "p", "filename": "a.jpg", "size": 5, "content_type": "image/jpeg", "vars": {"a": 1}}
    )

    assert asked == CredentialRequest("p", "", "once", GrantRequest("a.jpg", 5, "image/jpeg", {"a": 1}))
    assert parse({"profile": "p", "filename": "a.jpg", "use": "once", "subject": "u"}).subject == "u"


@pytest.mark.parametrize("data", [{"profile": "p"}, {"profile": "p", "use": "prefix"}])
def test_without_a_file_name_a_prefix_is_asked_for(data: dict[str, Any]) -> None:
    """As mobile clients do, which ask before they have a file."""
    assert parse(data | {"vars": {"a": 1}}) == CredentialRequest(
        "p", "", "prefix", GrantRequest("", variables={"a": 1})
    )


def test_empty_file_name_does_not_ask_for_more() -> None:
    """A slip of a client must not open a prefix; the empty name is refused later."""
    assert parse({"profile": "p", "filename": ""}).use == "once"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ([], RequestMalformed),
        ({}, FieldInvalid),
        ({"profile": "p", "use": "once"}, FieldInvalid),
        ({"profile": "p", "use": "many"}, FieldInvalid),
        ({"profile": "p", "use": "prefix", "filename": "a"}, FieldInvalid),
        ({"profile": "p", "size": 1}, FieldInvalid),
        ({"profile": "p", "content_type": "a/b"}, FieldInvalid),
        ({"profile": "p", "filename": "a", "size": -1}, SizeInvalid),
        ({"profile": "p", "filename": "a", "via": "post"}, FieldInvalid),
        ({"profile": "p", "filename": "a", "part_size": 5}, FieldInvalid),
        ({"profile": "p", "files": []}, FieldInvalid),
        ({"profile": "p", "vars": []}, FieldInvalid),
    ],
)
def test_other_bodies_are_refused(data: Any, error: type[SignerError]) -> None:
    """Each by name."""
    with pytest.raises(error):
        parse(data)
