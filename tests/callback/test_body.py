"""Callback bodies, JSON and form."""

import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.body import parse_body
from callback.errors import CallbackRefused, RequestMalformed

FIELDS = {
    "bucket": "b",
    "object": "图/a+b.jpg",
    "etag": "ab12",
    "size": 5,
    "mimeType": "image/jpeg",
    "ticket": "t.s",
}
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps(FIELDS, ensure_ascii=False).encode(), JSON),
        (json.dumps(FIELDS).encode(), JSON),
        (urlencode(FIELDS, quote_via=quote, safe="").encode(), FORM),
        (urlencode(FIELDS).encode(), FORM + "; charset=utf-8"),
    ],
)
def test_parse_body_reads_both_forms_alike(body, content_type):
    """Strings, numbers and names in any script come out the same of JSON and form bodies."""
    claims = parse_body(body, content_type)

    assert ("b", "图/a+b.jpg", "AB12", 5, "image/jpeg", "t.s") == (
        claims.bucket, claims.object_key, claims.etag, claims.size, claims.content_type, claims.ticket,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        ('"640"', 640),
        ("640", 640),
        ('""', None),
        ("null", None),
        ('"null"', None),
        ("-5", None),
        (str(2**63), None),
        ('"-5"', None),
        ('"99999999999999999999"', None),
    ],
)
def test_parse_body_reads_an_image_size_however_oss_writes_it(width, expected):
    """A number, quoted or bare, or nothing for a file that is no image and for what no image has."""
    body = json.dumps(FIELDS)[:-1].encode() + f',"width":{width},"height":{width}}}'.encode()

    assert (expected, expected) == (parse_body(body, JSON).width, parse_body(body, JSON).height)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("content_type", [JSON, FORM])
def test_parse_body_refuses_a_missing_field(name, content_type):
    """Each field that a layer reads must be there."""
    fields = {key: value for key, value in FIELDS.items() if key != name}
    body = json.dumps(fields).encode() if content_type == JSON else urlencode(fields).encode()

    with pytest.raises(RequestMalformed, match=name):
        parse_body(body, content_type)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"bucket":""b""}',
        json.dumps(FIELDS | {"size": -1}).encode(),
        json.dumps(FIELDS | {"size": 1.5}).encode(),
        json.dumps(FIELDS | {"size": True}).encode(),
        json.dumps(FIELDS | {"size": "1e3"}).encode(),
        json.dumps(FIELDS | {"size": "٣"}).encode(),
        json.dumps(FIELDS | {"bucket": 1}).encode(),
        json.dumps(FIELDS | {"object": None}).encode(),
        json.dumps(FIELDS | {"ticket": ["t"]}).encode(),
        b"[" * 5000,
    ],
)  # fmt: skip
def test_parse_body_refuses_another_form(body):
    """What our definition cannot have produced is malformed."""
    with pytest.raises(RequestMalformed):
        parse_body(body, JSON)


def test_parse_body_refuses_a_field_that_is_there_twice():
    """Two readings of one body are one too many."""
    body = urlencode(FIELDS).encode() + b"&bucket=other"

    with pytest.raises(RequestMalformed, match="twice"):
        parse_body(body, FORM)


@given(st.binary(max_size=300), st.sampled_from([JSON, FORM, "", "text/plain"]))
def test_parse_body_ends_only_in_our_errors(body, content_type):
    """Garbage is malformed, never a crash."""
    with pytest.raises(CallbackRefused):
        parse_body(body, content_type)


@pytest.mark.parametrize("etag", ["", '""', "a\0b", "a b", "图", "x" * 129])
@pytest.mark.parametrize("as_form", [False, True])
def test_etag_that_is_none_is_refused(etag, as_form):
    """While the bucket cannot be asked it is recorded as claimed, and PostgreSQL stores no NUL."""
    fields = FIELDS | {"etag": etag}
    body, content_type = (
        (urlencode(fields).encode(), FORM) if as_form else (json.dumps(fields).encode(), JSON)
    )

    with pytest.raises(RequestMalformed, match="etag"):
        parse_body(body, content_type)
