"""Request lines in the spellings of real clients: one test a peculiarity."""

import base64
import hashlib
import hmac
import http.client
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

FAKE_HOST = "test-bucket.oss-cn-hangzhou.aliyuncs.com"


def send(client: Any, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Any:
    """Send exactly this target; the library's own client would not let some of them pass."""
    connection = http.client.HTTPConnection("127.0.0.1", client.emulator.port, timeout=10)
    try:
        connection._validate_path = lambda _: None  # type: ignore[method-assign]
        connection.putrequest(method, target, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def sign_v1(client: Any, method: str, resource: str, **headers: str) -> dict[str, str]:
    date = format_datetime(datetime.now(UTC), usegmt=True)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    block = "".join(f"{name}:{value}\n" for name, value in sorted(named.items()) if name.startswith("x-oss-"))
    message = f"{method}\n\n{named.get('Content-Type', '')}\n{date}\n{block}{resource}"
    digest = hmac.digest(client.access_key_secret.encode(), message.encode(), hashlib.sha1)
    signature = base64.b64encode(digest).decode()
    return {**named, "Date": date, "Authorization": f"OSS {client.access_key_id}:{signature}"}


def test_slash_behind_the_bucket_encoded(client: Any) -> None:
    """The C SDK encodes even the slash between bucket and key."""
    headers = sign_v1(client, "PUT", "/test-bucket/dir a/键+1.txt")
    status, _ = send(client, "PUT", "/test-bucket%2Fdir%20a%2F%E9%94%AE%2B1.txt", headers, b"hello")

    assert 200 == status
    assert b"hello" == client.get("dir a/键+1.txt").body


def test_blank_written_as_a_plus(client: Any) -> None:
    """Ruby writes a blank as a plus and a plus as %2B, and signs the decoded key."""
    headers = sign_v1(client, "PUT", "/test-bucket/dir a/键+1.txt")
    status, _ = send(client, "PUT", "/test-bucket/dir+a%2F%E9%94%AE%2B1.txt", headers, b"hello")

    assert 200 == status
    assert b"hello" == client.get("dir a/键+1.txt").body


def test_plus_that_is_a_plus(client: Any) -> None:
    """A plus that is signed as one stays one."""
    headers = sign_v1(client, "PUT", "/test-bucket/a+b.txt")
    status, _ = send(client, "PUT", "/test-bucket/a+b.txt", headers, b"hello")

    assert (200, b"hello") == (status, client.get("a+b.txt").body)
    assert 404 == client.head("a b.txt").status


@pytest.mark.parametrize("version", [1, 4])
def test_bucket_without_a_slash(client: Any, version: int) -> None:
    """The C SDK asks for `/bucket?…` and signs it as it stands; others sign the slash."""
    client.put()
    if version == 1:
        bare = sign_v1(client, "GET", "/test-bucket")
        slashed = sign_v1(client, "GET", "/test-bucket/")
    else:
        slashed = client.make_headers_v4("GET", "")
        bare = sign_v4_path(client, "/test-bucket")

    assert [200, 200, 200] == [
        send(client, "GET", target, headers)[0]
        for target, headers in (
            ("/test-bucket", bare),
            ("/test-bucket", slashed),
            ("/test-bucket/", slashed),
        )
    ]
    assert 403 == send(client, "GET", "/test-bucket/", bare)[0]


def sign_v4_path(client: Any, path: str, date: str = "", **extra: str) -> dict[str, str]:
    now = datetime.now(UTC)
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    scope = f"{stamp[:8]}/{client.region}/oss/aliyun_v4_request"
    signed = {"x-oss-content-sha256": "UNSIGNED-PAYLOAD", **extra}
    if not date:
        signed["x-oss-date"] = stamp
    block = "".join(f"{name}:{value}\n" for name, value in sorted(signed.items()))
    canonical = "\n".join(["GET", path, "", block, "", "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signature = client.sign_v4(f"OSS4-HMAC-SHA256\n{date or stamp}\n{scope}\n{digest}", stamp[:8])
    authorization = f"OSS4-HMAC-SHA256 Credential={client.access_key_id}/{scope}, Signature={signature}"
    return {**signed, **({"Date": date} if date else {}), "Authorization": authorization}


def test_date_of_http_signed_as_it_stands(client: Any) -> None:
    """Go v1 and ossutil put the Date header literally into what V4 signs; Android sends the stamp in Date."""
    client.put()
    literal = sign_v4_path(client, "/test-bucket/a.txt", format_datetime(datetime.now(UTC), usegmt=True))
    stamp = sign_v4_path(client, "/test-bucket/a.txt", f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}")

    assert [200, 200] == [
        send(client, "GET", "/test-bucket/a.txt", headers)[0] for headers in (literal, stamp)
    ]


def test_bucket_in_host_and_path(client: Any) -> None:
    """ali-oss on an address with sldEnable: a made-up Host, and path style beside it."""
    client.put()
    client.put("test-bucket/b.txt", b"other")
    path_style = {**client.make_headers_v4("GET", "a.txt"), "Host": FAKE_HOST}
    by_host = {**client.make_headers_v4("GET", "test-bucket/b.txt"), "Host": FAKE_HOST}
    bucket = {**client.make_headers_v4("GET", ""), "Host": FAKE_HOST}

    assert (200, b"hello") == send(client, "GET", "/test-bucket/a.txt", path_style)
    assert (200, b"other") == send(client, "GET", "/test-bucket/b.txt", by_host)
    assert b"<ListBucketResult>" in send(client, "GET", "/test-bucket/", bucket)[1]
    # The transcript tells what was meant.
    told = client.request("GET", "/_emulator/events").json["events"]
    assert [("get_object", "a.txt"), ("get_object", "test-bucket/b.txt"), ("list_objects", None)] == [
        (event["event"], event.get("object_key")) for event in told[-3:]
    ]


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("test-bucket.oss-cn-hangzhou.aliyuncs.com", "/a.txt"),
        ("test-bucket.oss-cn-hangzhou-internal.aliyuncs.com", "/a.txt"),
        ("test-bucket.localhost", "/a.txt"),
        ("test-bucket.oss.test:8080", "/a.txt"),
        ("IMG.example.com", "/a.txt"),
        ("127.0.0.1", "/test-bucket/a.txt"),
        ("oss-cn-hangzhou.aliyuncs.com", "/test-bucket/a.txt"),
    ],
)
def test_addressing(start_emulator: Callable[..., Any], host: str, target: str) -> None:
    """Path style, virtual hosts under several endpoints, own domains: one signature for all."""
    client = start_emulator(
        host_suffixes=("localhost", "oss.test"), cname_buckets={"img.example.com": "test-bucket"}
    )
    client.put()
    headers = {**client.make_headers_v4("GET", "a.txt"), "Host": host}

    assert (200, b"hello") == send(client, "GET", target, headers)


def test_token_in_an_unusual_header(client: Any, start_emulator: Callable[..., Any]) -> None:
    """The Python SDK v2 under V1 sends the token in `security-token`, unsigned."""
    client.put()
    client.access_key_id, client.access_key_secret = "STS.test-key-id", "sts-secret"
    headers = sign_v1(client, "GET", "/test-bucket/a.txt")

    assert 403 == send(client, "GET", "/test-bucket/a.txt", headers)[0]
    assert 200 == send(client, "GET", "/test-bucket/a.txt", {**headers, "security-token": "sts-token"})[0]


def test_refusal_shows_the_usual_reading(client: Any) -> None:
    """When no reading holds, the one that most clients mean is shown."""
    headers = sign_v1(client, "GET", "/other")
    status, body = send(client, "GET", "/test-bucket/a+b.txt", headers)

    assert 403 == status
    assert b"<Code>SignatureDoesNotMatch</Code>" in body
    assert b"/test-bucket/a+b.txt</StringToSign>" in body
    assert b"<StringToSignBytes>47 45 54 0A " in body


def test_signature_in_header_and_query(client: Any) -> None:
    """One signature a request."""
    headers = client.make_headers_v4("GET", "a.txt")
    answer = client.request("GET", client.presign("GET", "a.txt"), headers=headers)
    message = "Only one signature may be given: header or query string."

    assert (400, "InvalidArgument", message, "") == answer.error


def test_empty_chunked_post(client: Any) -> None:
    """Go v2 begins an upload by an empty chunked body."""
    headers = client.make_headers_v4("POST", "a.txt", query={"uploads": ""})
    connection = http.client.HTTPConnection("127.0.0.1", client.emulator.port, timeout=10)
    connection.request("POST", "/test-bucket/a.txt?uploads", body=iter([]), headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()

    assert (200, True) == (response.status, b"<UploadId>" in body)


def test_get_with_a_length_and_a_digest(client: Any) -> None:
    """Some SDKs sign a digest and type of the empty body on every request."""
    client.put()
    headers = {"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg==", "Content-Type": "application/octet-stream"}

    assert b"hello" == client.send("GET", "a.txt", body=b"", headers=headers).body
