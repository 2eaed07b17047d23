"""The transcript: numbered, dated, followed, and silent about secrets."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from ossgate.emulator import Credentials
from ossgate.emulator.events import MAX_FOLLOWERS, Transcript
from ossgate.emulator.redaction import redact_message, redact_query, redact_signed_text

TOKEN = "CAIS+/=secret-token"


def list_events(client: Any, query: str = "") -> dict[str, Any]:
    answer: dict[str, Any] = client.request("GET", f"/_emulator/events{query}").json
    return answer


def test_numbered_and_dated(client: Any) -> None:
    """Events have rising numbers and the true time; those already known need not be told again."""
    client.put("a")
    client.put("b")
    told = list_events(client)
    numbers = [event["seq"] for event in told["events"]]

    assert list(range(1, len(numbers) + 1)) == numbers
    assert told["last"] == numbers[-1]
    assert told["events"][0]["at"].endswith("Z")
    assert [numbers[-1]] == [event["seq"] for event in list_events(client, f"?since={numbers[-2]}")["events"]]
    assert [] == list_events(client, f"?since={numbers[-1]}")["events"]
    assert numbers == [event["seq"] for event in list_events(client, "?since=x")["events"]]


def test_followed(client: Any) -> None:
    """A follower is answered when something happens, and not before."""
    found: list[dict[str, Any]] = []
    follower = threading.Thread(target=lambda: found.append(list_events(client, "?follow=1&since=0")))
    follower.start()
    follower.join(0.2)
    assert follower.is_alive()
    client.head("nothing")
    follower.join(10)

    assert [404] == [event["status"] for event in found[0]["events"]]


def test_follow_ends_without_events(client: Any) -> None:
    """A wait may be short; then the list is empty."""
    started = time.monotonic()
    told = list_events(client, "?follow=1&wait=1&since=0")

    assert ([], 0) == (told["events"], told["last"])
    assert 0.9 < time.monotonic() - started < 10


def test_stop_lets_followers_go(start_emulator: Callable[..., Any]) -> None:
    """Followers do not hold up the end."""
    client = start_emulator()
    follower = threading.Thread(target=lambda: list_events(client, "?follow=1"))
    follower.start()
    transcript = client.emulator._server.app.transcript
    deadline = time.monotonic() + 10
    while not transcript._followers:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    started = time.monotonic()
    client.emulator.stop()
    follower.join()

    assert time.monotonic() - started < 2


def test_followers_are_few() -> None:
    """Followers hold threads, so those above the limit do not wait."""
    transcript = Transcript()
    transcript._followers = MAX_FOLLOWERS
    started = time.monotonic()

    assert [] == transcript.wait_for_events(0, 30)
    assert time.monotonic() - started < 1


def test_lines(client: Any) -> None:
    """Events come as JSON lines where that is asked for."""
    client.put("猫")
    answer = client.request("GET", "/_emulator/events?format=ndjson")
    events = [json.loads(line) for line in answer.body.decode().splitlines()]

    assert "application/x-ndjson" == answer.headers["Content-Type"]
    assert ["stored", "put_object"] == [event["event"] for event in events]


def test_cleared(client: Any) -> None:
    """Forgotten events are gone, and the numbers go on."""
    client.put("a")
    last = list_events(client)["last"]
    client.request("DELETE", "/_emulator/events")
    assert [] == list_events(client)["events"]
    client.put("a")

    assert [last + 1, last + 2] == [event["seq"] for event in list_events(client)["events"]]


def test_refusal_shows_what_should_have_been_signed(client: Any) -> None:
    """A wrong signature is told with the expected texts and a reason in words, not with the signature given."""
    target = client.presign("GET", "a.txt").replace("a.txt", "b.txt")
    client.request("GET", target)
    event = list_events(client)["events"][-1]

    assert ("SignatureDoesNotMatch", "0002-00000040") == (event["code"], event["ec"])
    assert event["string_to_sign"].startswith("OSS4-HMAC-SHA256\n")
    assert event["canonical_request"].startswith("GET\n/test-bucket/b.txt\n")
    assert event["reason"].startswith("The signature was made over another text")
    assert target.rpartition("x-oss-signature=")[2] not in json.dumps(event)
    assert "x-oss-signature=***(64)" in event["query"]


def test_refused_form_tells_its_policy_by_digest(client: Any) -> None:
    """Of a form what is signed is the policy, which is told by length and digest alone."""
    fields = client.make_fields(**{"x-oss-signature": "0" * 64})
    client.post(fields)
    client.post({**client.make_fields_v1(), "Signature": "x"})
    v4, v1 = list_events(client)["events"]

    assert v4["string_to_sign"].startswith(
        f"the form's policy as sent: {len(fields['policy'])} bytes, SHA-256 "
    )
    assert v1["string_to_sign"].startswith("the form's policy as sent: ")
    assert fields["policy"] not in json.dumps(v4)


def test_tokens_and_callbacks_stay_out(start_emulator: Callable[..., Any]) -> None:
    """Neither a token nor a callback definition is told, wherever it travels and whatever goes wrong."""
    sts = Credentials("STS.id", "sts-secret", TOKEN)
    client = start_emulator(temporary_credentials=(sts,))
    client.access_key_id, client.access_key_secret = "STS.id", "wrong"
    callback = "eyJjYWxsYmFja1VybCI6InNlY3JldCJ9"
    client.request("GET", client.presign("GET", "a", token=TOKEN, query={"callback": callback}))
    client.send("PUT", "a", body=b"x", headers={"x-oss-security-token": TOKEN, "x-oss-callback": callback})
    client.send("GET", "a", headers={"x-oss-security-token": "another-token"})
    client.request(
        "GET",
        f"/test-bucket/a?OSSAccessKeyId=STS.id&Expires=9999999999&Signature=geheim&security-token={TOKEN}",
    )
    client.post(client.make_fields([{"callback": "other"}], token=TOKEN, callback=callback))
    told = list_events(client)

    assert 5 == len(told["events"])
    assert all(event["event"] == "refused" for event in told["events"])
    for secret in (TOKEN, "CAIS", "secret-token", "another-token", callback, "sts-secret", "geheim"):
        assert secret not in json.dumps(told, ensure_ascii=False), secret


def test_refused_condition_hides_values(client: Any) -> None:
    """A condition on the callback is quoted without its value, another one with it."""
    client.post(client.make_fields([["eq", "$callback", "eyJhIjoic2VjcmV0In0="]], callback="x"))
    client.post(client.make_fields([["starts-with", "$key", "photos/"]]))
    hidden, shown = (event["message"] for event in list_events(client)["events"])

    assert "eyJhIjoic2VjcmV0In0=" not in hidden
    assert '["eq", "$callback", ***(22)]' in hidden
    assert '["starts-with", "$key", "photos/"]' in shown


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("GET\n/b/k\nx-oss-security-token=abc&x=1\n", "GET\n/b/k\nx-oss-security-token=***(3)&x=1\n"),
        ("x-oss-security-token:abc\nx-oss-date:1\n", "x-oss-security-token:***(3)\nx-oss-date:1\n"),
        (
            "/b/k?callback=abcd&callback-var=ab&security-token=a",
            "/b/k?callback=***(4)&callback-var=***(2)&security-token=***(1)",
        ),
        ("/b/k?policy", "/b/k?policy"),
        ("x-oss-signature-version=OSS4&a", "x-oss-signature-version=OSS4&a"),
        ("/b/callback=no", "/b/callback=no"),
    ],
)
def test_signed_texts(text: str, redacted: str) -> None:
    """Secret lines and query items are masked, with their length; the rest stays as it is."""
    assert redacted == redact_signed_text(text)


def test_queries_and_messages() -> None:
    """Secret parameters are masked, empty ones stay; conditions lose their values."""
    query = (("uploads", ""), ("prefix", "a b"), ("Signature", "abc"), ("policy", ""))

    assert "uploads&prefix=a b&Signature=***(3)&policy" == redact_query(query)
    assert '{"policy": ***(3)}' == redact_message('{"policy": "x"}')
    assert '["in", "$x-oss-security-token", ***(5)]' == redact_message(
        '["in", "$x-oss-security-token", ["a"]]'
    )
    # A message that was cut in the middle of a value.
    assert '["eq", "$callback", ***(5)' == redact_message('["eq", "$callback", "eyJh')
