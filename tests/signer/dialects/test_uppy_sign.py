"""``signRequest``: each request that Uppy's next plugin composes, and those that are not signed."""

import json

import pytest

from signer.dialects.handed import HandedUrl
from signer.dialects.wishes import Explain, SignOneRequest
from signer.errors import PartNumberInvalid
from signer.issue_request import FieldInvalid


@pytest.mark.parametrize(
    ("fields", "wish"),
    [
        ({"method": "PUT", "contentType": "image/png"}, SignOneRequest("PutObject", "a.png", "image/png")),
        ({"method": "POST"}, SignOneRequest("InitiateMultipartUpload", "a.png")),
        (
            {"method": "PUT", "uploadId": "U", "partNumber": 2},
            SignOneRequest("UploadPart", "a.png", "", "U", 2),
        ),
        (
            {"method": "POST", "uploadId": "U"},
            SignOneRequest("CompleteMultipartUpload", "a.png", "application/xml", "U"),
        ),
        ({"method": "GET", "uploadId": "U"}, SignOneRequest("ListParts", "a.png", "", "U")),
        ({"method": "DELETE", "uploadId": "U"}, SignOneRequest("AbortMultipartUpload", "a.png", "", "U")),
    ],
)
def test_operation_is_derived_as_the_client_does(ask, fields, wish):
    """Method, and whether there is an id, say which request it is."""
    assert wish == ask("uppy_sign", method="POST", body=json.dumps({"key": "a.png"} | fields).encode())


@pytest.mark.parametrize(
    ("method", "upload_id", "content_type"),
    [
        ("PUT", "", "image/png"),
        ("POST", "", "image/png"),
        ("PUT", "U", ""),
        ("POST", "U", "application/xml"),
        ("GET", "U", ""),
        ("DELETE", "U", ""),
    ],
)
def test_type_is_the_one_that_the_client_sends(ask, method, upload_id, content_type):
    """A page tells the file's type each time; what is sent with another, or with none, must be signed so."""
    fields = {"key": "a.png", "method": method, "partNumber": 1, "contentType": "image/png"}
    body = json.dumps(fields | ({"uploadId": upload_id} if upload_id else {})).encode()

    assert content_type == ask("uppy_sign", method="POST", body=body).content_type


@pytest.mark.parametrize("method", ["DELETE", "GET", "HEAD", "", "PATCH"])
def test_other_operations_are_never_signed(ask, method):
    """Nobody deletes or reads an object by an upload's grant."""
    wish = ask("uppy_sign", method="POST", body=json.dumps({"key": "a.png", "method": method}).encode())

    assert isinstance(wish, Explain)
    assert (403, "operation_forbidden") == (wish.status, wish.code)


@pytest.mark.parametrize("number", [None, 0, 10001, "1", 1.5, True])
def test_part_number_is_a_whole_number(ask, number):
    """From 1 to 10,000."""
    body = json.dumps({"key": "a", "method": "PUT", "uploadId": "U", "partNumber": number}).encode()

    with pytest.raises(PartNumberInvalid):
        ask("uppy_sign", method="POST", body=body)


@pytest.mark.parametrize("fields", [{}, {"key": ""}, {"key": 1}, {"key": "a", "uploadId": "U" * 200}])
def test_key_is_demanded(ask, fields):
    """Without a key there is nothing to sign."""
    with pytest.raises(FieldInvalid):
        ask("uppy_sign", method="POST", body=json.dumps({"method": "PUT"} | fields).encode())


def test_reply_names_the_key_that_was_signed(speak):
    """The client takes this key for its own from then on."""
    assert (
        b'{"url":"https://x","key":"files/G.M/a.png"}'
        == speak("uppy_sign", HandedUrl("https://x", "files/G.M/a.png")).body
    )
