"""What the SDKs of Java, Go, PHP, Ruby, C, C++ and C# put on the wire, replayed as raw HTTP: one test a peculiarity.

The signing here is these tests' own; what each SDK does was captured from it.
"""

import base64
import email.utils
import hashlib
import hmac
import http.client
import io
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from ossgate.emulator import Emulator

KEY_ID, SECRET = "sdk-key-id", "sdk-key-secret"
BUCKET, REGION = "demo-bucket", "cn-hangzhou"
PART = 100 * 1024
# Query parameters of version 1 that are signed, as far as these tests use them.
SIGNED_V1 = (
    "acl",
    "append",
    "callback",
    "callback-var",
    "partNumber",
    "position",
    "uploadId",
    "uploads",
    "versions",
)
Headers = dict[str, str]


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read whole."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def code(self) -> str:
        """The error's code."""
        return self.tell("Code")

    def tell(self, element: str) -> str:
        """Tell the text of an XML element, the first of its name."""
        return self.body.decode().partition(f"<{element}>")[2].partition("<")[0]


class _Pipe(io.BytesIO):
    """Bytes as the client library wants them: out of something like a socket."""

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        return self


def escape(text: str, safe: str = "") -> str:
    return quote(text, safe=safe + "~")


def sign_v1(
    method: str, key: str | None, headers: Headers, query: Headers, *, expires: str = "", slash: bool = True
) -> str:
    """Sign by version 1; `slash` is what follows the bucket when no key does."""
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    own = "".join(f"{name}:{lower[name]}\n" for name in sorted(lower) if name.startswith("x-oss-"))
    signed = sorted((name, value) for name, value in query.items() if name in SIGNED_V1)
    resource = f"/{BUCKET}" + (f"/{key}" if key is not None else "/" if slash else "")
    if signed:
        resource += "?" + "&".join(f"{name}={value}" if value else name for name, value in signed)
    date = expires or lower.get("x-oss-date") or lower.get("date", "")
    lines = [method, lower.get("content-md5", ""), lower.get("content-type", ""), date, own + resource]
    return base64.b64encode(hmac.digest(SECRET.encode(), "\n".join(lines).encode(), "sha1")).decode()


def sign_v4(
    method: str,
    key: str | None,
    headers: Headers,
    query: Headers,
    *,
    stamp: str,
    day: str,
    slash: bool = True,
) -> str:
    """Sign by version 4; `stamp` goes into the string to sign as it is."""
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    own = "".join(
        f"{name}:{lower[name]}\n"
        for name in sorted(lower)
        if name.startswith("x-oss-") or name in ("content-type", "content-md5")
    )
    pairs = sorted((escape(name), escape(value)) for name, value in query.items())
    resource = f"/{BUCKET}" + (f"/{escape(key, '/')}" if key is not None else "/" if slash else "")
    text = "&".join(f"{name}={value}" if value else name for name, value in pairs)
    canonical = "\n".join([method, resource, text, own, "", "UNSIGNED-PAYLOAD"])
    scope = f"{day}/{REGION}/oss/aliyun_v4_request"
    message = f"OSS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    secret = f"aliyun_v4{SECRET}".encode()
    for step in scope.split("/"):
        secret = hmac.digest(secret, step.encode(), "sha256")
    return hmac.digest(secret, message.encode(), "sha256").hex()


