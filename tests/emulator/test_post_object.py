"""PostObject: what a valid form stores and how it is answered."""

import base64
import hashlib
import http.client
from collections.abc import Callable
from typing import Any

import anycrc
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


def test_redirect_after_success(client: Any) -> None:
    """A redirect is 303 to the URL as it stands, and makes the status field count for nothing."""
    url = "https://app.example/done?a=1&b=%E5%9B%BE"
    answer = client.post(client.make_fields(success_action_redirect=url, success_action_status="200"))

    assert (303, url, b"") == (answer.status, answer.headers["Location"], answer.body)


def test_failure_does_not_redirect(client: Any) -> None:
    """A refused form is answered with its error."""
    answer = client.post(client.make_fields(expires_in=-1, success_action_redirect="https://app.example/"))

    assert 403 == answer.status


def test_headers_and_metadata_are_kept(client: Any) -> None:
    """What the form says about the object comes back with HEAD and GET."""
    fields = {
        "Cache-Control": "no-cache",
        "Content-Disposition": 'attachment; filename="a.txt"',
        "Content-Encoding": "identity",
        "Expires": "Wed, 08 Jul 2026 16:57:01 GMT",
        "x-oss-meta-Author": "Łucja",
        "x-oss-storage-class": "IA",
        "x-oss-server-side-encryption": "AES256",
    }
    client.post(client.make_fields(**fields))
    head = client.head("a.txt").headers

    for name in ("Cache-Control", "Content-Disposition", "Content-Encoding", "Expires"):
        assert fields[name] == head[name]
    assert "Łucja" == head["x-oss-meta-author"].encode("latin-1").decode()
    assert "IA" == head["x-oss-storage-class"]


def test_header_values_cannot_split_the_answer(client: Any) -> None:
    """A line break in a field does not become a header of its own."""
    client.post(client.make_fields(**{"Cache-Control": "a\r\nX-Evil: 1", "x-oss-meta-a": "b\nc"}))
    head = client.head("a.txt").headers

    assert head["X-Evil"] is None
    assert ("a  X-Evil: 1", "b c") == (head["Cache-Control"], head["x-oss-meta-a"])


def test_acl_may_come_as_a_header(client: Any) -> None:
    """The form field wins over the request header."""
    client.post(client.make_fields(key="h.txt"), headers={"x-oss-object-acl": "public-read"})
    client.post(
        client.make_fields(key="f.txt", **{"x-oss-object-acl": "private"}),
        headers={"x-oss-object-acl": "public-read"},
    )

    assert 200 == client.request("GET", "/test-bucket/h.txt").status
    assert 403 == client.request("GET", "/test-bucket/f.txt").status


@pytest.mark.parametrize(
    ("file_name", "stored"),
    [
        ("cat.jpg", "u/cat.jpg"),
        ("/a/b/cat.jpg", "u/cat.jpg"),
        ("C:\\x\\cat.jpg", "u/cat.jpg"),
        ("图.jpg", "u/图.jpg"),
    ],
)
def test_file_name_in_the_key(client: Any, file_name: str, stored: str) -> None:
    """`${filename}` becomes the uploaded file's base name."""
    answer = client.post(
        client.make_fields(key="u/${filename}", success_action_status="201"), file_name=file_name
    )

    assert stored == answer.xml["Key"]


@pytest.mark.parametrize(
    "host", ["test-bucket.oss-cn-hangzhou.aliyuncs.com", "test-bucket.localhost:9000", "up.example.com"]
)
def test_virtual_hosts(start_emulator: Callable[..., Any], host: str) -> None:
    """The bucket may stand in the host name, or behind a domain of its own."""
    client = start_emulator(cname_buckets={"up.example.com": "test-bucket"})
    fields = client.make_fields(key="a.txt", success_action_status="201")
    answer = client.post(fields, target="/", headers={"Host": host})

    assert f"http://{host}/a.txt" == answer.xml["Location"]
    assert b"hello" == client.get("a.txt").body
    target = client.presign("GET", "a.txt").removeprefix("/test-bucket")
    assert b"hello" == client.request("GET", target, headers={"Host": host}).body


def test_authorization_on_a_form_is_not_looked_at(client: Any) -> None:
    """The form's own signature counts, whatever a header says."""
    assert client.post(headers={"Authorization": "OSS nobody:nothing"}).status == 204
    assert client.post(target="/test-bucket?Signature=nothing&x=1").status == 204


def test_chunked_body(client: Any, form: Callable[..., bytes]) -> None:
    """A body without a length is taken as well."""
    body = form(client.make_fields(), b"x" * 300_000)
    pieces = [body[start : start + 70_000] for start in range(0, len(body), 70_000)]
    headers = {"Content-Type": "multipart/form-data; boundary=BOUNDARY", "Transfer-Encoding": "chunked"}
    connection = http.client.HTTPConnection("127.0.0.1", client.emulator.port, timeout=10)
    connection.request("POST", "/test-bucket", body=iter(pieces), headers=headers, encode_chunked=True)
    status = connection.getresponse().status
    connection.close()

    assert 204 == status
    assert "300000" == client.head("a.txt").headers["Content-Length"]


def test_connection_is_kept(client: Any, form: Callable[..., bytes]) -> None:
    """Refused or accepted, the next request goes over the same connection."""
    connection = http.client.HTTPConnection("127.0.0.1", client.emulator.port, timeout=10)
    connection.connect()
    socket = connection.sock
    headers = {"Content-Type": "multipart/form-data; boundary=BOUNDARY"}
    statuses = []
    for expires_in in (600, -1, 600):
        body = form(client.make_fields(expires_in=expires_in), b"x" * 200_000)
        connection.request("POST", "/test-bucket", body=body, headers=headers)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
        assert connection.sock is socket
    connection.close()

    assert [204, 403, 204] == statuses


@pytest.mark.parametrize("text", ["", "123456789", "hello", "hello world"])
def test_crc64(client: Any, vectors: Callable[[str], Any], text: str) -> None:
    """The checksum is OSS's own CRC-64."""
    known = {case["ascii"]: case["crc_decimal"] for case in vectors("etag-crc.json")["crc64_ecma"]["cases"]}

    assert known[text] == client.post(file=text.encode()).headers["x-oss-hash-crc64ecma"]


def test_digests_of_a_large_file(client: Any) -> None:
    """Pieces hashed beside the receiving give the digests of the whole, with parts behind the file as well."""
    data = hashlib.sha256(b"seed").digest() * 200_000
    after = b'--BOUNDARY\r\nContent-Disposition: form-data; name="later"\r\n\r\n' + b"x" * 4_000_000 + b"\r\n"
    answer = client.post(file=data, after=after)
    whole = anycrc.Model("CRC64-XZ").calc(data)

    assert answer.headers["ETag"] == f'"{hashlib.md5(data).hexdigest().upper()}"'
    assert answer.headers["x-oss-hash-crc64ecma"] == str(whole)
    assert client.get("a.txt").body == data


@pytest.mark.parametrize(
    "field", [{"x-oss-tagging": "a=b"}, {"x-oss-tagging": "="}, {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}]
)
def test_field_that_means_something_elsewhere_alone(client: Any, field: dict[str, str]) -> None:
    """A form has neither tags nor a digest of its file; what is said of them is passed over."""
    answer = client.post(client.make_fields(key="a.txt", **field))

    assert answer.status == 204
    assert "x-oss-tagging-count" not in client.head("a.txt").headers
