"""Webhooks against real receivers on this machine: what arrives, what counts as received, what does not."""

import json
import socket
import ssl
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook
from werkzeug import Response

from ossgate.delivery.envelopes import Envelope
from ossgate.delivery.errors import DeliveryFailed, SinkInvalid
from ossgate.delivery.pinned_request import MAX_ANSWER_BYTES
from ossgate.delivery.webhooks import WebhookSink


@pytest.fixture
def make_hook(secret):
    """Build a webhook sink that may deliver to this machine."""

    def make(url, **options):
        given = {"allow_private": True, "timeout": 5.0}
        return WebhookSink("hooks", url, [secret], **{**given, **options})

    return make


@pytest.fixture
def answer(httpserver, make_hook, make_delivery, now):
    """Deliver to a receiver that answers so, and return the failure."""

    def send(status, body="", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        httpserver.expect_oneshot_request("/hook", method="POST").respond_with_data(body, status, named)
        with pytest.raises(DeliveryFailed) as caught:
            make_hook(httpserver.url_for("/hook")).send(make_delivery(), now=now)
        return caught.value

    return send


@contextmanager
def raw_server(talk):
    """A server that does with each connection whatever the test wants."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(10)

        def serve():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                try:
                    talk(connection)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        thread.join()


def test_receiver_gets_a_standard_webhook(httpserver, make_hook, make_delivery, secret):
    """A receiver that uses the specification's library believes what arrives; id, body and type are the delivery's."""
    httpserver.expect_request("/hook", method="POST").respond_with_data("thanks", 200)
    delivery = make_delivery()

    make_hook(httpserver.url_for("/hook?a=1&b=%2F")).send(delivery, now=datetime.now(UTC))

    ((request, _),) = httpserver.log
    assert Webhook(secret).verify(request.data, dict(request.headers)) == json.loads(delivery.body)
    assert request.data == delivery.body.encode()
    assert request.headers["webhook-id"] == delivery.delivery_id
    assert request.content_type == "application/json"
    assert request.host == f"127.0.0.1:{httpserver.port}" or request.host == f"localhost:{httpserver.port}"
    assert request.query_string == b"a=1&b=%2F"


def test_receiver_gets_a_cloudevent(httpserver, make_hook, make_delivery, secret):
    """The other envelope is signed in the same way."""
    httpserver.expect_request("/hook", method="POST").respond_with_data("", 204)

    hook = make_hook(httpserver.url_for("/hook"), envelope=Envelope("cloudevents"))
    hook.send(make_delivery(), now=datetime.now(UTC))

    ((request, _),) = httpserver.log
    event = Webhook(secret).verify(request.data, dict(request.headers))
    assert (event["specversion"], event["id"]) == ("1.0", request.headers["webhook-id"])
    assert request.content_type == "application/cloudevents+json"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_received(httpserver, make_hook, make_delivery, now, status):
    """Any 2xx answer means that the event was received."""
    httpserver.expect_request("/hook").respond_with_data("", status)

    assert make_hook(httpserver.url_for("/hook")).send(make_delivery(), now=now) is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500, 503])
def test_other_answers_are_tried_again(answer, status):
    """Any other answer is a failed attempt, with the beginning of what it said."""
    failure = answer(status, "no such thing" * 100)

    assert failure.reason == f"answered {status}: {('no such thing' * 100)[:120]!r}"
    assert (failure.is_slow, failure.is_gone, failure.retry_after) == (False, False, None)


@pytest.mark.parametrize("status", [429, 502, 504])
def test_slow_answers_slow_down(answer, status):
    """Answers that ask for less are told apart, with the time they ask for."""
    failure = answer(status, Retry_After="120")

    assert failure.is_slow
    assert failure.retry_after == timedelta(minutes=2)


def test_410_is_gone(answer):
    """A receiver that is gone says so once."""
    assert answer(410).is_gone


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(httpserver, answer, status):
    """A redirect is a failed attempt: where it leads nobody has judged."""
    httpserver.expect_request("/elsewhere").respond_with_data("stolen", 200)

    failure = answer(status, Location=httpserver.url_for("/elsewhere"))

    assert failure.reason == f"answered {status}, and redirects are not followed"
    assert [request.path for request, _ in httpserver.log] == ["/hook"]


def test_private_address_is_not_connected_to(httpserver, make_hook, make_delivery, now):
    """Unless it is allowed, a receiver on this machine does not even see a connection."""
    with pytest.raises(DeliveryFailed, match="is not public"):
        make_hook(httpserver.url_for("/hook"), allow_private=False).send(make_delivery(), now=now)

    assert httpserver.log == []


def test_name_is_resolved_once_and_its_address_connected_to(httpserver, make_hook, make_delivery, now):
    """The judged address is the one that is used, under the name: a second, other answer of the name would gain nothing."""
    httpserver.expect_request("/hook").respond_with_data("", 200)
    asked = []

    def resolve(host, port):
        asked.append((host, port))
        return [httpserver.host if httpserver.host != "localhost" else "127.0.0.1"]

    url = f"http://hooks.example.test:{httpserver.port}/hook"
    make_hook(url, resolve=resolve).send(make_delivery(), now=now)

    assert asked == [("hooks.example.test", httpserver.port)]
    assert httpserver.log[0][0].host == f"hooks.example.test:{httpserver.port}"


def test_next_address_is_tried_when_one_is_down(httpserver, make_hook, make_delivery, now):
    """A host of several addresses is reached when one of them is."""
    httpserver.expect_request("/hook").respond_with_data("", 200)
    url = f"http://hooks.example.test:{httpserver.port}/hook"

    make_hook(url, resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"]).send(make_delivery(), now=now)

    assert len(httpserver.log) == 1


def test_nobody_listens(make_hook, make_delivery, now):
    """A receiver that is down is a failed attempt."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

    with pytest.raises(DeliveryFailed, match="cannot be reached: connection refused"):
        make_hook(f"http://127.0.0.1:{port}/hook").send(make_delivery(), now=now)


def test_large_answer_is_not_read(make_hook, make_delivery, now):
    """Of an answer without end at most 64 KiB are taken; a 2xx still counts."""
    sent = []

    def talk(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)
            sent.append(65536)

    with raw_server(talk) as url:
        make_hook(url).send(make_delivery(), now=now)

    # What the system's buffers hold was sent and never read.
    assert sum(sent) < MAX_ANSWER_BYTES + 16 * 1024 * 1024


@pytest.mark.parametrize(
    "drip", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: " + b"s" * 500], ids=["silent", "a byte at a time"]
)
def test_slow_answer_ends_in_time(make_hook, make_delivery, now, drip):
    """A receiver that says nothing, or a byte now and then, holds an attempt no longer than its whole time."""
    done = threading.Event()

    def talk(connection):
        connection.recv(65536)
        for byte in drip:
            connection.sendall(bytes([byte]))
            if done.wait(0.02):
                return
        done.wait(10)

    begun = datetime.now(UTC)
    with raw_server(talk) as url:
        with pytest.raises(DeliveryFailed, match=r"no answer (within 0\.4 seconds|in time)"):
            make_hook(url, timeout=0.4).send(make_delivery(), now=now)
        done.set()

    assert datetime.now(UTC) - begun < timedelta(seconds=3)


def test_slow_body_after_success_counts(make_hook, make_delivery, now):
    """Once a 2xx has arrived, the event was received, however the rest of the answer goes."""
    done = threading.Event()

    def talk(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nslow")
        done.wait(10)

    with raw_server(talk) as url:
        make_hook(url, timeout=0.3).send(make_delivery(), now=now)
        done.set()


@pytest.mark.parametrize(
    "answered",
    [
        b"",
        b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500,
    ],
)
def test_answer_that_is_no_http(make_hook, make_delivery, now, answered):
    """Whatever is no answer is a failed attempt, never a crash."""

    def talk(connection):
        connection.recv(65536)
        connection.sendall(answered)

    with raw_server(talk) as url, pytest.raises(DeliveryFailed, match="cannot be reached"):
        make_hook(url).send(make_delivery(), now=now)


def test_environment_proxy_is_not_used(httpserver, make_hook, make_delivery, now, monkeypatch):
    """A proxy of the environment would connect where nobody has judged."""
    httpserver.expect_request("/hook").respond_with_data("", 200)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    make_hook(httpserver.url_for("/hook")).send(make_delivery(), now=now)

    assert len(httpserver.log) == 1


@pytest.fixture(scope="module")
def certified():
    """An authority, and a receiver's certificate for hooks.example.test alone, as two TLS contexts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test authority")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, private


@pytest.fixture
def tls_server(certified, tmp_path):
    """A receiver that speaks TLS and notes the name that it was asked for."""
    pem, private = certified
    (tmp_path / "both.pem").write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    asked = []
    context.sni_callback = lambda socket, name, context: asked.append(name)
    server = HTTPServer(host="127.0.0.1", port=0, ssl_context=context)
    server.start()
    server.expect_request("/hook").respond_with_response(Response("", 200))
    server.asked = asked
    yield server
    server.clear()
    server.stop()


def send_tls(server, pem, make_hook, delivery, now, host):
    url = f"https://{host}:{server.port}/hook"
    tls = ssl.create_default_context(cadata=pem.decode())
    make_hook(url, resolve=lambda host, port: ["127.0.0.1"], tls=tls).send(delivery, now=now)


def test_tls_is_for_the_name(tls_server, certified, make_hook, make_delivery, now):
    """Though an address is connected to, the certificate is asked for and checked by the host's name."""
    send_tls(tls_server, certified[0], make_hook, make_delivery(), now, "hooks.example.test")

    assert tls_server.asked == ["hooks.example.test"]
    assert tls_server.log[0][0].host == f"hooks.example.test:{tls_server.port}"


def test_tls_refuses_another_name(tls_server, certified, make_hook, make_delivery, now):
    """A certificate of another name is refused."""
    with pytest.raises(DeliveryFailed, match="certificate is refused: Hostname mismatch"):
        send_tls(tls_server, certified[0], make_hook, make_delivery(), now, "other.example.test")

    assert tls_server.log == []


def test_tls_refuses_an_unknown_authority(tls_server, make_hook, make_delivery, now):
    """The system's authorities are asked unless others are named, and nobody else is believed."""
    hook = make_hook(
        f"https://hooks.example.test:{tls_server.port}/hook", resolve=lambda host, port: ["127.0.0.1"]
    )
    with pytest.raises(DeliveryFailed, match="certificate is refused: self-signed certificate"):
        hook.send(make_delivery(), now=now)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://hooks.example.com/", "no URL that begins with https"),
        ("hooks.example.com/x", "no URL that begins with https"),
        ("https://", "no URL that begins with https"),
        ("https://user:pass@hooks.example.com/", "user name or password"),
        ("https://hooks.example.com:99999/", "is no URL"),
        ("https://[::1/", "is no URL"),
        ("https://" + "a" * 70 + ".example.com/", "is no URL"),
        ("https://hooks.example.com/猫", "characters that a URL cannot have"),
        ("https://hooks.example.com/a b", "characters that a URL cannot have"),
        ("https://hooks.example.com/a\r\nX: y", "characters that a URL cannot have"),
    ],
)
def test_url_that_cannot_be_posted_to(make_hook, url, message):
    """Each unusable URL is refused when the sink is built."""
    with pytest.raises(SinkInvalid, match=message):
        make_hook(url)


def test_host_in_any_script(httpserver, make_hook, make_delivery, now):
    """A host's name in another script is sent as DNS and HTTP know it."""
    httpserver.expect_request("/hook").respond_with_data("", 200)

    url = f"http://例子.test:{httpserver.port}/hook"
    make_hook(url, resolve=lambda host, port: ["127.0.0.1"]).send(make_delivery(), now=now)

    assert httpserver.log[0][0].host.startswith("xn--fsqu00a.test:")