@dataclass(frozen=True)
class Wire:
    """Sends requests as they are written, over a connection of its own."""

    port: int

    def exchange(self, head: str, body: bytes = b"", *, method: str = "", wait: bool = False) -> Answer:
        """Send a head and a body; with `wait`, the body only once it is asked for."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(head.encode())
            if wait:
                assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
            connection.sendall(body)
            received = b""
            while piece := connection.recv(65536):
                received += piece
        response = http.client.HTTPResponse(_Pipe(received), method=method)  # type: ignore[arg-type]
        response.begin()
        return Answer(response.status, response.headers, response.read())

    def send(
        self,
        method: str,
        key: str | None,
        *,
        query: Headers | None = None,
        headers: Headers | None = None,
        body: bytes | None = None,
        path: str | None = None,
        raw_query: str | None = None,
        version: int = 1,
        slash: bool = True,
        wait: bool = False,
        date: str | None = None,
    ) -> Answer:
        """Send a request signed in its headers.

        Args:
            path: How the path is written, when not in the usual way.
            raw_query: How the query is written.
            date: The Date header; in version 4 it is signed in place of x-oss-date.
            slash: What is signed behind the bucket when no key follows.
        """
        query, now = query or {}, datetime.now(UTC)
        headers = {"Host": f"127.0.0.1:{self.port}", **(headers or {})}
        if body is not None and "chunked" not in headers.get("Transfer-Encoding", ""):
            headers.setdefault("Content-Length", str(len(body)))
        if version == 1:
            headers.setdefault("Date", date or email.utils.format_datetime(now, usegmt=True))
            headers["Authorization"] = f"OSS {KEY_ID}:{sign_v1(method, key, headers, query, slash=slash)}"
        else:
            stamp = f"{now:%Y%m%dT%H%M%SZ}"
            headers["x-oss-content-sha256"] = "UNSIGNED-PAYLOAD"
            if date is None:
                headers["x-oss-date"] = stamp
            else:
                headers["Date"] = date
            day = f"{now:%Y%m%d}"
            signature = sign_v4(method, key, headers, query, stamp=date or stamp, day=day, slash=slash)
            credential = f"{KEY_ID}/{day}/{REGION}/oss/aliyun_v4_request"
            headers["Authorization"] = f"OSS4-HMAC-SHA256 Credential={credential},Signature={signature}"
        if path is None:
            path = f"/{BUCKET}/" + (escape(key, "/") if key is not None else "")
        if raw_query is None:
            raw_query = "&".join(
                f"{escape(name)}={escape(value)}" if value else escape(name) for name, value in query.items()
            )
        target = path + (f"?{raw_query}" if raw_query else "")
        lines = [f"{name}: {value}\r\n" for name, value in {**headers, "Connection": "close"}.items()]
        head = f"{method} {target} HTTP/1.1\r\n{''.join(lines)}\r\n"
        return self.exchange(head, body or b"", method=method, wait=wait)

    def presign(
        self, method: str, key: str, query: Headers, *, version: int, headers: Headers | None = None
    ) -> str:
        """Make a target that is signed in its query, the parameters in the given order."""
        if version == 1:
            expires = str(int(datetime.now(UTC).timestamp()) + 60)
            signature = sign_v1(method, key, headers or {}, query, expires=expires)
            query = {**query, "OSSAccessKeyId": KEY_ID, "Expires": expires, "Signature": signature}
        else:
            now = datetime.now(UTC)
            stamp, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
            query = {
                **query,
                "x-oss-signature-version": "OSS4-HMAC-SHA256",
                "x-oss-credential": f"{KEY_ID}/{day}/{REGION}/oss/aliyun_v4_request",
                "x-oss-date": stamp,
                "x-oss-expires": "60",
            }
            query["x-oss-signature"] = sign_v4(method, key, headers or {}, query, stamp=stamp, day=day)
        text = "&".join(f"{escape(name)}={escape(value)}" for name, value in query.items())
        return f"/{BUCKET}/{escape(key, '/')}?{text}"

    def put_by(self, target: str, body: bytes = b"hello", headers: Headers | None = None) -> Answer:
        """Put to a presigned target."""
        fields = {"Host": f"127.0.0.1:{self.port}", "Content-Length": str(len(body)), **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return self.exchange(f"PUT {target} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n", body)

    def initiate(self, key: str) -> str:
        """Begin an upload in parts."""
        return self.send("POST", key, query={"uploads": ""}, body=b"").tell("UploadId")

    def upload_part(self, key: str, upload_id: str, number: int, body: bytes) -> str:
        """Send a part and tell its ETag, bare."""
        query = {"partNumber": str(number), "uploadId": upload_id}
        return self.send("PUT", key, query=query, body=body).headers["ETag"].strip('"')


@pytest.fixture
def wire(emulator: Emulator) -> Wire:
    """The emulator's port, raw."""
    return Wire(emulator.port)


