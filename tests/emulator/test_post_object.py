"""PostObject: what a valid form stores and how it is answered."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

OBJECT_HEADERS = ("ETag", "Content-MD5", "x-oss-hash-crc64ecma")


def test_form_v4_stores_the_file(client: Any) -> None:
    """A signed form stores its file, and HEAD and GET find it as it was sent."""
    answer = client.post(client.make_fields(key="photos/a.txt"), b"hello")
    head, got = client.head("photos/a.txt"), client.get("photos/a.txt")

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Server"] == "AliyunOSS"
    assert answer.headers["x-ossgate-emulator"] == "1"
    assert answer.headers["ETag"] == '"5D41402ABC4B2A76B9719D911017C592"'
    assert answer.headers["x-oss-hash-crc64ecma"] == "11177612005948864433"
    assert base64.b64encode(hashlib.md5(b"hello").digest()).decode() == answer.headers["Content-MD5"]
    assert (
        head.status,
        head.headers["Content-Length"],
        head.headers["Content-Type"],
    ) == (200, "5", "text/plain")
    assert [answer.headers[name] for name in OBJECT_HEADERS] == [
        head.headers[name] for name in OBJECT_HEADERS
    ]
    assert got.body == b"hello"


def test_form_v1_stores_the_file(client: Any) -> None:
    """The older signature is accepted as well."""
    answer = client.post(client.make_fields_v1(key="v1.txt"))

    assert answer.status == 204
    assert client.get("v1.txt").body == b"hello"


def test_callback_answer_is_passed_through(client: Any, receiver: Any, callback: Callable[..., str]) -> None:
    """With a callback the uploader gets 200 and the receiver's bytes, and the object's headers."""
    answer = client.post(client.make_fields(callback=callback(receiver.url)))

    assert (answer.status, answer.body) == (200, b'{"Status":"OK"}')
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["ETag"] == '"5D41402ABC4B2A76B9719D911017C592"'
    assert receiver.received[0].body == b"object=a.txt&size=5"


@pytest.mark.parametrize("status", ["200", "204", "201", "", "404"])
def test_success_action_status(client: Any, status: str) -> None:
    """200 and 204 are empty, 201 is XML, anything else counts as 204."""
    answer = client.post(client.make_fields(key="a b/图.txt", success_action_status=status))

    assert {"200": 200, "201": 201}.get(status, 204) == answer.status
    if status == "201":
        location = f"http://127.0.0.1:{client.emulator.port}/test-bucket/a%20b/%E5%9B%BE.txt"
        etag = "5D41402ABC4B2A76B9719D911017C592"
        expected = {"Bucket": "test-bucket", "Location": location, "Key": "a b/图.txt", "ETag": etag}
        assert expected == answer.xml
    else:
        assert answer.body == b""
