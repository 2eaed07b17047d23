"""PutObject: bytes, headers, digests, refusals; callbacks stand in test_put_callback.py."""

import base64
import hashlib
import socket
from collections.abc import Callable
from typing import Any

import pytest
from anycrc import Model

HELLO_ETAG = '"5D41402ABC4B2A76B9719D911017C592"'
HELLO_MD5 = "XUFAKrxLKna5cZ2REBfFkg=="
KEYS = ["图/片 1.png", "a//b", "dir/", "a/../b", "%41", "a+b&c=d?e#f", "'()*!~", "a\\b", "k" * 1023]


def send_raw(client: Any, head: str, body: bytes, key: str = "a.txt") -> bytes:
    signed = client.make_headers_v4("PUT", key)
    lines = [f"PUT /test-bucket/{key} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", head]
    lines += [f"{name}: {value}" for name, value in signed.items()]
    raw = "\r\n".join(line for line in lines if line) + "\r\n\r\n"
    with socket.create_connection(("127.0.0.1", client.emulator.port), timeout=10) as connection:
        connection.sendall(raw.encode() + body)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_put_and_get(client: Any) -> None:
    """What is put comes back; the answer tells its digests and has neither body nor type."""
    answer = client.put()

    assert (200, b"", "0") == (answer.status, answer.body, answer.headers["Content-Length"])
    assert (HELLO_ETAG, HELLO_MD5) == (answer.headers["ETag"], answer.headers["Content-MD5"])
    assert "11177612005948864433" == answer.headers["x-oss-hash-crc64ecma"]
    assert answer.headers["Content-Type"] is None
    assert b"hello" == client.get("a.txt").body


@pytest.mark.parametrize("key", KEYS)
def test_any_key(client: Any, key: str) -> None:
    """Whatever the key looks like, it is stored under that name."""
    assert 200 == client.put(key, key.encode()).status
    assert key.encode() == client.get(key).body


@pytest.mark.parametrize(
    ("key", "raw"), [("k" * 1024, None), ("/a", None), ("\\a", None), ("", "/test-bucket/%FF")]
)
def test_keys_that_are_none(client: Any, key: str, raw: str | None) -> None:
    """Keys that are too long, begin with a slash or are no UTF-8 are refused."""
    answer = client.request("PUT", raw, body=b"") if raw else client.put(key)

    assert (400, "InvalidObjectName", "The specified object is not valid.", "") == answer.error


def test_empty_object(client: Any) -> None:
    """An object may be empty."""
    answer = client.put(body=b"")

    assert '"D41D8CD98F00B204E9800998ECF8427E"' == answer.headers["ETag"]
    assert "0" == answer.headers["x-oss-hash-crc64ecma"]
    assert "0" == client.head("a.txt").headers["Content-Length"]


def test_headers_are_kept(client: Any) -> None:
    """What was said of the object is answered by HEAD and GET."""
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "no-cache",
        "Content-Disposition": 'attachment; filename="a.txt"',
        "Content-Encoding": "identity",
        "Expires": "Fri, 28 Feb 2031 05:38:42 GMT",
        "x-oss-meta-author": "zhang",
        "x-oss-storage-class": "IA",
        "x-oss-server-side-encryption": "AES256",
        "x-oss-tagging": "a=1&b=2%203",
    }
    assert "AES256" == client.put(**headers).headers["x-oss-server-side-encryption"]
    for method in ("HEAD", "GET"):
        found = client.send(method, "a.txt").headers

        del headers["x-oss-tagging"], headers["x-oss-meta-author"]
        assert headers == {name: found[name] for name in headers}
        assert ("zhang", "2") == (found["x-oss-meta-author"], found["x-oss-tagging-count"])
        headers |= {"x-oss-tagging": "", "x-oss-meta-author": ""}


def test_type_when_none_is_given(client: Any) -> None:
    """An object without a type is application/octet-stream."""
    client.put()

    assert "application/octet-stream" == client.head("a.txt").headers["Content-Type"]