def chunk(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def encode(document: dict[str, Any] | str) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.b64encode(text.encode()).decode()


def make_callback(url: str, **members: Any) -> str:
    return encode({"callbackUrl": url, "callbackBody": "object=${object}&uid=${x:uid}", **members})


VERSIONS = pytest.mark.parametrize("version", [1, 4])


# 1. C


@VERSIONS
def test_length_beside_chunks(wire: Wire, folder: str, version: int) -> None:
    """C sends Content-Length and Transfer-Encoding at once: the chunks count."""
    headers = {"Content-Length": "11", "Transfer-Encoding": "chunked"}
    key = folder + "a"
    put = wire.send("PUT", key, headers=headers, body=chunk(b"hello", b" world"), version=version)

    assert 200 == put.status, put.body
    assert b"hello world" == wire.send("GET", key).body
    begun = wire.send(
        "POST",
        key,
        query={"uploads": ""},
        headers={"Content-Length": "0", "Transfer-Encoding": "chunked"},
        body=chunk(),
        version=version,
    )
    assert begun.tell("UploadId")


# 2. Paths


@VERSIONS
def test_slash_after_the_bucket_is_escaped(wire: Wire, folder: str, version: int) -> None:
    """C escapes even the slash behind the bucket."""
    key = folder + "dir a/键+1.txt"
    path = f"/{BUCKET}%2F{escape(key)}"

    assert 200 == wire.send("PUT", key, path=path, body=b"x", version=version).status
    assert b"x" == wire.send("GET", key, version=version).body


@VERSIONS
def test_slashes_of_the_key_are_escaped(wire: Wire, folder: str, version: int) -> None:
    """Go v1, ossutil and Ruby escape the key's own slashes."""
    key = folder + "dir a/键+1.txt"

    assert 200 == wire.send("PUT", key, path=f"/{BUCKET}/{escape(key)}", body=b"x", version=version).status
    assert b"x" == wire.send("GET", key, version=version).body


def test_blank_as_plus(wire: Wire, folder: str) -> None:
    """Ruby writes a blank as a plus and a plus as %2B, and signs the decoded key."""
    key = folder + "dir a/键+1.txt"
    path = f"/{BUCKET}/{escape(key).replace('%20', '+')}"

    assert 200 == wire.send("PUT", key, path=path, body=b"x").status
    assert b"x" == wire.send("GET", key).body


@VERSIONS
def test_blank_as_plus_in_a_query(wire: Wire, folder: str, version: int) -> None:
    """Form rules hold in queries: a blank is a plus, and signed as a blank."""
    wire.send("PUT", folder + "a b+c", body=b"x")
    query = {"prefix": folder + "a b+"}
    raw = f"prefix={escape(folder)}a+b%2B"

    assert folder + "a b+c" == wire.send("GET", None, query=query, raw_query=raw, version=version).tell("Key")


# 3. Buckets


@pytest.mark.parametrize("path", [f"/{BUCKET}", f"/{BUCKET}/"])
@VERSIONS
def test_bucket_with_and_without_slash(wire: Wire, folder: str, path: str, version: int) -> None:
    """C asks for `/bucket?…` and signs it so; the others ask for `/bucket/`."""
    slash = path.endswith("/")
    answer = wire.send("GET", None, query={"prefix": folder}, path=path, slash=slash, version=version)

    assert 200 == answer.status, answer.body


# 4. Dates


def test_date_as_the_internet_writes_it(wire: Wire, folder: str) -> None:
    """Go v1 and ossutil sign the RFC 1123 Date literally in version 4, without x-oss-date."""
    date = email.utils.format_datetime(datetime.now(UTC), usegmt=True)

    assert 200 == wire.send("PUT", folder + "a", body=b"x", version=4, date=date).status


def test_stamp_in_date(wire: Wire, folder: str) -> None:
    """Android puts version 4's stamp into Date."""
    date = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"

    assert 200 == wire.send("PUT", folder + "a", body=b"x", version=4, date=date).status


@VERSIONS
def test_both_dates(wire: Wire, folder: str, version: int) -> None:
    """Others send x-oss-date beside a Date, which does not count then."""
    old = "Thu, 01 Jan 2015 00:00:00 GMT"
    now = email.utils.format_datetime(datetime.now(UTC), usegmt=True)
    headers = {"x-oss-date": now, "Date": old} if version == 1 else {"Date": old}

    assert 200 == wire.send("PUT", folder + "a", headers=headers, body=b"x", version=version).status


# 5. and 6. Callbacks in URLs


@VERSIONS
def test_callback_in_the_query(wire: Wire, folder: str, receiver: Any, version: int) -> None:
    """C++ and PHP sign `callback` and `callback-var` in the query; by name, `callback` comes first."""
    url = receiver.make_url()
    query = {"callback-var": encode({"x:uid": "7"}), "callback": make_callback(url)}
    answer = wire.put_by(wire.presign("PUT", folder + "a", query, version=version))

    assert 200 == answer.status, answer.body
    assert {"object": folder + "a", "uid": "7"} == receiver.take(url).form


@VERSIONS
def test_callback_in_signed_headers(wire: Wire, folder: str, receiver: Any, version: int) -> None:
    """Go's URLs have the callback in headers that whoever uploads must send."""
    url = receiver.make_url()
    headers = {"x-oss-callback": make_callback(url), "x-oss-callback-var": encode({"x:uid": "7"})}
    target = wire.presign("PUT", folder + "a", {}, version=version, headers=headers)

    assert 200 == wire.put_by(target, headers=headers).status
    assert 403 == wire.put_by(target).status
    assert "7" == receiver.take(url).form["uid"]


def test_listings_are_not_signed_in_version_one(wire: Wire, folder: str) -> None:
    """In version 1 `list-type`, `encoding-type` and `prefix` are no sub-resources."""
    query = {"list-type": "2", "encoding-type": "url", "prefix": folder}

    assert 200 == wire.send("GET", None, query=query).status


# 7. Bodies and odd headers


@VERSIONS
def test_chunks_without_length(wire: Wire, folder: str, version: int) -> None:
    """Java v1, C#, C++ and Ruby put streams in chunks, without a length."""
    headers = {"Transfer-Encoding": "chunked", "Content-Type": "application/octet-stream"}
    body = chunk(b"a" * 70_000, b"b" * 3)

    assert 200 == wire.send("PUT", folder + "a", headers=headers, body=body, version=version).status
    assert b"a" * 70_000 + b"bbb" == wire.send("GET", folder + "a").body


def test_expectation(wire: Wire, folder: str) -> None:
    """C and C# wait for 100 Continue before they send a body."""
    answer = wire.send("PUT", folder + "a", headers={"Expect": "100-continue"}, body=b"hello", wait=True)

    assert 200 == answer.status
    assert b"hello" == wire.send("GET", folder + "a").body


def test_empty_chunks(wire: Wire, folder: str) -> None:
    """Go v2 begins an upload with an empty body in chunks."""
    answer = wire.send(
        "POST",
        folder + "a",
        query={"uploads": ""},
        headers={"Transfer-Encoding": "chunked"},
        body=chunk(),
        version=4,
    )

    assert answer.tell("UploadId")


@pytest.mark.parametrize("raw", ["uploads", "uploads="])
@VERSIONS
def test_empty_value(wire: Wire, folder: str, raw: str, version: int) -> None:
    """`?uploads` and `?uploads=` are the same, and signed the same."""
    answer = wire.send("POST", folder + "a", query={"uploads": ""}, raw_query=raw, body=b"", version=version)

    assert answer.tell("UploadId")


@VERSIONS
def test_names_without_values(wire: Wire, folder: str, version: int) -> None:
    """`&prefix&marker` without values are as if empty."""
    wire.send("PUT", folder + "a", body=b"x")
    query = {"prefix": "", "marker": "", "delimiter": "/", "max-keys": "1000"}
    answer = wire.send(
        "GET", None, query=query, raw_query="delimiter=%2F&marker&max-keys=1000&prefix", version=version
    )

    assert f"<Prefix>{folder}</Prefix>" in answer.body.decode()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@VERSIONS
def test_bodiless_with_headers_of_a_body(wire: Wire, folder: str, method: str, version: int) -> None:
    """GET and HEAD come with Content-Type, Content-MD5 and a length of 0, all signed."""
    wire.send("PUT", folder + "a", body=b"hello")
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg==",
        "Content-Length": "0",
    }
    answer = wire.send(method, folder + "a", headers=headers, version=version)

    assert (200, "5") == (answer.status, answer.headers["Content-Length"])


