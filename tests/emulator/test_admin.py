"""The admin routes and who may use them."""

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ossgate.emulator import Emulator, EmulatorOptions, EmulatorStartError

DROP = json.dumps({"on": "callback", "action": "drop", "times": 2}).encode()


def test_health_and_key(client: Any) -> None:
    """Health answers, and the key is PEM."""
    assert {"status": "ok"} == client.request("GET", "/_emulator/health").json
    answer = client.request("GET", "/_emulator/callback.pem")

    assert "application/x-pem-file" == answer.headers["Content-Type"]
    assert answer.body.startswith(b"-----BEGIN PUBLIC KEY-----\n")


def test_faults(client: Any) -> None:
    """Faults are added, told and cleared."""
    added = client.request("POST", "/_emulator/faults", body=DROP)
    told = client.request("GET", "/_emulator/faults")
    cleared = client.request("DELETE", "/_emulator/faults")

    assert (200, "drop", 2) == (
        added.status,
        added.json["faults"][0]["action"],
        told.json["faults"][0]["times"],
    )
    assert {"faults": []} == cleared.json


BAD_FAULTS = [
    b"no json",
    b"[]",
    b"{}",
    b'{"on":"moon","action":"drop"}',
    b'{"on":"callback","action":"explode"}',
    b'{"on":"callback","action":"drop","times":0}',
    b'{"on":"callback","action":"drop","times":true}',
    b'{"on":"callback","action":"delay","seconds":-1}',
    b'{"on":"callback","action":"delay","seconds":1e9}',
    b'{"on":"callback","action":"status","status":42}',
    b'{"on":"callback","action":"drop","colour":"red"}',
    b" " * 100_000,
]


@pytest.mark.parametrize("body", BAD_FAULTS)
def test_fault_refused(client: Any, body: bytes) -> None:
    """A fault that cannot be played is refused with the reason."""
    answer = client.request("POST", "/_emulator/faults", body=body)

    assert 400 == answer.status
    assert answer.json["error"]
    assert [] == client.request("GET", "/_emulator/faults").json["faults"]


def test_events_tell_no_secrets(client: Any, receiver: Any, callback: Callable[..., str]) -> None:
    """The transcript tells what happened, without signature, policy, token or callback body."""
    encoded = callback(receiver.url + "?token=hidden", "secret=${object}")
    fields = client.make_fields(callback=encoded)
    client.post(fields)
    client.post(client.make_fields(expires_in=-1))
    client.head("a.txt")
    answer = client.request("GET", "/_emulator/events")
    events = answer.json["events"]

    assert ["stored", "callback", "post_object", "refused", "head_object"] == [
        event["event"] for event in events
    ]
    assert ("a.txt", 200, "test-bucket") == (
        events[2]["object_key"],
        events[2]["status"],
        events[2]["bucket"],
    )
    assert ("AccessDenied", "post_object") == (events[3]["code"], events[3]["operation"])
    assert events[1]["receiver"].endswith("/callback")
    for secret in ("hidden", "secret=", fields["policy"], fields["x-oss-signature"], "test-key-secret"):
        assert secret not in answer.body.decode()


def test_events_are_bounded(client: Any) -> None:
    """The newest thousand events are kept."""
    transcript = client.emulator._server.app.transcript
    for number in range(1500):
        transcript.record("event", number=number)

    events = client.request("GET", "/_emulator/events").json["events"]
    assert (1000, 1499) == (len(events), events[-1]["number"])


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", ""]
)
def test_foreign_host_refused(client: Any, host: str) -> None:
    """A name that was pointed at this machine gets nothing."""
    for method, route in (("GET", "events"), ("POST", "faults"), ("GET", "callback.pem")):
        answer = client.request(method, f"/_emulator/{route}", body=DROP, headers={"Host": host})

        assert 403 == answer.status
    assert [] == client.request("GET", "/_emulator/faults").json["faults"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9000", "[::1]:9000", "LOCALHOST"])
def test_local_host_answered(client: Any, host: str) -> None:
    """Addresses and localhost are one's own."""
    assert 200 == client.request("GET", "/_emulator/health", headers={"Host": host}).status


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_other_sites_refused(client: Any, headers: dict[str, str]) -> None:
    """A page elsewhere cannot play faults through the plain address."""
    assert 403 == client.request("POST", "/_emulator/faults", body=DROP, headers=headers).status
    assert [] == client.request("GET", "/_emulator/faults").json["faults"]


def test_public_url(start_emulator: Callable[..., Any]) -> None:
    """Under its public name the emulator answers, and announces its key there."""
    client = start_emulator(public_url="http://oss.internal:9000/")

    assert "http://oss.internal:9000/_emulator/callback.pem" == client.emulator.public_key_url
    assert 200 == client.request("GET", "/_emulator/health", headers={"Host": "oss.internal:9000"}).status


def test_unknown_route(client: Any) -> None:
    """There is nothing else."""
    assert 404 == client.request("GET", "/_emulator/nothing").status
    assert 405 == client.request("PUT", "/_emulator/faults").status


def make_options(folder: Path, **options: Any) -> EmulatorOptions:
    return EmulatorOptions(data_dir=folder, access_key_id="a", access_key_secret="b", **options)


def test_key_is_made_once_and_kept(tmp_path: Path) -> None:
    """The folder's own key has 2048 bits, is readable by its owner alone, and survives a restart."""
    with Emulator(make_options(tmp_path)) as first:
        pem = first.public_key_pem
    with Emulator(make_options(tmp_path)) as second:
        assert pem == second.public_key_pem

    if sys.platform != "win32":
        assert 0o600 == stat.S_IMODE((tmp_path / "callback-key.pem").stat().st_mode)


def test_secrets_are_not_in_the_repr(tmp_path: Path) -> None:
    """Printing the options tells no secret."""
    assert "b-secret" not in repr(
        EmulatorOptions(data_dir=tmp_path, access_key_id="a", access_key_secret="b-secret")
    )


def test_start_errors(tmp_path: Path, client: Any) -> None:
    """What hinders the start is told with its way out, and leaves the folder free."""
    port = client.emulator.port
    taken = client.emulator.options.data_dir
    file = tmp_path / "file"
    file.write_text("x")
    cases = [
        (
            make_options(tmp_path / "a", port=port),
            f"Port {port} on 127.0.0.1 is in use; choose another with --port",
        ),
        (make_options(taken), "Another emulator uses"),
        (make_options(file / "x"), "Cannot write to"),
        (make_options(tmp_path / "b", callback_private_key="x"), "The callback key cannot be used"),
        (make_options(tmp_path / "c", host="192.0.2.1"), "Cannot listen on 192.0.2.1:0"),
    ]
    for options, text in cases:
        with pytest.raises(EmulatorStartError, match="^" + text.replace(".", r"\.")):
            Emulator(options).start()
    for name in ("a", "b", "c"):
        with Emulator(make_options(tmp_path / name)):
            pass
