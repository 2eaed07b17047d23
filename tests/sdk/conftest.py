"""One emulator for every SDK, credentials of both kinds for it, and a callback receiver that remembers.

The SDKs are as their registries deliver them. Each test has keys of its own, so that all can share one bucket.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import http.server
import itertools
import json
import random
import socket
import threading
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen

import anycrc
import pytest

from ossgate.emulator import Emulator, EmulatorOptions

BUCKET, WEB_BUCKET = "demo-bucket", "web-bucket"
REGION = "cn-hangzhou"
KEY_ID, KEY_SECRET = "sdk-key-id", "sdk-key-secret"
ROLE = "acs:ram::1234567890123456:role/uploader"
# Chinese, blanks, quotes, percent, plus, emoji, what is a path elsewhere, and what URLs mean something by.
ODD_KEYS = (
    "plain.txt",
    "中文 目录/键+1.txt",
    "50%25 off/100%.txt",
    "'single' \"double\" `back`.txt",
    "😀/🎉 party.png",
    "a/../b/./c",
    "tail /.. /",
    "a&b=c?d#e;f:g@h!$*(),~[]{}|^<>\\",
)


@dataclass(frozen=True)
class Keys:
    """What a client signs with."""

    access_key_id: str
    access_key_secret: str
    token: str = ""


@dataclass(frozen=True)
class Signing:
    """One of the four ways: a version, and long-term or temporary keys."""

    version: str
    keys: Keys


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read whole."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass
class Received:
    """One callback as it arrived."""

    path: str
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The body's fields, when it is a form."""
        return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body, when it is JSON."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """A callback receiver; the last part of a URL's path says how it answers."""

    url: str
    received: dict[str, list[Received]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def make_url(self, answer: str = "ok") -> str:
        """Make a URL of its own: `ok` answers JSON, `refuse` status 500, `text` something that is no JSON."""
        return f"{self.url}/{next(self._numbers)}/{answer}"

    def take(self, url: str) -> Received:
        """Tell the one callback that came to a URL."""
        (found,) = self.received.get(urllib.parse.urlsplit(url).path, [])
        return found


ANSWERS = {
    "ok": (200, "application/json", b'{"Status":"OK","note":"\xe4\xbd\xa0\xe5\xa5\xbd"}'),
    "refuse": (500, "application/json", b'{"Status":"failed"}'),
    "text": (200, "text/plain", b"thank you"),
}
CALLBACK_ANSWER = json.loads(ANSWERS["ok"][2])


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all SDKs."""
    options = EmulatorOptions(
        data_dir=tmp_path_factory.mktemp("sdk"),
        bucket=BUCKET,
        more_buckets=(WEB_BUCKET,),
        region=REGION,
        access_key_id=KEY_ID,
        access_key_secret=KEY_SECRET,
        host_suffixes=("oss.localhost",),
        cname_buckets={"cname.localhost": BUCKET},
    )
    with Emulator(options) as running:
        yield running


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """A callback receiver on loopback."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.setdefault(self.path, []).append(Received(self.path, self.headers, body))
            status, content_type, answer = ANSWERS[self.path.rpartition("/")[2]]
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_GET(self) -> None:
            # For clients in other languages: what has come here so far.
            bodies = [each.body.decode() for each in found.received.get(self.path, [])]
            answer = json.dumps(bodies).encode()
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def call_sts(
    url: str, keys: Keys, parameters: dict[str, str], *, shape: str = "rpc"
) -> tuple[int, dict[str, Any]]:
    """Call AssumeRole in one of the two signatures: `rpc`, everything in the query, or `acs3`, by headers."""
    now, nonce = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", str(uuid.uuid4())
    headers: dict[str, str] = {}
    if shape == "rpc":
        query = {
            "Action": "AssumeRole",
            "Version": "2015-04-01",
            "Format": "JSON",
            "AccessKeyId": keys.access_key_id,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": nonce,
            "Timestamp": now,
            **parameters,
        }
        message = f"POST&%2F&{encode(encode_pairs(query))}"
        digest = hmac.new(f"{keys.access_key_secret}&".encode(), message.encode(), hashlib.sha1).digest()
        query["Signature"] = base64.b64encode(digest).decode()
    else:
        query = parameters
        headers = {
            "host": urllib.parse.urlsplit(url).netloc,
            "x-acs-action": "AssumeRole",
            "x-acs-version": "2015-04-01",
            "x-acs-date": now,
            "x-acs-signature-nonce": nonce,
            "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        }
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        canonical = "\n".join(
            ["POST", "/", encode_pairs(query), lines, names, headers["x-acs-content-sha256"]]
        )
        message = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(keys.access_key_secret.encode(), message.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = (
            f"ACS3-HMAC-SHA256 Credential={keys.access_key_id},SignedHeaders={names},Signature={signature}"
        )
    answer = send(url, "POST", f"/?{encode_pairs(query)}", headers=headers)
    return answer.status, json.loads(answer.body)


def encode(text: str) -> str:
    return urllib.parse.quote(text, safe="~")


def encode_pairs(pairs: dict[str, str]) -> str:
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(pairs.items()))


def send(
    url: str, method: str, target: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """Send a request as it is, on a connection of its own."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
    try:
        connection.request(method, target, body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


@pytest.fixture(scope="session")
def long_term() -> Keys:
    """The AccessKey itself."""
    return Keys(KEY_ID, KEY_SECRET)


@pytest.fixture(scope="session")
def assume(emulator: Emulator, long_term: Keys) -> Callable[..., Keys]:
    """Fetch temporary keys, with a session policy of the given statements."""

    def fetch(*statements: dict[str, Any], shape: str = "acs3") -> Keys:
        parameters = {"RoleArn": ROLE, "RoleSessionName": "sdk"}
        if statements:
            parameters["Policy"] = json.dumps({"Version": "1", "Statement": statements})
        status, document = call_sts(emulator.url, long_term, parameters, shape=shape)
        assert 200 == status, document
        found = document["Credentials"]
        return Keys(found["AccessKeyId"], found["AccessKeySecret"], found["SecurityToken"])

    return fetch


@pytest.fixture(scope="session")
def temporary(assume: Callable[..., Keys]) -> Keys:
    """Temporary keys that may do everything."""
    return assume()


@pytest.fixture(scope="session", params=["v1", "v1-sts", "v4", "v4-sts"])
def signing(request: pytest.FixtureRequest, long_term: Keys, temporary: Keys) -> Signing:
    """Each of the four ways to sign."""
    version, _, kind = request.param.partition("-")
    return Signing(version, temporary if kind else long_term)


@pytest.fixture(scope="session")
def odd_keys() -> tuple[str, ...]:
    """Keys that must survive every encoding on the way."""
    return ODD_KEYS


@pytest.fixture(scope="session")
def clean_keys() -> tuple[str, ...]:
    """Those that clients can send which fold `..` and `.` in paths."""
    return tuple(key for key in ODD_KEYS if "/../" not in key)


@pytest.fixture
def folder() -> str:
    """A prefix of the test's own."""
    return f"{uuid.uuid4().hex[:12]}/"


@pytest.fixture(scope="session")
def fetch() -> Callable[..., Answer]:
    """Ask a URL, as somebody does who was given it; refusals are answers too."""

    def ask(
        url: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        parts = urllib.parse.urlsplit(url)
        return send(url, method, f"{parts.path}?{parts.query}", body=body, headers=headers)

    return ask


@pytest.fixture
def post_form() -> Callable[..., Answer]:
    """Post a form, the file last."""

    def post(
        url: str, fields: dict[str, str], file: bytes = b"hello", content_type: str = "text/plain"
    ) -> Answer:
        parts = [
            f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = f'--B\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\nContent-Type: {content_type}\r\n\r\n'
        body = b"".join(parts) + head.encode() + file + b"\r\n--B--\r\n"
        request = Request(url, body, {"Content-Type": "multipart/form-data; boundary=B"})
        with urlopen(request, timeout=30) as response:
            return Answer(response.status, response.headers, response.read())

    return post


@pytest.fixture(scope="session")
def make_setting(
    emulator: Emulator, receiver: Receiver, signing: Signing, assume: Callable[..., Keys]
) -> Callable[..., dict[str, Any]]:
    """Make what the scenarios of ali-oss are told, for one way of signing."""

    def make(run: str, bucket: str = BUCKET) -> dict[str, Any]:
        limited_folder = f"{run}-limited/"
        resource = f"acs:oss:*:*:{bucket}/{limited_folder}*"
        limited = assume({"Effect": "Allow", "Action": "oss:PutObject", "Resource": resource})
        content = random.Random(7).randbytes(256_000)
        return {
            "run": run,
            "endpoint": f"http://localhost:{emulator.port}",
            "bucket": bucket,
            "version": signing.version,
            "keys": describe_keys(signing.keys),
            "temporary": describe_keys(assume()),
            "longTerm": {"id": KEY_ID, "secret": KEY_SECRET},
            "limited": describe_keys(limited),
            "limitedFolder": limited_folder,
            "role": ROLE,
            "receiver": receiver.url,
            "cleanKeys": [key for key in ODD_KEYS if "/../" not in key],
            "content": base64.b64encode(content).decode(),
            "crc": str(anycrc.Model("CRC64-XZ").calc(content)),
        }

    return make


def describe_keys(keys: Keys) -> dict[str, str]:
    """Name keys as ali-oss does."""
    named = {"accessKeyId": keys.access_key_id, "accessKeySecret": keys.access_key_secret}
    return {**named, "stsToken": keys.token} if keys.token else named


@pytest.fixture
def local_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `*.localhost` be this machine, as systems have it that know the names."""
    look_up = socket.getaddrinfo

    def find(host: Any, *rest: Any, **more: Any) -> Any:
        return look_up("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", find)


@pytest.fixture(scope="session")
def callback_answer() -> Any:
    """What the receiver answers, decoded."""
    return CALLBACK_ANSWER