def test_chunked(client: Any) -> None:
    """A body of unknown length may come in chunks."""
    answer = send_raw(client, "Transfer-Encoding: chunked", b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"hello" == client.get("a.txt").body


def test_chunked_with_a_length(client: Any) -> None:
    """With both, as the C SDK sends them, the chunks count."""
    answer = send_raw(client, "Content-Length: 5\r\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"hello" == client.get("a.txt").body


def test_without_length(client: Any) -> None:
    """A body needs a length or chunks."""
    answer = send_raw(client, "", b"")

    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"<Code>MissingContentLength</Code>" in answer
    assert b"<Message>You must provide the Content-Length HTTP header.</Message>" in answer


def test_above_five_gigabytes(client: Any) -> None:
    """An impossible length is refused before anything is received."""
    answer = send_raw(client, f"Content-Length: {5 * 1024**3 + 1}\r\nExpect: 100-continue", b"")

    assert b"<Code>InvalidArgument</Code>" in answer
    assert b"<Message>The object size exceeds the maximum of 5 GB.</Message>" in answer


def test_truncated(client: Any) -> None:
    """A client that goes away in the middle changes nothing."""
    client.put(body=b"old")
    signed = client.make_headers_v4("PUT", "a.txt")
    head = "PUT /test-bucket/a.txt HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    with socket.create_connection(("127.0.0.1", client.emulator.port), timeout=10) as connection:
        connection.sendall(head.encode() + b"\r\nnew")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"<Code>RequestTimeout</Code>" in answer
    assert b"old" == client.get("a.txt").body
    assert [] == list((client.emulator.options.data_dir / "uploads").iterdir())


def test_content_md5(client: Any) -> None:
    """A right digest passes; a wrong or malformed one stores nothing."""
    message = "The Content-MD5 you specified was invalid."
    for digest in (base64.b64encode(hashlib.md5(b"other").digest()).decode(), "not base64", "aGVsbG8="):
        assert (400, "InvalidDigest", message, "") == client.put(Content_MD5=digest).error
    assert 404 == client.head("a.txt").status
    assert 200 == client.put(Content_MD5=HELLO_MD5).status


@pytest.mark.parametrize("acl", ["private", "public-read", "public-read-write", "default"])
def test_object_acl(client: Any, acl: str) -> None:
    """An object may be readable by everybody in a private bucket."""
    client.put(x_oss_object_acl=acl)
    expected = 200 if acl.startswith("public") else 403

    assert expected == client.request("GET", "/test-bucket/a.txt").status


REFUSED = [
    ("x-oss-object-acl", "open", 400, "InvalidArgument", "no such object access control exists.", ""),
    (
        "x-oss-storage-class",
        "Cold",
        400,
        "InvalidArgument",
        "The storage class you specified is not valid.",
        "",
    ),
    (
        "x-oss-server-side-encryption",
        "DES",
        400,
        "InvalidEncryptionAlgorithmError",
        "The encryption algorithm you specified is not valid.",
        "",
    ),
    ("x-oss-server-side-encryption", "KMS", 403, "KmsServiceNotEnabled", "KMS is not enabled.", ""),
    (
        "x-oss-forbid-overwrite",
        "yes",
        400,
        "InvalidArgument",
        "The value of x-oss-forbid-overwrite must be true or false.",
        "0006-00000117",
    ),
    ("x-oss-tagging", "a=1&a=2", 400, "InvalidTag", "The tagging is not valid.", ""),
    ("x-oss-tagging", "=1", 400, "InvalidTag", "The tagging is not valid.", ""),
    (
        "x-oss-tagging",
        "&".join(f"{n}=1" for n in range(11)),
        400,
        "InvalidTag",
        "The tagging is not valid.",
        "",
    ),
    (
        "x-oss-meta-a",
        "x" * 8192,
        400,
        "InvalidArgument",
        "Your metadata headers exceed the maximum allowed metadata size.",
        "",
    ),
    (
        "x-oss-meta-a_b",
        "1",
        400,
        "InvalidArgument",
        "The name of a user metadata header must be letters, digits and hyphens.",
        "",
    ),
    (
        "If-Modified-Since",
        "Fri, 28 Feb 2031 05:38:42 GMT",
        400,
        "NotImplemented",
        "A header you provided implies functionality that is not implemented.",
        "",
    ),
    ("Cache-Control", "caf\xe9", 400, "InvalidArgument", "Invalid Argument.", ""),
]


@pytest.mark.parametrize(("name", "value", "status", "code", "message", "ec"), REFUSED)
def test_header_refused(
    client: Any, name: str, value: str, status: int, code: str, message: str, ec: str
) -> None:
    """A value that OSS does not know is refused, and nothing is stored."""
    answer = client.send("PUT", "a.txt", body=b"hello", headers={name: value})

    assert (status, code, message, ec) == answer.error
    assert 404 == client.head("a.txt").status


def test_forbid_overwrite(client: Any) -> None:
    """A taken key is refused when the request says so, and the old object stays."""
    assert 200 == client.put(x_oss_forbid_overwrite="true").status
    answer = client.put(body=b"new", x_oss_forbid_overwrite="true")
    message = "The object you specified already exists and can not be overwritten."

    assert (409, "FileAlreadyExists", message, "") == answer.error
    assert b"hello" == client.get("a.txt").body
    assert 200 == client.put(body=b"new", x_oss_forbid_overwrite="false").status


def test_versioned_bucket(start_emulator: Callable[..., Any]) -> None:
    """Where versions are kept, forbidding overwrites is void, and answers name the version."""
    client = start_emulator(versioned=True)
    first = client.put().headers["x-oss-version-id"]
    answer = client.put(body=b"new", x_oss_forbid_overwrite="true")

    assert 200 == answer.status
    assert first
    assert first != answer.headers["x-oss-version-id"] == client.head("a.txt").headers["x-oss-version-id"]


def test_anonymous(start_emulator: Callable[..., Any], client: Any) -> None:
    """Without a signature only a public-read-write bucket takes objects."""
    message = "You have no right to access this object because of bucket acl."
    answer = client.request("PUT", "/test-bucket/a.txt", body=b"hello")
    assert (403, "AccessDenied", message, "0003-00000001") == answer.error

    opened = start_emulator(bucket_acl="public-read-write")
    assert 200 == opened.request("PUT", "/test-bucket/a.txt", body=b"hello").status


def test_large_body_in_pieces(client: Any) -> None:
    """An object of several pieces has the right digests."""
    data = bytes(range(256)) * 16384
    answer = client.put(body=data)

    assert f'"{hashlib.md5(data).hexdigest().upper()}"' == answer.headers["ETag"]
    assert str(Model("CRC64-XZ").calc(data)) == answer.headers["x-oss-hash-crc64ecma"]
