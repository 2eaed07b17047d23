"""The callback definition: what is accepted and what is refused, before anything is stored."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.emulator.callback_definition import parse_callback
from ossgate.emulator.errors import OssError


def encode(definition: object) -> str:
    text = definition if isinstance(definition, str) else json.dumps(definition)
    return base64.b64encode(text.encode()).decode()


def resolve(host: str) -> list[str]:
    """Know one public host, one private one, and no other."""
    return {"app.example.com": ["93.184.215.14"], "inside.example.com": ["10.0.0.1"]}.get(host, [])


def refuse(encoded: str, *, allow_private: bool = True) -> OssError:
    with pytest.raises(OssError) as caught:
        parse_callback(encoded, allow_private=allow_private, resolve=resolve)
    return caught.value


GOOD = {"callbackUrl": "http://app.example.com/cb", "callbackBody": "a=${size}"}


def test_accepted_vectors(vectors: Callable[[str], Any]) -> None:
    """Definitions of SDKs and pages are read as they were meant."""
    for case in vectors("callback-parameter.json")["callback"]:
        if not case["accepted"]:
            continue
        found = parse_callback(case["base64"], allow_private=True, resolve=lambda host: ["1.1.1.1"])

        assert case["decoded"]["callbackBody"] == found.body
        assert case["decoded"].get("callbackHost", "") == found.host


def test_rejected_vectors(vectors: Callable[[str], Any]) -> None:
    """Definitions that OSS refuses are refused with its words."""
    for case in vectors("callback-parameter.json")["rejected"]:
        value = case.get("value") or encode({**GOOD, "callbackBody": "x" * 5000})
        error = refuse(value, allow_private=case["name"] != "private-address")

        assert (case["code"], case["message"]) == (error.kind.code, error.message), case["name"]
        assert case.get("ec", error.kind.ec) == error.kind.ec
        assert case.get("argument_name", dict(error.extras).get("ArgumentName")) == dict(error.extras).get(
            "ArgumentName"
        )


REFUSED = [
    ("no base64!", 2),
    ("W10=", 3),
    (encode("no json"), 3),
    (encode("[" * 3000), 3),
    (encode({"callbackBody": "a"}), 4),
    (encode({**GOOD, "callbackUrl": ""}), 4),
    (encode({**GOOD, "callbackUrl": 7}), 4),
    (encode({**GOOD, "callbackUrl": "ftp://app.example.com/"}), 4),
    (encode({**GOOD, "callbackUrl": "app.example.com:port"}), 4),
    (encode({**GOOD, "callbackUrl": "http://app.example.com:99999/"}), 4),
    (encode({**GOOD, "callbackUrl": "http://user@app.example.com/"}), 4),
    (encode({**GOOD, "callbackUrl": "http://[::1]/"}), 4),
    (encode({**GOOD, "callbackUrl": "http://app.example.com/中文"}), 4),
    (encode({**GOOD, "callbackUrl": "http://app.example.com/a b"}), 4),
    (encode({**GOOD, "callbackUrl": "http://app.example.com;"}), 4),
    (encode({**GOOD, "callbackUrl": ";".join(["http://app.example.com"] * 6)}), 5),
    (encode({**GOOD, "callbackUrl": "http://nowhere.example.com"}), 7),
    (encode({**GOOD, "callbackHost": 1}), 9),
    (encode({**GOOD, "callbackHost": "a\r\nb"}), 9),
    (encode({**GOOD, "callbackBody": 1}), 10),
    (encode({**GOOD, "callbackBody": ""}), 11),
    (encode({"callbackUrl": GOOD["callbackUrl"]}), 11),
    (encode({**GOOD, "callbackBodyType": 1}), 12),
    (encode({**GOOD, "callbackBodyType": "application/json; charset=utf-8"}), 13),
    (encode({**GOOD, "callbackSNI": "true"}), 14),
    (encode({**GOOD, "additionalHeaders": {"X": "1"}}), 21),
    (encode({**GOOD, "additionalHeaders": {"a": "1\r\n2"}}), 21),
    (encode({**GOOD, "callbackBody": "a=$size"}), 105),
    (encode({**GOOD, "callbackBody": "a=$"}), 105),
]


@pytest.mark.parametrize(("encoded", "number"), REFUSED)
def test_refused(encoded: str, number: int) -> None:
    """Each member has its EC."""
    error = refuse(encoded)

    assert (400, "InvalidArgument", f"0007-{number:08d}") == (
        error.kind.status,
        error.kind.code,
        error.kind.ec,
    )


def test_signature_version() -> None:
    """Only the documented format of signatures is known."""
    assert (
        "The callback signature version is invalid."
        == refuse(encode({**GOOD, "signatureVersion": 2})).message
    )


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "192.168.1.1", "http://inside.example.com/", "http://169.254.169.254/"]
)
def test_private_addresses(url: str) -> None:
    """Refused as OSS refuses them when asked to be that strict, accepted else."""
    error = refuse(encode({**GOOD, "callbackUrl": url}), allow_private=False)

    assert "Private address is forbidden to callback." == error.message
    assert (("ArgumentName", "callbackUrl"), ("ArgumentValue", url)) == error.extras
    assert parse_callback(encode({**GOOD, "callbackUrl": url}), allow_private=True, resolve=resolve)


def test_urls_are_taken_apart() -> None:
    """Scheme, port, path and query each have their default."""
    urls = "app.example.com;http://app.example.com:81?a=1;https://app.example.com/x%2Fy?b#c;HTTP://App.Example.com/?"
    found = parse_callback(encode({**GOOD, "callbackUrl": urls}), allow_private=True, resolve=resolve).urls

    assert ["/", "/?a=1", "/x%2Fy?b", "/?"] == [url.target for url in found]
    assert [80, 81, 443, 80] == [url.port for url in found]
    assert ["app.example.com", "app.example.com:81", "app.example.com", "app.example.com"] == [
        url.host_header for url in found
    ]


def test_whitespace_does_no_harm() -> None:
    """Blanks in the JSON and a line break after the base64 are accepted."""
    pretty = base64.encodebytes(json.dumps(GOOD, indent=2).encode()).decode()

    assert "a=${size}" == parse_callback(pretty, allow_private=True, resolve=resolve).body


def test_limit_of_five_kilobytes() -> None:
    """5120 characters pass, one more does not."""
    encoded = encode({**GOOD, "callbackBody": "x" * 3000})
    exact = encoded + " " * (5120 - len(encoded))

    assert parse_callback(exact, allow_private=True, resolve=resolve)
    assert "The length of callback exceed max value." == refuse(exact + " ").message


def test_refusal_stores_nothing(client: Any) -> None:
    """The definition is checked before the file is taken."""
    answer = client.post(client.make_fields(callback="error argument"))

    message = "The callback configuration is not base64 encoded."
    assert (400, "InvalidArgument", message, "0007-00000002") == answer.error
    assert 404 == client.head("a.txt").status


def test_definition_that_is_not_json_is_quoted(client: Any) -> None:
    """The answer names the argument and its decoded text."""
    answer = client.post(client.make_fields(callback="ZXJyb3IgYXJndW1lbnQ="))

    assert ("callback", "error argument") == (answer.xml["ArgumentName"], answer.xml["ArgumentValue"])


def test_private_addresses_can_be_refused(
    start_emulator: Callable[..., Any], callback: Callable[..., str]
) -> None:
    """The option makes the emulator as strict as OSS."""
    client = start_emulator(allow_private_callbacks=False)
    answer = client.post(client.make_fields(callback=callback("http://127.0.0.1:1/")))

    assert "0007-00000008" == answer.error[3]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
members = st.fixed_dictionaries(
    {},
    optional={
        "callbackUrl": st.text() | json_values,
        "callbackBody": st.text() | json_values,
        "callbackHost": json_values,
        "callbackBodyType": json_values,
        "callbackSNI": json_values,
        "additionalHeaders": st.dictionaries(st.text(), st.text()) | json_values,
    },
)


@given(members | json_values)
def test_any_definition_ends_in_our_errors(definition: Any) -> None:
    """Whatever JSON comes, it is a definition or it is refused."""
    try:
        parse_callback(encode(definition), allow_private=False, resolve=resolve)
    except OssError as error:
        assert 400 == error.kind.status  # noqa: PT017


def test_one_private_address_among_public_ones() -> None:
    """A name that also leads inside is refused: which address is called is nobody's promise."""
    encoded = encode({**GOOD, "callbackUrl": "http://both.example.com/"})
    with pytest.raises(OssError, match="Private address is forbidden to callback"):
        parse_callback(encoded, allow_private=False, resolve=lambda host: ["93.184.215.14", "10.0.0.1"])
