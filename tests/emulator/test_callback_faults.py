"""Every fault of a callback, played over HTTP."""

import base64
import json
import threading
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ossgate.emulator.callback_faults import change_body

BODY = "object=${object}&size=${size}"
Play = Callable[..., dict[str, Any]]


@pytest.fixture
def play(client: Any) -> Play:
    """Ask for a fault of callbacks; tells it as it was taken."""

    def ask(action: str, **members: Any) -> dict[str, Any]:
        document = {"on": "callback", "action": action, **members}
        answer = client.request("POST", "/_emulator/faults", body=json.dumps(document).encode())
        assert 200 == answer.status, answer.body
        added: dict[str, Any] = answer.json["faults"][-1]
        return added

    return ask


@pytest.fixture
def post(client: Any, receiver: Any, callback: Callable[..., str]) -> Callable[..., Any]:
    """Post a form with a callback."""

    def send(key: str = "a.txt", body: str = BODY, **members: Any) -> Any:
        return client.post(client.make_fields(key=key, callback=callback(receiver.url, body, **members)))

    return send


def verifies(received: Any, pem: str) -> bool:
    """Tell whether a callback is signed by a key."""
    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    message = urllib.parse.unquote(received.target).encode() + b"\n" + received.body
    try:
        key.verify(
            base64.b64decode(received.header("Authorization")), message, padding.PKCS1v15(), hashes.MD5()
        )
    except InvalidSignature:
        return False
    return True


def fetch_pem(client: Any, received: Any) -> str:
    """Fetch the key that a callback names."""
    url = base64.b64decode(received.header("x-oss-pub-key-url")).decode()
    assert url.startswith(client.emulator.url)
    body: bytes = client.request("GET", url.removeprefix(client.emulator.url)).body
    return body.decode()


def test_double(receiver: Any, play: Play, post: Callable[..., Any]) -> None:
    """A doubled callback comes twice, the same to the last byte but its date; the uploader hears of one."""
    play("double")
    answer = post()

    first, second = receiver.received
    assert 200 == answer.status
    assert (first.target, first.body, first.header("Authorization")) == (
        second.target,
        second.body,
        second.header("Authorization"),
    )


def test_lost_answer(client: Any, receiver: Any, play: Play, post: Callable[..., Any]) -> None:
    """The receiver was told and the uploader hears of a timeout; the object is there."""
    play("lose_answer")
    answer = post()

    assert (203, "CallbackFailed", "0007-00000202") == (*answer.error[:2], answer.error[3])
    assert 1 == len(receiver.received)
    assert 200 == client.head("a.txt").status


def test_late_after_giving_up(client: Any, receiver: Any, play: Play, post: Callable[..., Any]) -> None:
    """OSS gives up at once, and the callback comes when nobody waits for it any more."""
    arrived = threading.Event()
    answer = receiver.answer

    def tell(received: Any) -> bytes:
        arrived.set()
        return bytes(answer(received))

    receiver.answer = tell
    play("delay", seconds=0.2, give_up=True)
    started = time.monotonic()
    assert 203 == post().status
    assert not arrived.is_set()
    assert arrived.wait(10)
    assert time.monotonic() - started >= 0.2
    transcript = client.emulator._server.app.transcript
    events = transcript.wait_for_events(transcript.last - 1, 5)
    while events[-1]["event"] != "callback_late":
        events = transcript.wait_for_events(events[-1]["seq"], 5)


def test_nothing_comes_after_the_stop(
    start_emulator: Callable[..., Any], receiver: Any, callback: Callable[..., str]
) -> None:
    """A callback that is still to come when the emulator stops is never sent, and the stop does not wait for it."""
    client = start_emulator()
    rule = json.dumps({"on": "callback", "action": "delay", "seconds": 60, "give_up": True})
    client.request("POST", "/_emulator/faults", body=rule.encode())
    client.post(client.make_fields(callback=callback(receiver.url, BODY)))
    started = time.monotonic()
    client.emulator.stop()

    assert time.monotonic() - started < 5
    assert [] == receiver.received