# 8. Complete's XML


@pytest.mark.parametrize(
    "quoted", ['"{}"', "&quot;{}&quot;", "&#34;{}&#34;", "{}"], ids=["plain", "quot", "number", "bare"]
)
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "application/octet-stream", ""]
)
def test_complete(wire: Wire, folder: str, quoted: str, declared: bool, content_type: str) -> None:
    """ETags in four spellings, with and without declaration, pretty or not, under any Content-Type."""
    key = folder + "a"
    upload_id = wire.initiate(key)
    etags = [wire.upload_part(key, upload_id, 1, b"a" * PART), wire.upload_part(key, upload_id, 2, b"b")]
    gap = "\n  " if declared else ""
    parts = "".join(
        f"{gap}<Part>{gap}<PartNumber>{number}</PartNumber>{gap}<ETag>{quoted.format(etag)}</ETag>{gap}</Part>"
        for number, etag in enumerate(etags, 1)
    )
    xml = f"<CompleteMultipartUpload>{parts}{gap}</CompleteMultipartUpload>"
    if declared:
        xml = f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}'
    headers = {"Content-Type": content_type} if content_type else {}
    answer = wire.send("POST", key, query={"uploadId": upload_id}, headers=headers, body=xml.encode())

    assert 200 == answer.status, answer.body
    assert b"a" * PART + b"b" == wire.send("GET", key).body


