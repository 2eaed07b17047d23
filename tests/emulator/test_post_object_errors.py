"""PostObject: what is refused, with status, code, message and EC; nothing of it is stored."""

import base64
import hashlib
import socket
from collections.abc import Callable
from typing import Any

import pytest

REFUSED: list[tuple[dict[str, str], int, str, str, str]] = [
    ({"x-oss-forbid-overwrite": "yes"}, 400, "InvalidArgument", "", "0006-00000117"),
    ({"x-oss-object-acl": "everybody"}, 400, "InvalidArgument", "no such object access control exists.", ""),
    (
        {"x-oss-storage-class": "Warm"},
        400,
        "InvalidArgument",
        "The storage class you specified is not valid.",
        "",
    ),
    ({"x-oss-server-side-encryption": "ROT13"}, 400, "InvalidEncryptionAlgorithmError", "", ""),
    ({"x-oss-server-side-encryption": "KMS"}, 403, "KmsServiceNotEnabled", "", ""),
    ({"x-oss-meta-a": "x" * 8200}, 400, "InvalidArgument", "", ""),
    ({"key": ""}, 400, "InvalidObjectName", "The specified object is not valid.", ""),
    ({"key": "/a"}, 400, "InvalidObjectName", "The specified object is not valid.", ""),
    ({"key": "\\a"}, 400, "InvalidObjectName", "The specified object is not valid.", ""),
    ({"key": "k" * 1024}, 400, "InvalidObjectName", "The specified object is not valid.", ""),
    ({"key": "图" * 342}, 400, "InvalidObjectName", "The specified object is not valid.", ""),
]


@pytest.mark.parametrize(("fields", "status", "code", "message", "ec"), REFUSED)
def test_value_refused(
    client: Any, fields: dict[str, str], status: int, code: str, message: str, ec: str
) -> None:
    """Values that OSS does not know are refused, each with its code."""
    answer = client.post(client.make_fields(**fields))

    assert (status, code, ec) == (answer.error[0], answer.error[1], answer.error[3])
    assert message in ("", answer.error[2])
    assert [] == list((client.emulator.options.data_dir / "uploads").iterdir())


def test_error_document_is_shaped_as_the_services(client: Any) -> None:
    """Members come in OSS's order, and HostId is the Host header."""
    answer = client.post(client.make_fields(expires_in=-1), headers={"Host": "127.0.0.1:1"})

    assert ["Code", "Message", "RequestId", "HostId", "EC", "RecommendDoc"] == list(answer.xml)
    assert "127.0.0.1:1" == answer.xml["HostId"]
    assert "https://api.aliyun.com/troubleshoot?q=0006-00000213" == answer.xml["RecommendDoc"]
    assert "application/xml" == answer.headers["Content-Type"]
    assert answer.headers["Date"]
    assert answer.headers["x-oss-server-time"].isdigit()
    assert 24 == len(answer.headers["x-oss-request-id"])


def test_whole_body_digest(client: Any, form: Callable[..., bytes]) -> None:
    """Content-MD5 is that of the whole multipart body."""
    body = form(client.make_fields(), b"hello")
    right = base64.b64encode(hashlib.md5(body).digest()).decode()
    wrong = base64.b64encode(hashlib.md5(b"hello").digest()).decode()

    refused = client.post_body(body, headers={"Content-MD5": wrong})
    assert (400, "InvalidDigest", "The Content-MD5 you specified was invalid.", "") == refused.error
    assert 404 == client.head("a.txt").status
    assert 204 == client.post_body(body, headers={"Content-MD5": right}).status


def test_forbid_overwrite(client: Any) -> None:
    """With the field at `true` a taken key is refused and the old object stays."""
    first = client.make_fields(**{"x-oss-forbid-overwrite": "true"})

    assert 204 == client.post(first, b"old").status
    answer = client.post(first, b"new")
    assert (409, "FileAlreadyExists") == answer.error[:2]
    assert b"old" == client.get("a.txt").body
    assert 204 == client.post(client.make_fields(**{"x-oss-forbid-overwrite": "false"}), b"new").status
    assert b"new" == client.get("a.txt").body


def test_bucket_unknown(client: Any) -> None:
    """Another bucket is not there; an impossible name is told so."""
    missing = client.post(target="/other-bucket")
    impossible = client.post(target="/Bad_Name")

    assert (404, "NoSuchBucket", "The specified bucket does not exist.", "0015-00000101") == missing.error
    assert "other-bucket" == missing.xml["BucketName"]
    assert (400, "InvalidBucketName") == impossible.error[:2]


def test_body_above_five_gigabytes(client: Any) -> None:
    """An impossible length is refused before anything is received."""
    head = (
        "POST /test-bucket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 6000000000\r\n"
        "Content-Type: multipart/form-data; boundary=BOUNDARY\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", client.emulator.port), timeout=10) as connection:
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert b"<Message>Post body size must be less than 5G.</Message>" in answer


def test_what_is_not_emulated(client: Any) -> None:
    """What is not emulated answers 501 instead of something half right."""
    for method, query in (
        ("PUT", "symlink"),
        ("GET", "encryption"),
        ("POST", "restore"),
        ("PUT", "lifecycle"),
    ):
        headers = client.make_headers_v4(method, "a.txt", query={query: ""})
        answer = client.request(method, f"/test-bucket/a.txt?{query}", body=b"x" * 100_000, headers=headers)

        assert (501, "NotImplemented") == answer.error[:2]


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_methods_that_oss_does_not_know(client: Any, method: str) -> None:
    """A method without a meaning is told so."""
    headers = client.make_headers_v4(method, "a.txt")
    answer = client.request(method, "/test-bucket/a.txt", body=b"x" * 100_000, headers=headers)
    message = "The specified method is not allowed against this resource."

    assert (405, "MethodNotAllowed", message, "") == answer.error
    assert (method, "Object") == (answer.xml["Method"], answer.xml["ResourceType"])


def test_internal_failure_is_an_oss_error(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault inside answers 500 as OSS does, with CORS headers, and the connection goes on."""

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("ossgate.emulator.app.App._require_bucket", fail)
    answer = client.post(headers={"Origin": "https://a.example"})

    assert (500, "InternalError") == answer.error[:2]
    assert "*" == answer.headers["Access-Control-Allow-Origin"]


def test_truncated_upload_leaves_nothing(client: Any, form: Callable[..., bytes]) -> None:
    """A client that goes away in the middle leaves no file and no object."""
    body = form(client.make_fields(), b"x" * 3_000_000)
    head = (
        f"POST /test-bucket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=BOUNDARY\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", client.emulator.port), timeout=10) as connection:
        connection.sendall(head.encode() + body[:2_000_000])
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert b"<Code>RequestTimeout</Code>" in answer
    assert [] == list((client.emulator.options.data_dir / "uploads").iterdir())
    assert 404 == client.head("a.txt").status
