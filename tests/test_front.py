"""By which door a request came cannot be told: the same requests to an application with its front and to one whose doors are shut."""

import json
import re
from base64 import b64decode, b64encode
from datetime import timedelta
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import MD5
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossgate.access.keys import hash_api_key
from ossgate.app import create_app
from ossgate.example_settings import DemoPlace, render_demo
from ossgate.front import Front
from ossgate.ledger import CallbackFilter
from ossgate.settings import load_settings

KEY_URL = "http://127.0.0.1/test.pem"
API_KEY = "ossgate_test"
ORIGIN = "https://a.example"
WANTED = b'{"profile":"photo","filename":"a.jpg","size":3}'
JSON = {"Content-Type": "application/json"}
VARIANTS = {
    "plain": lambda text: text,
    "origins": lambda text: text.replace("[server]\n", f'[server]\norigins = ["{ORIGIN}"]\n'),
    "any_origin": lambda text: text.replace("[server]\n", '[server]\norigins = ["*"]\n').replace(
        "allow_insecure = [", 'allow_insecure = ["wildcard_origin", '
    ),
    "proxied": lambda text: text.replace("[server]\n", "[server]\ntrusted_proxies = 1\n"),
    "uncounted": lambda text: text.replace("[server]\n", '[server]\nmetrics = "off"\n'),
    "below": lambda text: text.replace("/callback\"]", "/callback/from-oss\"]"),
    "limited": lambda text: text.replace('issue = "6000/minute"', 'issue = "3/hour"'),
    "short_of_room": lambda text: text.replace("pending_uploads = 200", "pending_uploads = 1"),
}  # fmt: skip


class Lines:
    """Takes the place of standard output."""

    def __init__(self):
        self.events = []

    def add(self, line):
        self.events.append(json.loads(line))

    def write_all(self):
        pass


@pytest.fixture(scope="module")
def lines():
    with pytest.MonkeyPatch.context() as patch:
        taken = Lines()
        patch.setattr("ossgate.logs._lines", taken)
        yield taken


@pytest.fixture(scope="module")
def oss_key():
    return generate_private_key(public_exponent=65537, key_size=1024)


@pytest.fixture(scope="module")
def make_pair(tmp_path_factory, oss_key, lines):
    """Make two applications of the same settings, the second with all doors of its front shut."""
    made = []

    def make(change):
        pair = [make_one(tmp_path_factory.mktemp("front"), change, oss_key) for _ in range(2)]
        made.extend(pair)
        find_front(pair[1])._doors.clear()
        return [Side(app, lines) for app in pair]

    yield make
    for app in made:
        app.extensions["signer"].bucket.close()
        app.extensions["signer"].ledger.close()


def make_one(folder, change, oss_key):
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    names = ("ticket.key", "seal.key", "access-key-id", "access-key-secret")
    for name in names:
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text("s" * 43)
    pem = oss_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (secrets / "callback.pem").write_bytes(pem)
    text = re.sub(r"\[callback\.public_keys\]\n.*\n", "", render_demo(DemoPlace(8000, 1)))
    text = text.replace("[profiles.photo]\n", "[profiles.photo]\nverify_bucket = false\n")
    text = text.replace('"http_callback",', '"http_callback", "unverified_bucket",')
    text += f'\n[callback.public_keys]\n"{KEY_URL}" = "file:secrets/callback.pem"\n'
    text += f'\n[access.api_keys.shop]\nhash = "{hash_api_key(API_KEY)}"\n'
    (folder / "ossgate.toml").write_text(change(text), encoding="utf-8")
    app = create_app(load_settings(folder / "ossgate.toml", environ={}))
    app.extensions["signer"].ledger.upgrade()
    return app


def find_front(app):
    """Return the front, whatever lies around it."""
    found = app.wsgi_app
    while not isinstance(found, Front):
        found = found.app
    return found


