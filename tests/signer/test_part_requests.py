"""The bodies of requests about parts, and everything else that may stand in one."""

import contextlib
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import PartNumberInvalid, SignerError
from signer.issue_request import FieldInvalid, RequestMalformed
from signer.part_requests import CompleteRequest, parse_complete, parse_part_numbers
from signer.stored_parts import NamedPart

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["part_numbers", "parts", "presign", "part_number", "etag"]), inner)
    ),
    max_leaves=8,
)


def test_part_numbers_come_as_they_were_sent() -> None:
    """They are judged against the upload, not here."""
    assert parse_part_numbers(b'{"part_numbers":[1,0,"x"]}') == [1, 0, "x"]


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"null"])
def test_body_of_part_numbers_is_an_object(body: bytes) -> None:
    """Anything else is 400."""
    with pytest.raises(RequestMalformed):
        parse_part_numbers(body)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"part_numbers":1}', b'{"part_numbers":null}', b'{"part_numbers":[1],"all":true}']
)
def test_part_numbers_are_a_list_and_stand_alone(body: bytes) -> None:
    """Missing, no list, or beside a field that nobody reads: 422."""
    with pytest.raises(FieldInvalid):
        parse_part_numbers(body)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"parts":null,"presign":false}'])
def test_complete_leaves_all_to_us(body: bytes) -> None:
    """Also with no body at all."""
    assert parse_complete(body) == CompleteRequest(None, presign=False)


def test_complete_by_a_presigned_request() -> None:
    """The choice of clients that want OSS to call back."""
    assert parse_complete(b'{"presign":true}') == CompleteRequest(None, presign=True)


def test_complete_with_the_clients_own_list() -> None:
    """ETags with quotes or without, as OSS answered them; an empty list is a list."""
    parts = [{"part_number": 2, "etag": '"ab"'}, {"part_number": 1, "etag": "CD"}]
    asked = parse_complete(json.dumps({"parts": parts}).encode())

    assert asked.parts == (NamedPart(2, '"ab"'), NamedPart(1, "CD"))
    assert parse_complete(b'{"parts":[]}').parts == ()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"presign": 1}, FieldInvalid),
        ({"presign": "true"}, FieldInvalid),
        ({"presign": True, "parts": []}, FieldInvalid),
        ({"parts": {}}, FieldInvalid),
        ({"parts": [1]}, FieldInvalid),
        ({"parts": [{"part_number": 1}]}, FieldInvalid),
        ({"parts": [{"part_number": 1, "etag": ""}]}, FieldInvalid),
        ({"parts": [{"part_number": 1, "etag": "a" * 65}]}, FieldInvalid),
        ({"parts": [{"part_number": 1, "etag": 1}]}, FieldInvalid),
        ({"parts": [{"PartNumber": 1, "ETag": "a"}]}, FieldInvalid),
        ({"parts": [{"part_number": 0, "etag": "a"}]}, PartNumberInvalid),
        ({"parts": [{"part_number": 10_001, "etag": "a"}]}, PartNumberInvalid),
        ({"parts": [{"part_number": True, "etag": "a"}]}, PartNumberInvalid),
        ({"parts": [{"etag": "a"}]}, PartNumberInvalid),
        ({"parts": [{"part_number": 1, "etag": "a"}] * 10_001}, FieldInvalid),
        ({"etags": []}, FieldInvalid),
    ],
    ids=lambda value: str(value)[:50],
)
def test_other_completions_are_refused(data: dict[str, Any], error: type[SignerError]) -> None:
    """Each field of another form, by name."""
    with pytest.raises(error):
        parse_complete(json.dumps(data).encode())


@given(value=JSON)
def test_any_json_ends_in_our_error(value: Any) -> None:
    """Generated JSON never ends in another exception."""
    for parse in (parse_part_numbers, parse_complete):
        with contextlib.suppress(SignerError):
            parse(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