def test_reorder(client: Any, receiver: Any, play: Play, post: Callable[..., Any]) -> None:
    """The first callback waits until the second has been delivered; both uploaders are answered."""
    play("reorder", seconds=30)
    answers = []
    first = threading.Thread(target=lambda: answers.append(post("first").status))
    first.start()
    deadline = time.monotonic() + 10
    while client.request("GET", "/_emulator/faults").json["faults"][0]["fired"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    answers.append(post("second").status)
    first.join()

    assert [b"object=second&size=5", b"object=first&size=5"] == [item.body for item in receiver.received]
    assert [200, 200] == answers


def test_reorder_without_another(receiver: Any, play: Play, post: Callable[..., Any]) -> None:
    """When no other callback comes, the held one is sent all the same."""
    play("reorder", seconds=0.1)

    assert 200 == post().status
    assert 1 == len(receiver.received)


def test_bad_signature(client: Any, receiver: Any, play: Play, post: Callable[..., Any]) -> None:
    """A wrongly signed callback verifies under no key; the next one is right again."""
    play("bad_signature")
    post()
    post()

    pem = client.emulator.public_key_pem
    assert [False, True] == [verifies(item, pem) for item in receiver.received]
    assert 256 == len(base64.b64decode(receiver.received[0].header("Authorization")))


def test_rotated_key_at_another_url(client: Any, receiver: Any, play: Play, post: Callable[..., Any]) -> None:
    """The callback names a URL where its key is found; the usual URL keeps the usual key."""
    play("rotated_key")
    post()
    received = receiver.received[0]
    usual = client.request("GET", "/_emulator/callback.pem").body.decode()

    assert usual == client.emulator.public_key_pem
    assert not verifies(received, usual)
    assert verifies(received, fetch_pem(client, received))


def test_rotated_key_at_the_same_url(
    client: Any, receiver: Any, play: Play, post: Callable[..., Any]
) -> None:
    """After a rotation the usual URL gives the new key; who kept the old one is wrong."""
    play("rotated_key", url="same")
    post()
    rotated = receiver.received[0]

    assert client.emulator.public_key_url == base64.b64decode(rotated.header("x-oss-pub-key-url")).decode()
    assert not verifies(rotated, client.emulator.public_key_pem)
    assert verifies(rotated, fetch_pem(client, rotated))
    post()
    assert verifies(receiver.received[1], fetch_pem(client, receiver.received[1]))


WRONG_BODIES = [
    ({"change": {"size": 1, "x:y": "ü&"}}, b"object=a.txt&size=1&x%3Ay=%C3%BC%26"),
    ({"truncate": 4}, b"obje"),
    ({"truncate": 0}, b""),
    ({"text": "not what you think"}, b"not what you think"),
    ({}, b"<html>This is not what the application expects.</html>"),
]


@pytest.mark.parametrize(("parameters", "body"), WRONG_BODIES)
def test_wrong_body(
    client: Any,
    receiver: Any,
    play: Play,
    post: Callable[..., Any],
    parameters: dict[str, Any],
    body: bytes,
) -> None:
    """Another body is sent, and it is signed as if it were right."""
    play("wrong_body", **parameters)
    post()

    assert body == receiver.received[0].body
    assert verifies(receiver.received[0], client.emulator.public_key_pem)


def test_tampered_body(client: Any, receiver: Any, play: Play, post: Callable[..., Any]) -> None:
    """A body that was changed on its way no longer fits its signature."""
    play("wrong_body", change={"size": 1}, signed=False)
    post()

    assert b"object=a.txt&size=1" == receiver.received[0].body
    assert not verifies(receiver.received[0], client.emulator.public_key_pem)


def test_wrong_json_body(receiver: Any, play: Play, post: Callable[..., Any]) -> None:
    """In a JSON body a field is changed as JSON."""
    play("wrong_body", change={"size": "many"})
    post(body='{"size":${size},"key":${object}}', callbackBodyType="application/json")

    assert {"size": "many", "key": "a.txt"} == json.loads(receiver.received[0].body)
    assert b'{"a": 1}' == change_body(b"no json", "application/json", {"change": {"a": 1}})


def test_faults_go_together(client: Any, receiver: Any, play: Play, post: Callable[..., Any]) -> None:
    """One callback may be late, doubled, wrongly signed and wrong in its body."""
    for action, members in (
        ("delay", {"seconds": 0.1}),
        ("double", {"copies": 3}),
        ("bad_signature", {}),
        ("wrong_body", {"text": "x"}),
    ):
        play(action, **members)
    started = time.monotonic()
    post()
    faults = client.request("GET", "/_emulator/faults").json["faults"]

    assert time.monotonic() - started >= 0.1
    assert [b"x"] * 3 == [item.body for item in receiver.received]
    assert not verifies(receiver.received[0], client.emulator.public_key_pem)
    assert [(1, 0)] * 4 == [(fault["fired"], fault["left"]) for fault in faults]


def test_only_what_fits(receiver: Any, play: Play, post: Callable[..., Any]) -> None:
    """A fault befalls the keys and operations that it names, from its nth occasion on."""
    play("drop", key="photos/*", operation="PostObject", nth=2)

    assert [200, 200, 203, 200] == [post(key).status for key in ("photos/a", "b", "photos/c", "photos/d")]
    assert 3 == len(receiver.received)


def test_put_object(client: Any, receiver: Any, play: Play, callback: Callable[..., str]) -> None:
    """The callback of another operation goes wrong in the same way."""
    play("status", status=418, operation="PutObject")
    answer = client.put("a.txt", **{"x-oss-callback": callback(receiver.url, BODY)})

    assert (203, "Error status : 418.") == (answer.status, answer.xml["Message"])


def test_by_header(client: Any, receiver: Any, callback: Callable[..., str]) -> None:
    """A request brings the fault of its own callback along, and it befalls no other."""
    fields = client.make_fields(callback=callback(receiver.url, BODY))
    answers = [
        client.post(fields, headers={"x-ossgate-fault": "callback.drop"}).status,
        client.post(fields).status,
    ]

    assert [203, 200] == answers
