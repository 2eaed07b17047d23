"""The body of `POST /v1/uploads`: what is asked for, and everything else that may stand in a body."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import SignerError, SizeInvalid
from signer.grants import GrantRequest
from signer.issue_request import (
    MAX_FILES,
    FieldInvalid,
    IssueRequest,
    RequestMalformed,
    parse_issue_request,
)

ONE = {"profile": "photo", "filename": "照片.jpg"}


def parse(data: Any) -> IssueRequest:
    return parse_issue_request(json.dumps(data).encode())


def test_one_file_is_read() -> None:
    """Everything that may be said of one file."""
    asked = parse(
        ONE | {"size": 5, "content_type": "image/jpeg", "vars": {"a": 1}, "via": "post", "subject": "u"}
    )

    assert asked == IssueRequest(
        "photo", "u", (GrantRequest("照片.jpg", 5, "image/jpeg", {"a": 1}),), is_list=False
    )


def test_what_is_left_out_or_null_is_unknown() -> None:
    """A null is the same as nothing, as clients of many languages send it."""
    nulls = dict.fromkeys(["size", "content_type", "vars", "via", "subject"])

    assert parse(ONE) == parse(ONE | nulls)
    assert parse(ONE) == IssueRequest("photo", "", (GrantRequest("照片.jpg"),), is_list=False)


def test_list_of_files_is_read_in_order() -> None:
    """Profile and subject stand beside the list, in each entry, or in both; they are the same for all."""
    entries = [{"filename": "a"}, {"filename": "b", "profile": "photo"}, {"filename": "c", "subject": "u"}]
    asked = parse({"files": entries, "profile": "photo", "subject": "u", "via": "post"})

    assert [file.filename for file in asked.files] == ["a", "b", "c"]
    assert (asked.profile, asked.subject, asked.is_list) == ("photo", "u", True)
    assert parse({"files": [ONE]}).profile == "photo"


def test_hundred_files_are_read_and_one_more_is_refused() -> None:
    """All or none, at most a hundred; ten thousand are refused as quickly."""
    entry = {"filename": "a"}

    assert len(parse({"profile": "p", "files": [entry] * MAX_FILES}).files) == 100
    for count in (101, 10_000):
        with pytest.raises(FieldInvalid, match=f"{count} files") as refusal:
            parse({"profile": "p", "files": [entry] * count})
        assert "just before" in refusal.value.hint


def test_last_of_two_equal_names_counts() -> None:
    """JSON leaves it open; what is granted is what was read, and only one reader reads it."""
    asked = parse_issue_request(b'{"profile":"a","profile":"b","filename":"x","size":"no","size":1}')

    assert (asked.profile, asked.files[0].size) == ("b", 1)


NOT_JSON = {
    "empty": b"",
    "text": b"hello",
    "form": b"profile=photo&filename=a.jpg",
    "cut": b'{"profile":',
    "comment": b'{"profile":"p"} // x',
    "single quotes": b"{'profile':'p'}",
    "trailing comma": b'{"profile":"p",}',
    "NaN": b'{"profile":"p","filename":"a","size":NaN}',
    "infinity": b'{"profile":"p","filename":"a","size":Infinity}',
    "latin-1": '{"profile":"é"}'.encode("latin-1"),
    "utf-16": '{"profile":"p"}'.encode("utf-16"),
    "half a surrogate pair": b'{"profile":"p","filename":"\\ud83d"}',
    "control character": b'{"profile":"p","filename":"a\nb"}',
    "zero byte": b"\x00",
    "nested lists": b"[" * 100_000,
    "nested objects": b'{"vars":' * 100_000,
    "closed bomb": b'{"vars":' * 5_000 + b"1" + b"}" * 5_000,
    "list": b"[]",
    "list of files": json.dumps([ONE]).encode(),
    "null": b"null",
    "number": b"1",
    "string": b'"profile"',
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=list(NOT_JSON))
def test_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    """Broken JSON, other encodings, bombs of brackets, and JSON that is no object: 400."""
    with pytest.raises(RequestMalformed) as refusal:
        parse_issue_request(body)

    assert refusal.value.code == "bad_request"
    assert "profile" in refusal.value.hint


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "profile is missing"),
        ({"filename": "a"}, "profile is missing"),
        ({"profile": "", "filename": "a"}, "profile is missing"),
        ({"profile": None, "filename": "a"}, "profile is missing"),
        ({"profile": "p"}, "filename is missing"),
        ({"profile": 1, "filename": "a"}, "profile is no text"),
        ({"profile": ["p"], "filename": "a"}, "profile is no text"),
        ({"profile": {"$ne": ""}, "filename": "a"}, "profile is no text"),
        ({"profile": True, "filename": "a"}, "profile is no text"),
        ({"profile": "p" * 1025, "filename": "a"}, "more than 1024"),
        (ONE | {"filename": 1}, "filename is no text"),
        (ONE | {"filename": ["a"]}, "filename is no text"),
        (ONE | {"filename": "a" * 16_385}, "more than 16384"),
        (ONE | {"content_type": 1}, "content_type is no text"),
        (ONE | {"content_type": "a" * 4097}, "more than 4096"),
        (ONE | {"subject": 1}, "subject is no text"),
        (ONE | {"subject": "a" * 1025}, "more than 1024"),
        (ONE | {"vars": []}, "vars is not"),
        (ONE | {"vars": "a"}, "vars is not"),
        (ONE | {"vars": 0}, "vars is not"),
        (ONE | {"via": "ftp"}, "no way of upload 'ftp'"),
        (ONE | {"via": "sts"}, "no way of upload 'sts'"),
        (ONE | {"via": "PUT"}, "no way of upload 'PUT'"),
        (ONE | {"via": 1}, "via is no text"),
        (ONE | {"key": "a"}, "no field 'key'"),
        (ONE | {"object_key": "a"}, "no field 'object_key'"),
        (ONE | {"Filename": "a"}, "no field 'Filename'"),
        (ONE | {"": 1}, "no field ''"),
        (ONE | {"x" * 100_000: 1}, "no field 'xxx"),
        ({"profile": "p", "files": None}, "no list"),
        ({"profile": "p", "files": []}, "no list"),
        ({"profile": "p", "files": {}}, "no list"),
        ({"profile": "p", "files": "a"}, "no list"),
        ({"profile": "p", "files": ["a"]}, "entry of files"),
        ({"profile": "p", "files": [ONE, None]}, "entry of files"),
        ({"profile": "p", "files": [{"filename": "a", "acl": "x"}]}, "no field 'acl'"),
        ({"profile": "p", "files": [{"filename": "a", "files": []}]}, "no field 'files'"),
        ({"profile": "p", "files": [{}]}, "filename is missing"),
        ({"profile": "p", "filename": "a", "files": [ONE]}, "no field 'filename'"),
        ({"profile": "p", "size": 1, "files": [ONE]}, "no field 'size'"),
        ({"profile": "p", "files": [{"filename": "a", "profile": "q"}]}, "have one profile"),
        ({"files": [ONE, ONE | {"profile": "q"}]}, "have one profile"),
        ({"subject": "a", "files": [ONE | {"subject": "b"}]}, "have one subject"),
        ({"via": "ftp", "files": [ONE]}, "no way of upload 'ftp'"),
        ({"via": "post", "files": [ONE | {"via": "put"}]}, "have one via"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_field_of_another_form_is_refused(data: dict[str, Any], told: str) -> None:
    """Missing, unknown, of another type, too long or contradicting: 422, and the message stays short."""
    with pytest.raises(FieldInvalid, match=told) as refusal:
        parse(data)

    assert refusal.value.code == "field_invalid"
    assert len(refusal.value.message) < 150


@pytest.mark.parametrize(
    "size", ["5", "5MB", "", 5.0, 1e300, -1, -0.0, True, False, [5], {}, 2**64, 2**70, -(2**63)], ids=repr
)
def test_size_that_is_no_whole_number_is_refused(size: Any) -> None:
    """Texts, fractions, booleans, negatives and what no integer of 64 bits holds: 422."""
    for data in (ONE | {"size": size}, {"profile": "p", "files": [{"filename": "a", "size": size}]}):
        with pytest.raises(SizeInvalid) as refusal:
            parse(data)
        assert refusal.value.code == "size_invalid"


@pytest.mark.parametrize("written", [b"1e400", b"1" + b"0" * 5000, b"-1" + b"0" * 5000, b"0.1e-400"])
def test_size_written_beyond_all_numbers_is_refused(written: bytes) -> None:
    """A number of thousands of digits, or past what a double holds, ends in one of our errors."""
    with pytest.raises((SizeInvalid, RequestMalformed)):
        parse_issue_request(b'{"profile":"p","filename":"a","size":%s}' % written)


@pytest.mark.parametrize("size", [0, 1, 2**53, 2**63, 2**64 - 1])
def test_whole_number_is_read_exactly(size: int) -> None:
    """The profile's limits judge it afterwards."""
    assert parse(ONE | {"size": size}).files[0].size == size


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["profile", "filename", "size", "content_type", "vars", "via", "subject", "files", "x"]
)
REQUESTS = st.dictionaries(FIELDS, JSON | st.lists(st.dictionaries(FIELDS, JSON, max_size=4), max_size=3))


@given(data=JSON | REQUESTS)
def test_any_json_is_read_or_refused(data: Any) -> None:
    """Generated JSON only ends in our errors, or in a request whose fields have their types."""
    try:
        asked = parse_issue_request(orjson.dumps(data))
    except SignerError:
        return
    assert asked.profile
    for file in asked.files:
        assert isinstance(file.filename, str)
        assert file.size is None or (type(file.size) is int and file.size >= 0)


@given(body=st.binary())
def test_any_bytes_are_refused(body: bytes) -> None:
    """Generated bytes only end in our errors."""
    with pytest.raises(SignerError):
        parse_issue_request(body)
