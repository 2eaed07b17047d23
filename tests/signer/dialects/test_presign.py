"""``{method, url, fields, headers}``, and the form under both pairs of names."""

import pytest

from signer.dialects.wishes import OneFile
from signer.errors import SizeInvalid
from signer.issue_request import FieldInvalid, RequestMalformed

FORM = b'"fields":{"key":"photos/a.png","policy":"cG9saWN5"}'


def test_presign_writes_the_request(speak, make_file):
    """The four names in their order, then our own."""
    assert (
        b'{"method":"POST","url":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com",'
        + FORM
        + b',"headers":{},'
        b'"expires":460,"upload_id":"01KDYBB5M8000000000000TEST"}'
    ) == speak("presign", make_file()).body


def test_form_is_written_under_both_pairs_of_names(speak, make_file):
    """``url`` and ``fields``, ``action`` and ``data``: the same twice, in upload order."""
    assert (
        b'{"url":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com","action":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com",'
        + FORM
        + b',"data":{"key":"photos/a.png","policy":"cG9saWN5"},"expires":460,"upload_id":"01KDYBB5M8000000000000TEST"}'
    ) == speak("form", make_file()).body


@pytest.mark.parametrize(
    ("request_", "wish"),
    [
        ({"query": {"filename": "a.png", "type": "image/png"}}, OneFile("a.png", "image/png")),
        ({"query": {"name": "a.png", "size": "3"}}, OneFile("a.png", "", 3)),
        ({"query": {"filename": "a.png", "via": "PUT", "size": "3"}}, OneFile("a.png", "", 3, "put")),
        (
            {"method": "POST", "body": b'{"filename":"a.png","contentType":"image/png","size":3}'},
            OneFile("a.png", "image/png", 3),
        ),
        (
            {
                "method": "POST",
                "body": b"filename=%E5%9B%BE.png&metadata%5Balbum%5D=x",
                "content_type": "application/x-www-form-urlencoded",
            },
            OneFile("图.png", metadata={"album": "x"}),
        ),
    ],
)
def test_file_is_described_in_query_form_or_json(ask, request_, wish):
    """Under any of the names that clients use."""
    assert wish == ask("presign", **request_)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"body": b"{"}, RequestMalformed),
        ({"body": b"[1]"}, RequestMalformed),
        ({"body": b"\xff=1", "content_type": "application/x-www-form-urlencoded"}, RequestMalformed),
        ({"body": b'{"filename":1}'}, FieldInvalid),
        ({"query": {"filename": "x" * 5000}}, FieldInvalid),
        ({"query": {"filename": "a", "size": "-1"}}, SizeInvalid),
        ({"query": {"filename": "a", "size": "1e3"}}, SizeInvalid),
        ({"query": {"filename": "a", "size": "9" * 30}}, SizeInvalid),
        ({"body": b'{"filename":"a","size":true}'}, SizeInvalid),
    ],
)
def test_bad_description_ends_in_our_errors(ask, request_, error):
    """Nothing else is ever raised."""
    with pytest.raises(error):
        ask("presign", **request_)


def test_put_may_be_the_settings_choice(ask):
    """A table of the settings can make every upload a PUT."""
    assert "put" == ask("presign", options={"variant": "put"}, query={"filename": "a"}).via