# 9. Callback definitions


DEFINITIONS = {
    "no body type (C#, C++)": '{{"callbackUrl":"{url}","callbackBody":"object=${{object}}&uid=${{x:uid}}"}}',
    "escapes (PHP)": '{{"callbackUrl":"{escaped}","callbackBody":"object=${{object}}&uid=\\u503c"}}',
    "blanks at the end (Java)": (
        '{{"callbackUrl":"{url}","callbackBody":"object=${{object}}&uid=${{x:uid}}   ",'
        '"callbackBodyType":"application/x-www-form-urlencoded  "}}'
    ),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_callback_definition(wire: Wire, folder: str, receiver: Any, name: str) -> None:
    """Definitions as these SDKs write them are understood."""
    url = receiver.make_url()
    text = DEFINITIONS[name].format(url=url, escaped=url.replace("/", "\\/"))
    headers = {"x-oss-callback": encode(text), "x-oss-callback-var": encode({"x:uid": "7"})}
    answer = wire.send("PUT", folder + "a", headers=headers, body=b"hello")

    assert 200 == answer.status, answer.body
    assert "值" if "PHP" in name else "7" == receiver.take(url).form["uid"].strip()


# 10. What a callback's success looks like


@VERSIONS
def test_answer_of_a_callback(wire: Wire, folder: str, receiver: Any, version: int) -> None:
    """The receiver's bytes, with each header that C# reads."""
    headers = {"x-oss-callback": make_callback(receiver.make_url())}
    answer = wire.send("PUT", folder + "a", headers=headers, body=b"hello", version=version)

    assert b'{"Status":"OK","note":"\xe4\xbd\xa0\xe5\xa5\xbd"}' == answer.body
    assert ("application/json", str(len(answer.body))) == (
        answer.headers["Content-Type"],
        answer.headers["Content-Length"],
    )
    assert ('"5D41402ABC4B2A76B9719D911017C592"', "XUFAKrxLKna5cZ2REBfFkg==", "11177612005948864433") == (
        answer.headers["ETag"],
        answer.headers["Content-MD5"],
        answer.headers["x-oss-hash-crc64ecma"],
    )
    assert 24 == len(answer.headers["x-oss-request-id"])
    assert answer.headers["x-oss-server-time"].isdigit()
    assert email.utils.parsedate_to_datetime(answer.headers["Date"])


def test_answer_without_callback(wire: Wire, folder: str) -> None:
    """A PUT without callback is answered without a Content-Type."""
    answer = wire.send("PUT", folder + "a", body=b"hello")

    assert (200, None, b"") == (answer.status, answer.headers["Content-Type"], answer.body)


# 11. What their live tests assert


BODY = "object=${object}"
REFUSED = {
    "no host": {"callbackUrl": "my", "callbackBody": BODY},
    "port that is none": {"callbackUrl": "my.com:test", "callbackBody": BODY},
    "six addresses": {"callbackUrl": ";".join(["http://a.example"] * 6), "callbackBody": BODY},
    "empty body": {"callbackUrl": "http://a.example", "callbackBody": ""},
    "other brackets": {"callbackUrl": "http://a.example", "callbackBody": "object=$(object)"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_definition_refused(wire: Wire, folder: str, name: str) -> None:
    """InvalidArgument, and nothing is stored."""
    headers = {"x-oss-callback": encode(REFUSED[name])}
    answer = wire.send("PUT", folder + "a", headers=headers, body=b"hello")

    assert (400, "InvalidArgument") == (answer.status, answer.code)
    assert 404 == wire.send("HEAD", folder + "a").status


def test_too_many_variables(wire: Wire, folder: str) -> None:
    """Ten kilobytes of variables are refused."""
    headers = {
        "x-oss-callback": make_callback("http://a.example"),
        "x-oss-callback-var": encode({"x:uid": "a" * 10_240}),
    }
    answer = wire.send("PUT", folder + "a", headers=headers, body=b"hello")

    assert (400, "InvalidArgument") == (answer.status, answer.code)


def test_no_scheme(wire: Wire, folder: str, receiver: Any) -> None:
    """A URL without scheme is valid."""
    url = receiver.make_url()
    headers = {"x-oss-callback": make_callback(url.removeprefix("http://"))}

    assert 200 == wire.send("PUT", folder + "a", headers=headers, body=b"hello").status
    assert receiver.take(url)


def test_dead_receiver(wire: Wire, folder: str) -> None:
    """Where nobody listens: status 203 with exactly this text, and the object is kept."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    headers = {"x-oss-callback": make_callback(f"http://127.0.0.1:{port}/")}
    answer = wire.send("PUT", folder + "a", headers=headers, body=b"hello")

    assert (203, "CallbackFailed", "Error status : 502.") == (
        answer.status,
        answer.code,
        answer.tell("Message"),
    )
    assert b"hello" == wire.send("GET", folder + "a").body


# 12. 203, as each SDK must be able to see it


def test_failed_callback_is_no_json(wire: Wire, folder: str, receiver: Any) -> None:
    """Who looks at status, type or body can tell: 203, XML, the error's members, and the upload's own headers."""
    headers = {"x-oss-callback": make_callback(receiver.make_url("refuse"))}
    answer = wire.send("PUT", folder + "a", headers=headers, body=b"hello", version=4)

    assert (203, "application/xml") == (answer.status, answer.headers["Content-Type"])
    assert answer.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<Error>')
    assert (answer.headers["x-oss-request-id"], "0007-00000203") == (
        answer.tell("RequestId"),
        answer.tell("EC"),
    )
    assert '"5D41402ABC4B2A76B9719D911017C592"' == answer.headers["ETag"]


# 13. What listings and clean-ups ask


@pytest.mark.parametrize("query", [{}, {"list-type": "2"}], ids=["first", "second"])
def test_listing_in_url_encoding(wire: Wire, folder: str, query: Headers) -> None:
    """Keys come percent-encoded when they are asked for so."""
    wire.send("PUT", folder + "键 +/a", body=b"x")
    answer = wire.send("GET", None, query={**query, "prefix": folder, "encoding-type": "url"})

    assert ("url", escape(folder + "键 +/a")) == (answer.tell("EncodingType"), answer.tell("Key"))


def test_acl_by_ossutil(wire: Wire, folder: str) -> None:
    """`ossutil stat` asks for the ACL."""
    wire.send("PUT", folder + "a", body=b"x")

    assert "default" == wire.send("GET", folder + "a", query={"acl": ""}).tell("Grant")


@VERSIONS
def test_clean_up(wire: Wire, folder: str, version: int) -> None:
    """Live tests clean up by versions and uploads, then take the bucket away."""
    ask: Callable[..., Answer] = wire.send
    wire.send("PUT", folder + "a", body=b"x" * PART)
    upload_id = wire.initiate(folder + "b")
    copied = ask(
        "PUT",
        folder + "b",
        query={"partNumber": "1", "uploadId": upload_id},
        headers={"x-oss-copy-source": f"/{BUCKET}/{escape(folder + 'a')}"},
        version=version,
    )

    assert 200 == copied.status, copied.body
    listed = ask("GET", folder + "b", query={"uploadId": upload_id}, version=version)
    assert (copied.tell("ETag"), str(PART)) == (listed.tell("ETag"), listed.tell("Size"))
    versions = ask("GET", None, query={"versions": "", "prefix": folder}, version=version)
    assert (folder + "a", "null") == (versions.tell("Key"), versions.tell("VersionId"))
    uploads = ask("GET", None, query={"uploads": "", "prefix": folder}, version=version)
    assert upload_id == uploads.tell("UploadId")
    assert 204 == ask("DELETE", folder + "b", query={"uploadId": upload_id}, version=version).status
    assert 204 == ask("DELETE", folder + "a", version=version).status
