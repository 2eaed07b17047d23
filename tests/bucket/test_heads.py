"""HEAD over kept connections, against a server that does what its script says and nothing else."""

import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ossgate.bucket.heads import MAX_HEAD_BYTES, HeadConnections, HeadInvalid, _parse

GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: "A"\r\n\r\n'


class Scripted:
    """A server; each connection gets a list of steps, and a step is what is sent once a question is whole."""

    def __init__(self, *scripts, context=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.asked = []
        self._scripts = scripts
        self._context = context
        self.ended = [threading.Event() for _ in scripts]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        for number, script in enumerate(self._scripts):
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._play, args=(number, connection, script), daemon=True).start()

    def _play(self, number, connection, script):
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                for step in script:
                    question = b""
                    while not question.endswith(b"\r\n\r\n"):
                        if not (chunk := connection.recv(4096)):
                            return
                        question += chunk
                    self.asked.append((number, question))
                    for part in step if isinstance(step, tuple) else (step,):
                        if isinstance(part, float):
                            time.sleep(part)
                        else:
                            connection.sendall(part)
        except OSError:
            pass
        finally:
            self.ended[number].set()

    def close(self):
        self.listener.close()


@pytest.fixture
def serve():
    made = []

    def make(*scripts, **options):
        made.append(Scripted(*scripts, **options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def connect():
    made = []

    def make(server, scheme="http", host="127.0.0.1"):
        made.append(HeadConnections(f"{scheme}://{host}:{server.port}", most=4))
        return made[-1]

    yield make
    for connections in made:
        connections.close()


def ask(connections, target="/b/k", seconds=5.0, **headers):
    return connections.ask(target, headers, seconds=seconds)


def test_what_is_sent_and_what_is_read(serve, connect):
    """One request, its headers, and a head in small letters; a header that comes twice is joined."""
    server = serve([b"HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-a:2 \r\nETag:\r\nX-B: \xe9: x\r\n\r\n"])
    head = ask(connect(server), "/b/k%20k", Date="today")

    assert (404, {"x-a": "1, 2", "etag": "", "x-b": "é: x"}) == (head.status, head.headers)
    assert server.asked == [
        (0, f"HEAD /b/k%20k HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept-Encoding: identity\r\nDate: today\r\n\r\n".encode())
    ]  # fmt: skip


def test_a_head_may_come_in_any_pieces(serve, connect):
    """Each byte by itself, and after an interim answer."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    server = serve([tuple(bytes([byte]) for byte in early + GOOD), early + early + GOOD])
    connections = connect(server)

    assert [ask(connections).status, ask(connections).headers["etag"]] == [200, '"A"']
    assert [number for number, _ in server.asked] == [0, 0]


def test_a_connection_is_kept_and_used_again(serve, connect):
    """Three questions, one connection."""
    server = serve([GOOD] * 3)
    connections = connect(server)
    for _ in range(3):
        ask(connections)

    assert [number for number, _ in server.asked] == [0, 0, 0]


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n",
        # A body in spite of the question: what follows is never taken for an answer.
        GOOD + GOOD,
        (GOOD, b"HTTP/1.1 404 Not Found\r\n\r\n"),
    ],
)
def test_a_connection_that_ended_or_has_more_to_say_is_not_used_again(serve, connect, first):
    """The second question goes to a new one, and gets its own answer."""
    server = serve([first, GOOD], [b"HTTP/1.1 201 Created\r\n\r\n"])
    connections = connect(server)
    ask(connections)
    # Until what is too much has arrived, if it comes late.
    time.sleep(0.05)

    assert ask(connections).status == 201
    assert [number for number, _ in server.asked] == [0, 1]


def test_kept_connections_that_were_closed_are_replaced(serve, connect):
    """Also when the end is only noticed with the question."""
    server = serve([GOOD, b""], [GOOD])
    connections = connect(server)
    ask(connections)
    again = ask(connections)

    assert again.status == 200
    assert [number for number, _ in server.asked] == [0, 0, 1]


def test_a_new_connection_that_is_closed_is_an_error(serve, connect):
    """Nobody is asked for ever."""
    server = serve([b""])
    with pytest.raises(ConnectionError):
        ask(connect(server))


@pytest.mark.parametrize(
    "answer",
    [
        (5.0,),
        (b"HTTP/1.1 200 OK\r\n", 5.0),
        # Never silent for long, and never done.
        tuple(part for _ in range(100) for part in (b"X", 0.05)),
        (*(part for _ in range(100) for part in (b"HTTP/1.1 100 Continue\r\n\r\n", 0.05)), GOOD),
    ],
)
def test_the_time_is_for_everything_together(serve, connect, answer):
    """A server that drips is given up as one that is silent."""
    server = serve([answer])
    with pytest.raises(TimeoutError):
        ask(connect(server), seconds=0.3)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nETag : x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nETag: x\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\nETag: x\n\n",
        b"HTTP/1.1 200 OK\r\nETag: x",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2 * MAX_HEAD_BYTES,
    ],
)
def test_what_is_no_answer_is_refused(serve, connect, answer):
    """Other protocols, broken heads, endless ones; the connection is not kept."""
    server = serve([answer], [GOOD])
    connections = connect(server)
    with pytest.raises(HeadInvalid):
        ask(connections)

    assert ask(connections).status == 200


@given(
    st.binary(max_size=200)
    | st.builds(bytes.__add__, st.just(b"HTTP/1.1 200 OK\r\n"), st.binary(max_size=80))
)
def test_any_bytes_are_a_head_or_refused(raw):
    """Nothing else comes of them."""
    try:
        head, _ = _parse(raw)
    except HeadInvalid:
        return
    assert 100 <= head.status <= 599
    assert all(name == name.lower() and name for name in head.headers)


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/é", "/a\0"])
def test_what_no_line_may_hold_is_not_sent(serve, connect, target):
    """No target and no header can add a line."""
    server = serve([GOOD])
    for request in ({"target": target}, {"X": target[2:] + "\r\nY: 2"}):
        with pytest.raises(ValueError, match="cannot be sent"):
            ask(connect(server), **request)
    assert server.asked == []


def test_threads_get_their_own_answers(serve, connect):
    """Sixteen at once, each over a connection that nobody else has at that moment."""
    answers = [f"HTTP/1.1 200 OK\r\nX-Number: {number}\r\n\r\n".encode() for number in range(200)]
    echo = socket.create_server(("127.0.0.1", 0))

    def play(connection):
        with connection:
            while question := connection.recv(4096):
                connection.sendall(answers[int(question.split(b" ")[1][1:])])

    def accept():
        while True:
            try:
                threading.Thread(target=play, args=(echo.accept()[0],), daemon=True).start()
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    connections = HeadConnections(f"http://127.0.0.1:{echo.getsockname()[1]}", most=4)
    wrong = []

    def work(own):
        for number in own:
            if ask(connections, f"/{number}").headers["x-number"] != str(number):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(range(start, 200, 16),)) for start in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = len(connections._idle)
    connections.close()
    echo.close()

    assert wrong == []
    assert 1 <= kept <= 4


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def test_servers_must_prove_their_name(serve, connect, certificate, monkeypatch):
    """A certificate that nobody vouches for, or that is another's, is refused before anything is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = serve([GOOD], [GOOD], [GOOD, GOOD], context=context)
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(connect(server, "https"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(connect(server, "https", "localhost"))
    connections = connect(server, "https")

    assert [ask(connections).status, ask(connections).status] == [200, 200]
    assert [number for number, _ in server.asked] == [2, 2]
