"""The callback request as it arrives, and what the uploader is told of its outcome."""

import base64
import hashlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from ossgate.emulator.callback_key import CallbackKey

HEADERS_IN_ORDER = [
    "Host",
    "Connection",
    "Content-Length",
    "Authorization",
    "Content-MD5",
    "Content-Type",
    "Date",
    "User-Agent",
    "x-oss-additional-headers",
    "x-oss-bucket",
    "x-oss-owner",
    "x-oss-pub-key-url",
    "x-oss-request-id",
    "x-oss-requester",
    "x-oss-signature-version",
    "x-oss-tag",
    "eagleeye-rpcid",
]
Post = Callable[..., Any]


def verify(public_pem: str, authorization: str, message: bytes) -> None:
    key = serialization.load_pem_public_key(public_pem.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(base64.b64decode(authorization), message, padding.PKCS1v15(), hashes.MD5())


@pytest.fixture
def post(client: Any, receiver: Any, callback: Callable[..., str]) -> Post:
    """Post a form whose callback goes to the receiver, or elsewhere."""

    def send(url: str | None = None, body: str = "object=${object}", **members: Any) -> Any:
        return client.post(client.make_fields(callback=callback(url or receiver.url, body, **members)))

    return send


def test_request_as_captured(client: Any, receiver: Any, post: Post) -> None:
    """Header names, their order and their values are those of real callbacks."""
    answer = post(receiver.url + "?id=1&index=%32")
    received = receiver.received[0]

    assert HEADERS_IN_ORDER == [name for name, _ in received.headers]
    assert "/callback?id=1&index=%32" == received.target
    assert f"127.0.0.1:{receiver.server.server_port}" == received.header("Host")
    assert "close" == received.header("Connection")
    assert "aliyun-oss-callback" == received.header("User-Agent")
    assert "application/x-www-form-urlencoded" == received.header("Content-Type")
    assert base64.b64encode(hashlib.md5(received.body).digest()).decode() == received.header("Content-MD5")
    assert answer.headers["x-oss-request-id"] == received.header("x-oss-request-id")
    assert ("test-bucket", "1.0", "CALLBACK", "") == (
        received.header("x-oss-bucket"),
        received.header("x-oss-signature-version"),
        received.header("x-oss-tag"),
        received.header("x-oss-additional-headers"),
    )


def test_signature_verifies_with_the_served_key(client: Any, receiver: Any, post: Post) -> None:
    """The key under the announced URL verifies path, query and body, and nothing else."""
    post(receiver.url + "/%E5%9B%BE?q=%E5%9B%BE")
    received = receiver.received[0]
    url = base64.b64decode(received.header("x-oss-pub-key-url")).decode()
    pem = client.request("GET", "/_emulator/callback.pem").body.decode()
    message = "/callback/图?q=%E5%9B%BE\n".encode() + received.body

    assert client.emulator.public_key_url == url
    assert client.emulator.public_key_pem == pem
    verify(pem, received.header("Authorization"), message)
    with pytest.raises(InvalidSignature):
        verify(pem, received.header("Authorization"), message + b"x")


def test_signed_text_of_the_documented_example(vectors: Callable[[str], Any]) -> None:
    """What the documentation's signature covers is what ours covers."""
    document = vectors("callback-signature.json")
    example = document["positive"][0]
    verify(
        document["public_key"]["pem"], example["headers"]["authorization"], example["string_signed"].encode()
    )
    private = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = CallbackKey(pem.decode())
    for target in (example["request_target"], "/%69ndex.php?id=1&index=2"):
        signature = key.sign(target, example["body"].encode())
        verify(key.public_pem, signature, example["string_signed"].encode())


# Made for this test alone: the library refuses to make keys this short, but uses them.
SHORT_KEY = """-----BEGIN RSA PRIVATE KEY-----
MIIBOwIBAAJBAMM+zpI5Fr8IilX7LXrTFCF3DuTxM+JmYYBy47nYlSQ0GcDgWI3f
3M8edDosEuyDKJ8WU2HKjEO3BBp0law0WmsCAwEAAQJAClTsgXhb58f/6gTcpz88
NXkjZKIO6NAaIL3zpwX6/mtbpTVRMHm4O0QhPwN06HVzBtslSBiVymUynJzvPHkD
gQIhAPH+rNYdbE+PscHsjkzS7JPwPIGNOJwBVYEN+ZldFAm7AiEAzouBSLqlGuez
0apHj3smHtjqDKUwXBvGa5azZLstTxECIQDjb3HNQpX7KJfuJH+RIGOMnqqfL7TW
mkJcKmA9jUc55QIhAI7MSH/9+rRVSS9F6N+8JqjhEz/W3U5xLYeo0zJrbnHhAiBt
fV/OL67lyybWBXnMOnzCOeURNJPGqDEFdt4IGzh+Yw==
-----END RSA PRIVATE KEY-----
"""


def test_a_512_bit_key_can_be_given(start_emulator: Callable[..., Any], receiver: Any, callback: Any) -> None:
    """A look-alike of OSS's own key length gives signatures of 64 bytes."""
    client = start_emulator(callback_private_key=SHORT_KEY)
    client.post(client.make_fields(callback=callback(receiver.url)))
    received = receiver.received[0]

    assert 64 == len(base64.b64decode(received.header("Authorization")))
    verify(client.emulator.public_key_pem, received.header("Authorization"), b"/callback\n" + received.body)


def test_host_is_the_given_one(receiver: Any, post: Post) -> None:
    """CallbackHost replaces the URL's own host."""
    post(callbackHost="app.example.com")

    assert "app.example.com" == receiver.received[0].header("Host")


def test_additional_headers(receiver: Any, post: Post) -> None:
    """Extra headers of the definition go out and are listed."""
    post(additionalHeaders={"x-app": "1"})

    assert "1" == receiver.received[0].header("x-app")
    assert "x-app" == receiver.received[0].header("x-oss-additional-headers")


def test_all_variables(client: Any, receiver: Any, callback: Callable[..., str]) -> None:
    """System variables and the uploader's own are told."""
    names = [
        "bucket",
        "object",
        "etag",
        "size",
        "mimeType",
        "crc64",
        "contentMd5",
        "vpcId",
        "clientIp",
        "reqId",
        "operation",
    ]
    body = "&".join([*(f"{name}=${{{name}}}" for name in names), "x:Var=${x:Var}&lower=${x:var}"])
    answer = client.post(client.make_fields(callback=callback(receiver.url, body), **{"x:Var": "a b"}))

    expected = (
        "bucket=test-bucket&object=a.txt&etag=5D41402ABC4B2A76B9719D911017C592&size=5&mimeType=text%2Fplain"
        "&crc64=11177612005948864433&contentMd5=XUFAKrxLKna5cZ2REBfFkg%3D%3D&vpcId=&clientIp=127.0.0.1"
        f"&reqId={answer.headers['x-oss-request-id']}&operation=PostObject&x:Var=a%20b&lower="
    )
    assert expected == receiver.received[0].body.decode()


@pytest.mark.parametrize("status", ["201", "204", "200"])
def test_callback_wins_over_status_and_redirect(
    client: Any, receiver: Any, callback: Any, status: str
) -> None:
    """Whatever else was asked for, the receiver's answer is passed on."""
    asked = {"success_action_status": status, "success_action_redirect": "https://a.example/"}
    answer = client.post(client.make_fields(callback=callback(receiver.url), **asked))

    assert (200, b'{"Status":"OK"}') == (answer.status, answer.body)


def test_object_is_there_before_the_callback(client: Any, receiver: Any, post: Post, make_reply: Any) -> None:
    """The receiver may ask for the object before it answers."""
    seen: list[int] = []

    def answer(_: object) -> bytes:
        seen.append(client.head("a.txt").status)
        return make_reply(200, b"{}")

    receiver.answer = answer
    post()

    assert [200] == seen


FAILED_200 = "Response body is not valid json format."
FAILURES: list[tuple[bytes, str, str]] = [
    *(
        (f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}".encode(), f"Error status : {status}.", "203")
        for status in (201, 204, 301, 400, 403, 404, 500, 502)
    ),
    (b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nhello", FAILED_200, "205"),
    (b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\n\xef\xbb\xbf{}", FAILED_200, "205"),
    (b"HTTP/1.1 200 X\r\n\r\n{}", "Error Status : 400.User server missing content-length.", "203"),
    (
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "Error Status : 400.User server missing content-length.",
        "203",
    ),
    (
        b"HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n",
        "Error Status : 400.User server return invalid conent-length value.",
        "203",
    ),
    (
        b"HTTP/1.1 200 X\r\nContent-Length: many\r\n\r\n{}",
        "Error Status : 400.User server return invalid conent-length value.",
        "203",
    ),
    (
        b"HTTP/1.1 200 X\r\nContent-Length: 1048577\r\n\r\n{}",
        "Error Status : 400.User server return too long content-length value.",
        "203",
    ),
    (b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{}", "Error status : 502.", "203"),
    (b"no http at all", "Error status : 502.", "203"),
    (b"", "Error status : 502.", "203"),
]


@pytest.mark.parametrize(("raw", "message", "ec"), FAILURES)
def test_failure_is_203_and_the_object_stays(
    client: Any, receiver: Any, post: Post, raw: bytes, message: str, ec: str
) -> None:
    """Each kind of bad answer has its message; the object is kept and its headers are told."""
    receiver.answer = lambda _: raw
    answer = post()

    assert (203, "CallbackFailed", message, f"0007-00000{ec}") == answer.error
    assert "Non-Authoritative Information" == answer.reason
    assert "application/xml" == answer.headers["Content-Type"]
    assert '"5D41402ABC4B2A76B9719D911017C592"' == answer.headers["ETag"]
    assert "11177612005948864433" == answer.headers["x-oss-hash-crc64ecma"]
    assert b"hello" == client.get("a.txt").body
    assert 1 == len(receiver.received)


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"1", b'"x"', b"null", '{"名":"图"}'.encode(), b"x" * 0 + b" {} "]
)
def test_any_json_is_passed_on(receiver: Any, post: Post, make_reply: Any, body: bytes) -> None:
    """Any JSON value counts, and its bytes are not touched."""
    receiver.answer = lambda _: make_reply(200, body)

    assert (200, body) == ((answer := post()).status, answer.body)


def test_largest_answer(receiver: Any, post: Post, make_reply: Any) -> None:
    """An answer of exactly one megabyte passes."""
    body = b'"' + b"x" * (1024 * 1024 - 2) + b'"'
    receiver.answer = lambda _: make_reply(200, body)

    assert body == post().body


def test_nothing_listens(post: Post) -> None:
    """A closed port is a bad gateway."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

    assert "Error status : 502." == post(f"http://127.0.0.1:{port}/").error[2]


def test_timeout(start_emulator: Callable[..., Any], receiver: Any, callback: Any, make_reply: Any) -> None:
    """The time is counted from the first packet to the last, however slowly bytes drip."""
    released = threading.Event()

    def hang(_: object) -> bytes:
        released.wait(10)
        return bytes(make_reply(200, b"{}"))

    receiver.answer = hang
    client = start_emulator(callback_timeout=0.3)
    started = time.monotonic()
    answer = client.post(client.make_fields(callback=callback(receiver.url)))
    spent = time.monotonic() - started
    released.set()

    address = f"127.0.0.1:{receiver.server.server_port}"
    message = f"Error status : -1 {address} reply timeout, cost:300ms, timeout:300ms (err -4, errno115)"
    assert (203, "CallbackFailed", message, "0007-00000202") == answer.error
    assert 0.3 <= spent < 2
    assert 200 == client.head("a.txt").status


@pytest.fixture
def dripping_url() -> Iterator[str]:
    """A receiver that sends one byte every now and then, for ever."""
    stopped = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            for byte in b"HTTP/1.1 200 X\r\nX-Long: " + b"x" * 1000:
                if stopped.wait(0.05):
                    return
                try:
                    connection.send(bytes([byte]))
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    stopped.set()
    thread.join()
    listener.close()


def test_dripping_answer_times_out(
    start_emulator: Callable[..., Any], callback: Any, dripping_url: str
) -> None:
    """A receiver that never falls silent is cut off as well."""
    client = start_emulator(callback_timeout=0.4)
    started = time.monotonic()
    answer = client.post(client.make_fields(callback=callback(dripping_url)))

    assert "0007-00000202" == answer.error[3]
    assert time.monotonic() - started < 2


def test_default_timeout_is_five_seconds(client: Any) -> None:
    """OSS waits five seconds and no longer."""
    assert client.emulator.options.callback_timeout == 5.0


def test_five_urls_in_turn(receiver: Any, post: Post, make_reply: Any) -> None:
    """URLs are tried in order until the first full success."""
    answers = iter(
        [make_reply(500), make_reply(200, b"no json"), make_reply(204), b"", make_reply(200, b'{"n":5}')]
    )
    receiver.answer = lambda _: next(answers)
    answer = post(";".join(f"{receiver.url}/{number}" for number in range(1, 6)))

    assert (200, b'{"n":5}') == (answer.status, answer.body)
    assert [f"/callback/{number}" for number in range(1, 6)] == [item.target for item in receiver.received]


def test_first_success_ends_it(receiver: Any, post: Post) -> None:
    """After a success the other URLs are left alone."""
    post(f"{receiver.url}/1;{receiver.url}/2")

    assert ["/callback/1"] == [item.target for item in receiver.received]


def test_last_failure_is_told(receiver: Any, post: Post, make_reply: Any) -> None:
    """When all URLs fail, the uploader hears of the last."""
    answers = iter([make_reply(500), make_reply(404)])
    receiver.answer = lambda _: next(answers)

    assert "Error status : 404." == post(f"{receiver.url}/1;{receiver.url}/2").error[2]


def test_redirect_is_not_followed(receiver: Any, post: Post, make_reply: Any) -> None:
    """A redirect counts as a failure."""
    receiver.answer = lambda _: make_reply(301, b"{}", f"Location: {receiver.url}")

    assert "Error status : 301." == post().error[2]
    assert 1 == len(receiver.received)


class TlsReceiver:
    """An https receiver with a certificate of its own, noting the name that clients ask for."""

    def __init__(self, folder: Path, host: str) -> None:
        self.certificate = folder / "certificate.pem"
        self.names: list[str | None] = []
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_path = folder / "key.pem"
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key_path)
        self._context.sni_callback = lambda _, name, __: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with plain:
                try:
                    with self._context.wrap_socket(plain, server_side=True) as connection:
                        connection.recv(65536)
                        connection.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}")
                except OSError:
                    continue

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def tls_receiver(tmp_path: Path) -> Iterator[TlsReceiver]:
    """An https receiver for the name `localhost`."""
    receiver = TlsReceiver(tmp_path, "localhost")
    yield receiver
    receiver.close()


def test_https_and_sni(start_emulator: Callable[..., Any], callback: Any, tls_receiver: TlsReceiver) -> None:
    """The server's name is sent when callbackSNI says so, and only then."""
    client = start_emulator(callback_ca_file=tls_receiver.certificate)
    url = f"https://localhost:{tls_receiver.port}/"
    without = client.post(client.make_fields(callback=callback(url)))
    with_name = client.post(client.make_fields(callback=callback(url, callbackSNI=True)))

    assert (200, 200) == (without.status, with_name.status)
    assert [None, "localhost"] == tls_receiver.names


def test_https_with_an_unknown_certificate(post: Post, tls_receiver: TlsReceiver) -> None:
    """A certificate that nobody vouches for is a bad gateway."""
    assert "Error status : 502." == post(f"https://localhost:{tls_receiver.port}/").error[2]


def test_dropped(client: Any, receiver: Any, post: Post) -> None:
    """A dropped callback never arrives, and the uploader is told that OSS could not connect."""
    client.request(
        "POST",
        "/_emulator/faults",
        body=json.dumps({"on": "callback", "action": "drop", "times": 1}).encode(),
    )
    dropped, sent = post(), post()

    message = "Error status : -1.OSS can not connect to your callbackUrl, please check it."
    assert (203, "CallbackFailed", message, "0007-00000203") == dropped.error
    assert 200 == sent.status
    assert 1 == len(receiver.received)


def test_played_status(client: Any, receiver: Any, post: Post) -> None:
    """A played status is told as if the receiver had answered with it."""
    fault = {"on": "callback", "action": "status", "status": 503, "times": 2}
    client.request("POST", "/_emulator/faults", body=json.dumps(fault).encode())

    assert ["Error status : 503."] * 2 == [post().error[2], post().error[2]]
    assert 200 == post().status


def test_delayed(client: Any, receiver: Any, post: Post) -> None:
    """A delayed callback arrives late."""
    fault = {"on": "callback", "action": "delay", "seconds": 0.2, "times": 1}
    client.request("POST", "/_emulator/faults", body=json.dumps(fault).encode())
    started = time.monotonic()

    assert 200 == post().status
    assert time.monotonic() - started >= 0.2
