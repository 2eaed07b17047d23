"""HeadObject."""

import base64
import re
from typing import Any
from xml.etree import ElementTree

import pytest


def test_headers(client: Any) -> None:
    """HEAD tells everything about an object but its bytes."""
    client.post(client.make_fields(key="a.jpg"), content_type="image/jpeg")
    answer = client.head("a.jpg")
    headers = answer.headers

    assert (200, b"") == (answer.status, answer.body)
    assert ("5", "image/jpeg", "bytes") == (
        headers["Content-Length"],
        headers["Content-Type"],
        headers["Accept-Ranges"],
    )
    assert ('"5D41402ABC4B2A76B9719D911017C592"', "XUFAKrxLKna5cZ2REBfFkg==") == (
        headers["ETag"],
        headers["Content-MD5"],
    )
    assert ("Normal", "Standard", "11177612005948864433") == (
        headers["x-oss-object-type"],
        headers["x-oss-storage-class"],
        headers["x-oss-hash-crc64ecma"],
    )
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["Last-Modified"])
    assert re.fullmatch(r"[0-9A-F]{24}", headers["x-oss-request-id"])
    assert ("AliyunOSS", "1") == (headers["Server"], headers["x-ossgate-emulator"])


@pytest.mark.parametrize(
    ("target", "status", "code", "ec"),
    [
        ("signed", 404, "NoSuchKey", "0026-00000001"),
        ("/test-bucket/none.txt", 403, "AccessDenied", "0003-00000001"),
        ("/other-bucket/none.txt", 404, "NoSuchBucket", "0015-00000101"),
        ("/test-bucket/none.txt?Signature=x", 403, "AccessDenied", "0002-00000067"),
    ],
)
def test_error_travels_in_a_header(client: Any, target: str, status: int, code: str, ec: str) -> None:
    """HEAD has no body, so the error document comes base64 in x-oss-err."""
    answer = client.head("none.txt") if target == "signed" else client.request("HEAD", target)
    document = ElementTree.fromstring(base64.b64decode(answer.headers["x-oss-err"]))

    assert (status, b"", ec) == (answer.status, answer.body, answer.headers["x-oss-ec"])
    assert (code, ec) == (document.findtext("Code"), document.findtext("EC"))


def test_range_of_head(client: Any) -> None:
    """A HEAD with a range tells the range's length."""
    client.post()
    answer = client.request("HEAD", client.presign("HEAD", "a.txt"), headers={"Range": "bytes=1-2"})

    assert (206, "2", "bytes 1-2/5") == (
        answer.status,
        answer.headers["Content-Length"],
        answer.headers["Content-Range"],
    )


def test_a_signature_is_for_its_method(client: Any) -> None:
    """A URL signed for GET does not answer HEAD."""
    client.post()

    assert 403 == client.request("HEAD", client.presign("GET", "a.txt")).status