class Side:
    """One of the two applications, and what can be seen of how it answers."""

    def __init__(self, app, lines):
        self.app = app
        self.client = app.test_client()
        self._lines = lines

    def ask(self, method="POST", path="/v1/uploads", body=b"", headers=None, **more):
        """Return status, headers, body, log and numbers, without what no two answers share."""
        del self._lines.events[:]
        given = {"X-Request-ID": "r-1", "X-Forwarded-For": "192.0.2.9", **JSON, **(headers or {})}
        answer = self.client.open(path, method=method, data=body, headers=given, **more)
        self.answer = answer
        return {
            "status": answer.status,
            "headers": sorted((name, blur(value)) for name, value in answer.headers if name != "Retry-After" or len(value) < 3),
            "body": shape(answer.get_json()) if answer.status_code < 400 and answer.is_json else blur(answer.text),
            "log": [blur(json.dumps(event)) for event in self._lines.events],
            "numbers": self.read_numbers(),
        }  # fmt: skip

    def read_numbers(self):
        metrics = self.app.extensions["metrics"].metrics
        if metrics is None:
            return []
        text = metrics.render().decode()
        return [
            line for line in text.splitlines() if not re.search("_created|_sum|_bucket|_waiting|^#", line)
        ]


def blur(text):
    """Take out ids that are random, moments, and what depends on them."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "NOW", text)
    # What is left of a large rate comes back while the second of a pair is asked; a small one is compared.
    text = re.sub(r";r=\d\d+", ";r=…", text)
    return re.sub(r"01[0-9A-Z]{24}|;t=\d+|wait \d+|\b[0-9a-f]{16}\b", "…", text)


def shape(value):
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def assert_same(pair, **request):
    front, flask = (side.ask(**request) for side in pair)
    assert front == flask
    return front


ISSUES = {
    "good": {"body": WANTED},
    "a list": {"body": b'{"profile":"photo","files":[{"filename":"a.jpg"},{"filename":"b.png"}]}'},
    "put": {"body": b'{"profile":"file","filename":"a.jpg","via":"put","size":3}'},
    "in parts, without a bucket": {"body": b'{"profile":"file","filename":"a.jpg","via":"multipart","size":300000000}'},
    "no content type": {"body": WANTED, "headers": {"Content-Type": ""}},
    "a form's content type": {"body": WANTED, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    "a long id": {"body": WANTED, "headers": {"X-Request-ID": "x" * 65}},
    "a query": {"body": WANTED, "path": "/v1/uploads?a=b"},
    "a bearer in the query": {"body": WANTED, "path": "/v1/uploads?token=abc"},
    "another host": {"body": WANTED, "headers": {"Host": "evil example"}},
    "an own origin": {"body": WANTED, "headers": {"Origin": "http://localhost"}},
    "a known origin": {"body": WANTED, "headers": {"Origin": ORIGIN}},
    "a foreign origin": {"body": WANTED, "headers": {"Origin": "https://evil.example"}},
    "a preflight": {"method": "OPTIONS", "headers": {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}},
    "options": {"method": "OPTIONS"},
    "head": {"method": "HEAD"},
    "get": {"method": "GET"},
    "put it": {"method": "PUT", "body": WANTED},
    "a made-up method": {"method": "BREW", "body": WANTED},
    "a slash more": {"path": "/v1/uploads/", "body": WANTED},
    "two slashes": {"path": "/v1//uploads", "body": WANTED},
    "nothing": {},
    "no JSON": {"body": b"hello"},
    "half a character": {"body": b'{"profile":"photo","filename":"\\ud800.jpg"}'},
    "deep": {"body": b"[" * 50_000},
    "large": {"body": b'{"profile":"photo","filename":"a.jpg"}' + b" " * 70_000},
    "too large": {"body": b"x" * (1024**2 + 1)},
    "cut off": {"body": WANTED, "headers": {"Content-Length": "1000"}},
    "cut off, as gunicorn says it": {
        "body": WANTED, "headers": {"Content-Length": "1000"}, "environ_overrides": {"wsgi.input_terminated": True},
    },
    "an odd length": {"body": WANTED, "headers": {"Content-Length": "+47"}},
    "a length in other digits": {"body": WANTED, "headers": {"Content-Length": "047"}},
    "in pieces": {
        "input_stream": BytesIO, "headers": {"Transfer-Encoding": "chunked"}, "environ_overrides": {"wsgi.input_terminated": True},
    },
    "packed": {"body": WANTED, "headers": {"Content-Encoding": "gzip"}},
    "no such profile": {"body": b'{"profile":"nosuch","filename":"a.jpg"}'},
    "no such type": {"body": b'{"profile":"photo","filename":"a.exe"}'},
    "too large a file": {"body": b'{"profile":"photo","filename":"a.jpg","size":1000000000000}'},
    "a subject": {"body": b'{"profile":"photo","filename":"a.jpg","subject":"u"}'},
    "a wrong key": {"body": WANTED, "headers": {"Authorization": "Bearer nosuch"}},
    "a password": {"body": WANTED, "headers": {"Authorization": "Basic YTpi"}},
    "a key for another profile": {"body": WANTED, "headers": {"Authorization": f"Bearer {API_KEY}"}},
}  # fmt: skip


@pytest.fixture(scope="module", params=VARIANTS)
def pair(request, make_pair):
    return make_pair(VARIANTS[request.param])


@pytest.fixture(scope="module")
def plain(make_pair):
    return make_pair(VARIANTS["plain"])


@pytest.fixture
def sign(oss_key):
    """Sign a callback as OSS does; changes are of its headers."""

    def make(body, target="/callback", **changes):
        signed = target.encode() + b"\n" + body
        headers = {
            "Authorization": b64encode(oss_key.sign(signed, PKCS1v15(), MD5())).decode(),
            "x-oss-pub-key-url": b64encode(KEY_URL.encode()).decode(),
        }
        return {"path": target, "body": body, "headers": headers | changes}

    return make


def fill_body(grant, etag):
    """Return the body that OSS would send for a grant."""
    body = json.loads(b64decode(grant["fields"]["callback"]))["callbackBody"]
    known = {
        "bucket": "demo-bucket",
        "object": grant["object_key"],
        "etag": etag,
        "mimeType": "image/jpeg",
        "size": 3,
    }
    for name, value in known.items():
        body = body.replace("${" + name + "}", json.dumps(value))
    return re.sub(r"\$\{imageInfo\.\w+\}", "", body).encode()


def test_issues_are_answered_alike(pair):
    """Good requests, refusals and odd ones: status, headers, body, log and numbers are those of Flask."""
    for name, request in ISSUES.items():
        sides = []
        for side in pair:
            more = {key: value for key, value in request.items() if key != "input_stream"}
            if "input_stream" in request:
                more["input_stream"] = BytesIO(WANTED)
            sides.append(side.ask(**more))
        assert sides[0] == sides[1], name


def test_callbacks_are_answered_alike(pair, sign):
    """The first callback, its repeat, another object under the key, and callbacks that are not believed."""
    bodies = []
    for side in pair:
        side.ask(body=WANTED)
        granted = side.answer.status_code == 201
        bodies.append(
            [fill_body(side.answer.json, etag) if granted else b"{}" for etag in ("A" * 32, "B" * 32)]
        )
    first, other = zip(*bodies, strict=True)
    requests = [
        *((first, {}), (first, {}), (other, {})),
        (first, {"target": "/callback/from-oss"}),
        (first, {"target": "/callback/from-oss?a=%ff&b"}),
        (first, {"target": "/callback?token=1"}),
        (first, {"target": "/callback/"}),
        (first, {"target": "/callback//x"}),
        (first, {"Content-Encoding": "gzip"}),
        (first, {"Authorization": "AAAA"}),
        (first, {"Authorization": "é"}),
        (first, {"x-oss-pub-key-url": b64encode(b"http://evil.example/").decode()}),
        (first, {"Content-Type": "application/x-www-form-urlencoded"}),
        ((b"{}",) * 2, {}),
        ((b"x" * 70_000,) * 2, {}),
        ((b"",) * 2, {}),
    ]  # fmt: skip
    for both, changes in requests:
        front, flask = (side.ask(**sign(body, **changes)) for side, body in zip(pair, both, strict=True))
        assert front == flask, changes
    for method in ("GET", "HEAD", "OPTIONS", "PUT"):
        assert_same(pair, method=method, path="/callback")


@given(
    method=st.sampled_from(["POST", "POST", "POST", "GET", "HEAD", "OPTIONS", "PATCH", "X"]),
    path=st.sampled_from(["/v1/uploads", "/callback", "/callback/x", "/v1/uploads?x", "/callback?token=", "/", "/v1/uploads/%00"]),
    headers=st.dictionaries(
        st.sampled_from([
            "Content-Type", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Expect", "Origin", "Host", "Cookie",
            "Authorization", "x-oss-pub-key-url", "X-Request-ID", "X-HTTP-Method-Override", "Accept", "Range",
        ]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20),
        max_size=4,
    ),
    body=st.binary(max_size=60) | st.sampled_from([WANTED, WANTED[:-1], b'{"profile":"photo","filename":1}']),
)  # fmt: skip
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_answered_alike(plain, method, path, headers, body):
    """Whatever is sent, by either door it comes to the same."""
    assert_same(plain, method=method, path=path, headers=headers, body=body)


def test_crashes_and_outages_are_answered_alike(make_pair, monkeypatch, sign):
    """A fault of ours is a 500 that names itself in the log; without a ledger there is a 503, and when to come back."""
    pair = make_pair(VARIANTS["plain"])
    with monkeypatch.context() as patch:
        patch.setattr("signer.views.parse_issue_request", lambda body: 1 // 0)
        patch.setattr("callback.receive.verify_signature", lambda *given, **more: 1 // 0)
        crashed = [assert_same(pair, body=WANTED), assert_same(pair, **sign(b"{}"))]
    for side in pair:
        side.app.extensions["signer"].ledger.close()
    gone = assert_same(pair, body=WANTED)

    for outcome in crashed:
        assert outcome["status"].startswith("500")
        assert "ZeroDivisionError" in outcome["log"][0]
    assert gone["status"].startswith("503")
    assert ("Retry-After", "2") in gone["headers"]


def test_the_ordinary_never_comes_to_flask(make_pair, sign):
    """A grant, and a callback that is believed, are answered by the front alone; the next refusal is not."""
    side = make_pair(VARIANTS["below"])[0]

    def refuse(environ, start_response):
        raise AssertionError("Flask was asked")

    front = find_front(side.app)
    flask, front._flask = front._flask, refuse
    assert side.ask(body=WANTED)["status"] == "201 CREATED"
    body = fill_body(side.answer.json, "A" * 32)
    assert side.ask(**sign(body))["status"] == "200 OK"
    assert side.ask(**sign(body, "/callback/from-oss"))["status"] == "200 OK"
    with pytest.raises(AssertionError):
        side.ask(body=b"{}")
    front._flask = flask
    assert side.ask(body=b"{}")["status"] == "422 UNPROCESSABLE ENTITY"


def test_log_lines_outside_of_requests_name_none(lines):
    """What is told of one request clings to no later event of its thread."""
    from ossgate.answering import find_request_id

    assert find_request_id() is None


def test_late_tickets_are_refused_alike(make_pair, sign, monkeypatch):
    """A refusal of the second layer names its upload in log and ledger by either door."""
    pair = make_pair(VARIANTS["plain"])
    outcomes = []
    for side in pair:
        side.ask(body=WANTED)
        body = fill_body(side.answer.json, "A" * 32)
        with monkeypatch.context() as patch:
            from ossgate.app import utc_now

            services = side.app.extensions["callback"]
            patch.setattr("ossgate.app.utc_now", lambda: utc_now() + timedelta(days=900))
            object.__setattr__(services.receiver, "now", lambda: utc_now() + timedelta(days=900))
            outcomes.append(side.ask(**sign(body)))
        ledger = side.app.extensions["signer"].ledger
        ledger.ping(timeout=5)
        outcomes[-1]["kept"] = [
            (
                one.judgement.layer,
                one.judgement.code,
                len(one.request.body),
                one.request.raw_target,
                one.request.remote_addr,
            )
            for one in ledger.inbox.find_callbacks(CallbackFilter())
        ]

    assert outcomes[0] == outcomes[1]
    assert outcomes[0]["status"].startswith("403")
    assert len(outcomes[0]["kept"]) == 1
