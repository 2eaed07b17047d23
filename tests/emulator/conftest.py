"""A running emulator, a small client that makes valid forms, and a callback receiver that remembers.

The signing here is the tests' own: shared with neither the emulator nor the product's signer.
"""

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, settings

from ossgate.emulator import Credentials, Emulator, EmulatorOptions

# Machines that run tests are busy: a slow example is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

ACCESS_KEY_ID = "test-key-id"
ACCESS_KEY_SECRET = "test-key-secret"
STS = Credentials("STS.test-key-id", "sts-secret", "sts-token")
BUCKET = "test-bucket"
REGION = "cn-hangzhou"


@dataclass
class Answer:
    """One HTTP answer, read whole."""

    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def xml(self) -> dict[str, str]:
        return {child.tag: child.text or "" for child in ElementTree.fromstring(self.body)}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str, str, str]:
        """Status, code, message and EC; the header and the body must agree on EC."""
        xml = self.xml
        assert xml.get("EC", "") == (self.headers.get("x-oss-ec") or "")
        assert xml["RequestId"] == self.headers["x-oss-request-id"]
        return self.status, xml["Code"], xml["Message"], xml.get("EC", "")


@dataclass
class Client:
    """Speaks plain HTTP to an emulator and makes valid forms and signatures."""

    emulator: Emulator
    access_key_id: str = ACCESS_KEY_ID
    access_key_secret: str = ACCESS_KEY_SECRET
    bucket: str = BUCKET
    region: str = REGION

    def request(
        self, method: str, target: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.emulator.port, timeout=30)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.reason, response.headers, response.read())
        finally:
            connection.close()

    def make_policy(
        self, conditions: list[Any] | None = None, *, expires_in: float = 600, now: datetime | None = None
    ) -> dict[str, Any]:
        expiration = (now or datetime.now(UTC)) + timedelta(seconds=expires_in)
        return {
            "expiration": f"{expiration:%Y-%m-%dT%H:%M:%S}.{expiration.microsecond // 1000:03d}Z",
            "conditions": [{"bucket": self.bucket}] if conditions is None else conditions,
        }

    def sign_v1(self, encoded_policy: str) -> str:
        digest = hmac.new(self.access_key_secret.encode(), encoded_policy.encode(), hashlib.sha1).digest()
        return base64.b64encode(digest).decode()

    def sign_v4(self, message: str, day: str) -> str:
        key = ("aliyun_v4" + self.access_key_secret).encode()
        for step in (day, self.region, "oss", "aliyun_v4_request"):
            key = hmac.new(key, step.encode(), hashlib.sha256).digest()
        return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()

    def make_fields_v1(self, policy: dict[str, Any] | str | None = None, **fields: str) -> dict[str, str]:
        encoded = encode_policy(self.make_policy() if policy is None else policy)
        return {
            "key": "a.txt",
            "OSSAccessKeyId": self.access_key_id,
            "policy": encoded,
            "Signature": self.sign_v1(encoded),
            **fields,
        }

    def make_fields(
        self,
        conditions: list[Any] | None = None,
        *,
        now: datetime | None = None,
        expires_in: float = 600,
        policy: dict[str, Any] | str | None = None,
        token: str = "",
        **fields: str,
    ) -> dict[str, str]:
        """Make a valid V4 form; `conditions` come after the bucket's and V4's own."""
        moment = now or datetime.now(UTC)
        stamp = f"{moment:%Y%m%dT%H%M%SZ}"
        credential = f"{self.access_key_id}/{stamp[:8]}/{self.region}/oss/aliyun_v4_request"
        own = {
            "x-oss-signature-version": "OSS4-HMAC-SHA256",
            "x-oss-credential": credential,
            "x-oss-date": stamp,
        }
        if token:
            own["x-oss-security-token"] = token
        if policy is None:
            all_conditions = [{"bucket": self.bucket}, *({k: v} for k, v in own.items()), *(conditions or [])]
            policy = self.make_policy(all_conditions, now=moment, expires_in=expires_in)
        encoded = encode_policy(policy)
        return {
            "key": "a.txt",
            "policy": encoded,
            **own,
            "x-oss-signature": self.sign_v4(encoded, stamp[:8]),
            **fields,
        }

    def post(
        self,
        fields: dict[str, str] | None = None,
        file: bytes = b"hello",
        *,
        headers: dict[str, str] | None = None,
        target: str | None = None,
        **part: Any,
    ) -> Answer:
        """Post a form, the file last."""
        body = encode_form(self.make_fields() if fields is None else fields, file, **part)
        return self.post_body(body, headers=headers, target=target)

    def post_body(
        self, body: bytes, *, headers: dict[str, str] | None = None, target: str | None = None
    ) -> Answer:
        all_headers = {"Content-Type": "multipart/form-data; boundary=BOUNDARY", **(headers or {})}
        return self.request("POST", target or f"/{self.bucket}", body=body, headers=all_headers)

    def presign(
        self,
        method: str,
        key: str,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        additional: str = "",
        now: datetime | None = None,
        expires: int = 60,
        token: str = "",
    ) -> str:
        """Make a V4 presigned target."""
        moment = now or datetime.now(UTC)
        stamp = f"{moment:%Y%m%dT%H%M%SZ}"
        scope = f"{stamp[:8]}/{self.region}/oss/aliyun_v4_request"
        parameters = {
            **(query or {}),
            "x-oss-signature-version": "OSS4-HMAC-SHA256",
            "x-oss-credential": f"{self.access_key_id}/{scope}",
            "x-oss-date": stamp,
            "x-oss-expires": str(expires),
        }
        if additional:
            parameters["x-oss-additional-headers"] = additional
        if token:
            parameters["x-oss-security-token"] = token
        message = self._string_to_sign(method, key, parameters, headers or {}, additional, stamp, scope)
        parameters["x-oss-signature"] = self.sign_v4(message, stamp[:8])
        return f"/{self.bucket}/{quote(key, '/')}?{encode_query(parameters)}"

    def make_headers_v4(
        self,
        method: str,
        key: str,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        now: datetime | None = None,
    ) -> dict[str, str]:
        """Make the headers of a V4 signed request."""
        stamp = f"{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        scope = f"{stamp[:8]}/{self.region}/oss/aliyun_v4_request"
        signed = {**(headers or {}), "x-oss-date": stamp, "x-oss-content-sha256": "UNSIGNED-PAYLOAD"}
        message = self._string_to_sign(method, key, query or {}, signed, "", stamp, scope)
        signature = self.sign_v4(message, stamp[:8])
        authorization = f"OSS4-HMAC-SHA256 Credential={self.access_key_id}/{scope},Signature={signature}"
        return {**signed, "Authorization": authorization}

    def _string_to_sign(
        self,
        method: str,
        key: str,
        query: dict[str, str],
        headers: dict[str, str],
        additional: str,
        stamp: str,
        scope: str,
    ) -> str:
        listed = additional.split(";")
        signed = sorted(
            (name.lower(), value.strip())
            for name, value in headers.items()
            if name.lower().startswith("x-oss-") or name.lower() in ("content-type", "content-md5", *listed)
        )
        pairs = sorted((quote(name), quote(value)) for name, value in query.items())
        canonical = "\n".join(
            [
                method,
                f"/{self.bucket}/{quote(key, '/')}" if self.bucket else "/",
                "&".join(f"{name}={value}" if value else name for name, value in pairs),
                "".join(f"{name}:{value}\n" for name, value in signed),
                additional,
                "UNSIGNED-PAYLOAD",
            ]
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        return f"OSS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"

    def send(
        self,
        method: str,
        key: str = "",
        *,
        query: dict[str, str] | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        bucket: str | None = None,
    ) -> Answer:
        """Send a request signed in its headers; an empty key asks the bucket, an empty bucket the service."""
        other = self if bucket is None else replace(self, bucket=bucket)
        signed = other.make_headers_v4(method, key, query=query, headers=headers)
        target = f"/{other.bucket}/{quote(key, '/')}" if other.bucket else "/"
        return self.request(
            method, target + (f"?{encode_query(query)}" if query else ""), body=body, headers=signed
        )

    def put(self, key: str = "a.txt", body: bytes = b"hello", **headers: str) -> Answer:
        """Put an object; headers are named with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("PUT", key, body=body, headers=named)

    def delete(self, key: str) -> Answer:
        return self.send("DELETE", key)

    def initiate(self, key: str, *, headers: dict[str, str] | None = None) -> str:
        """Begin a multipart upload and tell its ID."""
        return self.send("POST", key, query={"uploads": ""}, headers=headers).xml["UploadId"]

    def upload_part(
        self, key: str, upload_id: str, number: object, body: bytes, *, headers: dict[str, str] | None = None
    ) -> Answer:
        query = {"partNumber": str(number), "uploadId": upload_id}
        return self.send("PUT", key, query=query, body=body, headers=headers)

    def list_parts(self, key: str, upload_id: str, **query: str) -> Answer:
        return self.send("GET", key, query={"uploadId": upload_id, **query})

    def complete(
        self, key: str, upload_id: str, body: bytes | None = None, *, headers: dict[str, str] | None = None
    ) -> Answer:
        """Complete an upload, with all its parts when no body is given."""
        complete_all = {"x-oss-complete-all": "yes"} if body is None else {}
        return self.send(
            "POST",
            key,
            query={"uploadId": upload_id},
            body=body or b"",
            headers={**complete_all, **(headers or {})},
        )

    def head(self, key: str) -> Answer:
        return self.request("HEAD", self.presign("HEAD", key))

    def get(self, key: str, *, headers: dict[str, str] | None = None, **query: str) -> Answer:
        return self.request("GET", self.presign("GET", key, query=query), headers=headers)


def quote(text: str, safe: str = "") -> str:
    return urllib.parse.quote(text, safe=safe + "~")


def encode_query(parameters: dict[str, str]) -> str:
    return "&".join(
        f"{quote(name)}={quote(value)}" if value else quote(name) for name, value in parameters.items()
    )


def encode_policy(policy: Any) -> str:
    text = policy if isinstance(policy, str) else json.dumps(policy, ensure_ascii=False)
    return base64.b64encode(text.encode()).decode()


def encode_form(
    fields: dict[str, str] | list[tuple[str, str]],
    file: bytes | None,
    *,
    file_name: str | None = "hello.txt",
    content_type: str | None = "text/plain",
    after: bytes = b"",
    closed: bool = True,
) -> bytes:
    pairs = list(fields.items()) if isinstance(fields, dict) else fields
    parts = [
        f'--BOUNDARY\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in pairs
    ]
    if file is not None:
        name = "" if file_name is None else f'; filename="{file_name}"'
        kind = "" if content_type is None else f"Content-Type: {content_type}\r\n"
        head = f'--BOUNDARY\r\nContent-Disposition: form-data; name="file"{name}\r\n{kind}\r\n'
        parts.append(head.encode() + file + b"\r\n")
    return b"".join(parts) + after + (b"--BOUNDARY--\r\n" if closed else b"")


@dataclass
class Received:
    """One callback as it arrived."""

    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next(value for key, value in self.headers if key.lower() == name.lower())


@dataclass
class Receiver:
    """A callback receiver: remembers what comes and answers as told."""

    server: http.server.ThreadingHTTPServer
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], bytes] = lambda _: reply(200, b'{"Status":"OK"}')

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/callback"


def reply(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Write a raw HTTP answer."""
    lines = [
        f"HTTP/1.1 {status} X",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def make_callback(url: str, body: str = "object=${object}&size=${size}", **members: Any) -> str:
    """Encode a callback definition."""
    return base64.b64encode(
        json.dumps({"callbackUrl": url, "callbackBody": body, **members}).encode()
    ).decode()


@pytest.fixture(scope="session")
def callback_key_pem() -> str:
    """One RSA key for all emulators of the session: making one takes longer than most tests."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture(scope="session")
def stopper() -> Iterator[ThreadPoolExecutor]:
    """Stops emulators beside the next tests: a stop waits for the server's loop, thousands of times."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def start_emulator(
    tmp_path: Path, callback_key_pem: str, stopper: ThreadPoolExecutor
) -> Iterator[Callable[..., Client]]:
    """Start emulators with any options; each comes as a client of it."""
    running: list[Emulator] = []

    def start(**options: Any) -> Client:
        defaults: dict[str, Any] = {
            "data_dir": tmp_path / f"data-{len(running)}",
            "bucket": BUCKET,
            "region": REGION,
            "access_key_id": ACCESS_KEY_ID,
            "access_key_secret": ACCESS_KEY_SECRET,
            "temporary_credentials": (STS,),
            "callback_private_key": callback_key_pem,
        }
        emulator = Emulator(EmulatorOptions(**{**defaults, **options}))
        emulator.start()
        running.append(emulator)
        return Client(emulator)

    yield start
    for emulator in running:
        stopper.submit(emulator.stop)


@pytest.fixture
def client(start_emulator: Callable[..., Client]) -> Client:
    """A client of an emulator with the usual options."""
    return start_emulator()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A callback receiver on loopback."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received = Received(self.path, list(self.headers.items()), body)
            found.received.append(received)
            self.close_connection = True
            self.wfile.write(found.answer(received))

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 256
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    found = Receiver(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def callback() -> Callable[..., str]:
    """Encode a callback definition."""
    return make_callback


@pytest.fixture
def make_reply() -> Callable[..., bytes]:
    """Write a raw HTTP answer of a callback receiver."""
    return reply


@pytest.fixture
def form() -> Callable[..., bytes]:
    """Encode a multipart form with the boundary BOUNDARY."""
    return encode_form


@pytest.fixture
def vectors() -> Callable[[str], Any]:
    """Read a file of known answers."""
    folder = Path(__file__).parents[1] / "vectors"
    return lambda name: json.loads((folder / name).read_text("utf-8"))
