"""Every fault of a request, its answer, the clock and the key's host, played over HTTP."""

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from ossgate.emulator.fault_player import _is_loopback

Play = Callable[..., dict[str, Any]]


@pytest.fixture
def play(client: Any) -> Play:
    """Ask for a fault; tells it as it was taken."""

    def ask(on: str, action: str, **members: Any) -> dict[str, Any]:
        document = {"on": on, "action": action, **members}
        answer = client.request("POST", "/_emulator/faults", body=json.dumps(document).encode())
        assert 200 == answer.status, answer.body
        added: dict[str, Any] = answer.json["faults"][-1]
        return added

    return ask


def exchange(client: Any, request: bytes, *, send: int | None = None) -> tuple[bytes, bool]:
    """Send raw bytes; tell what came back, and whether the connection ended in a reset."""
    received = b""
    with socket.create_connection(("127.0.0.1", client.emulator.port), timeout=20) as connection:
        try:
            connection.sendall(request if send is None else request[:send])
            while piece := connection.recv(65536):
                received += piece
        except ConnectionError:
            return received, True
    return received, False


def make_put(client: Any, body: bytes, key: str = "a.txt") -> tuple[bytes, int]:
    """Write a raw PUT; tell it with the length of its head."""
    head = (
        f"PUT {client.presign('PUT', key)} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    return head + body, len(head)


def make_get(client: Any, key: str = "a.txt") -> bytes:
    """Write a raw GET."""
    head = f"GET {client.presign('GET', key)} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    return head.encode()


REFUSALS = [
    ({}, (500, "InternalError", "0001-00000001")),
    ({"status": 503}, (503, "ServiceUnavailable", "")),
    ({"code": "SlowDown"}, (503, "SlowDown", "")),
    ({"status": 429, "code": "TotalQpsLimitExceeded"}, (429, "TotalQpsLimitExceeded", "")),
    ({"status": 599}, (599, "InternalError", "")),
]


@pytest.mark.parametrize(("parameters", "told"), REFUSALS)
def test_status(client: Any, play: Play, parameters: dict[str, Any], told: tuple[int, str, str]) -> None:
    """A request is refused with OSS's own XML, and nothing is stored; the next one passes."""
    play("request", "status", **parameters)
    refused = client.put("a.txt")

    assert told == (*refused.error[:2], refused.error[3])
    assert 404 == client.head("a.txt").status
    assert 200 == client.put("a.txt").status


def test_status_with_words_of_its_own(client: Any, play: Play) -> None:
    """The message may be given."""
    play("request", "status", status=503, code="SlowDown", message="Slower, please.")

    assert "Slower, please." == client.put("a.txt").error[2]


def test_status_of_a_form_by_its_key(client: Any, play: Play) -> None:
    """The key of a form is known when its fields are; a rule about keys waits for that."""
    play("request", "status", status=503, key="photos/*")

    assert [204, 503, 204] == [
        client.post(client.make_fields(key=key)).status for key in ("a", "photos/b", "photos/c")
    ]


def test_head_and_get(client: Any, play: Play) -> None:
    """Reads are refused as well; HEAD tells its error in a header."""
    client.put("a.txt")
    play("request", "status", status=503, operation="HeadObject,GetObject", times=2)
    head, get = client.head("a.txt"), client.get("a.txt")

    assert (503, 503) == (head.status, get.status)
    assert head.headers["x-oss-err"]
    assert 200 == client.get("a.txt").status


@pytest.mark.parametrize("after", [0, 1, 1_000_000, 2_999_999])
def test_request_reset(client: Any, play: Play, after: int) -> None:
    """After so many bytes of the body the connection is reset, without a word, and nothing is stored."""
    play("request", "reset", after=after)
    request, head = make_put(client, b"x" * 3_000_000)
    # Not a byte more is sent than the fault lets in, so that it is this byte that ends it.
    received, reset = exchange(client, request, send=head + after)

    assert (b"", True) == (received, reset)
    assert 404 == client.head("a.txt").status


def test_request_reset_in_a_form(client: Any, play: Play, form: Callable[..., bytes]) -> None:
    """A form's upload breaks off in the same way, by its key as well."""
    play("request", "reset", after=100_000, key="b")
    body = form(client.make_fields(key="b"), b"x" * 300_000)
    head = (
        f"POST /test-bucket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=BOUNDARY\r\n\r\n"
    ).encode()

    assert (b"", True) == exchange(client, head + body)
    assert 404 == client.head("b").status
    assert [] == list((client.emulator.options.data_dir / "uploads").iterdir())


def test_request_reset_of_a_get(client: Any, play: Play) -> None:
    """A request without a body is reset before it is answered."""
    client.put("a.txt")
    play("request", "reset", operation="GetObject")

    assert (b"", True) == exchange(client, make_get(client))


def test_response_reset_loses_the_answer(client: Any, play: Play) -> None:
    """After no byte at all, the effect is there and the client knows nothing of it."""
    play("response", "reset")
    request, _ = make_put(client, b"hello")

    assert (b"", True) == exchange(client, request)
    assert 200 == client.head("a.txt").status


@pytest.mark.parametrize("after", [1, 300_000, 999_999])
def test_response_reset(client: Any, play: Play, after: int) -> None:
    """After so many bytes of its body the answer breaks off."""
    client.put("a.txt", b"x" * 1_000_000)
    play("response", "reset", after=after)
    connection = http.client.HTTPConnection("127.0.0.1", client.emulator.port, timeout=20)
    connection.request("GET", client.presign("GET", "a.txt"))
    response = connection.getresponse()
    received = 0
    with contextlib.suppress(ConnectionError, http.client.IncompleteRead):
        while piece := response.read1(65536):
            received += len(piece)
    connection.close()

    assert 200 == response.status
    assert 0 < received <= after


def test_stalls(client: Any, play: Play) -> None:
    """A pause in the request, before the answer and within it; all arrives in the end."""
    body = b"x" * 600_000
    client.put("a.txt", body)
    for on, after in (("request", 0), ("request", 300_000), ("response", 0), ("response", 300_000)):
        play(on, "stall", seconds=0.2, after=after)
        started = time.monotonic()
        if on == "request" and after:
            assert 200 == client.put("a.txt", body).status
        else:
            assert body == client.get("a.txt").body
        assert time.monotonic() - started >= 0.2, (on, after)


def test_clock_skew(client: Any, play: Play) -> None:
    """A moved clock refuses what was signed by a right one, tells its own time, and stays until removed."""
    fault = play("clock", "skew", seconds=3600)
    refused = client.send("PUT", "a.txt", body=b"x")
    shown = parsedate_to_datetime(refused.headers["Date"])

    assert (403, "RequestTimeTooSkewed") == refused.error[:2]
    assert abs(shown - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)
    assert abs(int(refused.headers["x-oss-server-time"]) / 1000 - time.time() - 3600) < 60
    assert 403 == client.send("PUT", "a.txt", body=b"x").status
    client.request("DELETE", f"/_emulator/faults/{fault['id']}")
    assert 200 == client.send("PUT", "a.txt", body=b"x").status


def test_clock_skew_of_one_operation(client: Any, play: Play) -> None:
    """The clock may be wrong for some requests alone, and an object is dated by it."""
    play("clock", "skew", seconds=-86_400 * 365, operation="PostObject")
    assert 403 == client.post(client.make_fields()).status
    play("clock", "skew", seconds=60, operation="PutObject")
    client.put("a.txt")
    modified = parsedate_to_datetime(client.head("a.txt").headers["Last-Modified"])

    assert modified - datetime.now(UTC) > timedelta(seconds=30)


def test_key_host_down(client: Any, play: Play) -> None:
    """The key's host answers an error, or nothing at all, until the fault is removed."""
    path = "/_emulator/callback.pem"
    play("key", "status")
    assert [503, 503] == [client.request("GET", path).status, client.request("GET", path).status]
    events = client.request("GET", "/_emulator/events").json["events"]
    assert ["fault", "get_callback_key"] * 2 == [event["event"] for event in events]
    client.request("DELETE", "/_emulator/faults")
    play("key", "close", times=1)
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()

    assert (b"", True) == exchange(client, request)
    assert 200 == client.request("GET", path).status


@pytest.mark.parametrize(
    "text", ["request.status=503", '{"on": "request", "action": "status", "status": 503}']
)
def test_by_header(client: Any, text: str) -> None:
    """A request may bring its own fault along, in both forms."""
    refused = client.request(
        "PUT", client.presign("PUT", "a.txt"), body=b"x", headers={"x-ossgate-fault": text}
    )

    assert (503, "ServiceUnavailable") == refused.error[:2]
    assert [] == client.request("GET", "/_emulator/faults").json["faults"]
    assert 200 == client.put("a.txt").status


def test_header_is_not_understood(client: Any) -> None:
    """A header that is no fault is refused, so that nobody believes it was played."""
    refused = client.request(
        "PUT", client.presign("PUT", "a.txt"), body=b"x", headers={"x-ossgate-fault": "callback.explode"}
    )

    assert (400, "InvalidArgument") == refused.error[:2]
    assert refused.error[2].startswith("x-ossgate-fault: 'callback.explode' is no fault; there are ")


def test_headers_switched_off(start_emulator: Callable[..., Any]) -> None:
    """Where headers play nothing, they are passed over."""
    client = start_emulator(fault_headers="never")
    target = client.presign("PUT", "a.txt")

    assert (
        200 == client.request("PUT", target, body=b"x", headers={"x-ossgate-fault": "request.status"}).status
    )


@pytest.mark.parametrize(
    ("address", "played"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False),
        ("::ffff:192.0.2.1", False),
        ("", False),
    ],
)
def test_headers_from_this_machine_alone(address: str, played: bool) -> None:
    """By default only requests of this machine may bring faults along."""
    assert played == _is_loopback(address)


def test_transcript_tells_of_faults(client: Any, play: Play) -> None:
    """What was played stands in the transcript, with the request that it befell."""
    fault = play("request", "status", status=503)
    client.put("a.txt")
    played, refused = client.request("GET", "/_emulator/events").json["events"]

    assert ("fault", fault["id"], "request.status") == (played["event"], played["fault_id"], played["fault"])
    assert [fault["id"]] == refused["faults"]
    assert played["request_id"] == refused["request_id"]


def test_stop_does_not_wait_for_stalls(start_emulator: Callable[..., Any]) -> None:
    """A request that is being stalled does not hold up the end."""
    client = start_emulator()
    client.request("POST", "/_emulator/faults", body=b'"request.stall=60"')
    with socket.create_connection(("127.0.0.1", client.emulator.port)) as connection:
        connection.sendall(make_get(client))
        deadline = time.monotonic() + 10
        while client.request("GET", "/_emulator/faults").json["faults"][0]["fired"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        started = time.monotonic()
        client.emulator.stop()

    assert time.monotonic() - started < 2
