"""Whatever is sent to STS, the answer is a refusal in its own shape and never a failure."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossgate.emulator.sts import is_sts_request

LENIENT = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# What a request line and headers may hold, decoded as the gateway decodes them.
octets = st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape"))
NAMES = [
    "Action", "Version", "Format", "AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureNonce",
    "Timestamp", "RoleArn", "RoleSessionName", "Policy", "DurationSeconds", "ExternalId", "SourceIdentity",
    "SecurityToken",
]  # fmt: skip
HEADERS = [
    "authorization", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce",
    "x-acs-security-token", "accept", "content-type", "host",
]  # fmt: skip


@LENIENT
@given(
    st.sampled_from(["GET", "POST"]),
    octets,
    st.binary(max_size=200),
    st.dictionaries(st.sampled_from(HEADERS), octets),
)
def test_raw_garbage(caller: Any, method: str, query: str, body: bytes, headers: dict[str, str]) -> None:
    """Random query, body and headers are refused in JSON or XML."""
    answer = caller.send(method, query=query, body=body, headers={"host": "h", **headers})

    assert 400 <= answer.status < 500
    assert answer.json["Code"] if answer.body[:1] == b"{" else answer.xml.findtext("Code")


@LENIENT
@given(st.dictionaries(st.sampled_from(NAMES), octets, min_size=1, max_size=3))
def test_signed_garbage(caller: Any, changes: dict[str, str]) -> None:
    """Also behind a valid signature, any parameter may hold anything."""
    parameters = {**caller.make_parameters(), **changes}
    try:
        parameters["Signature"] = caller.sign("GET", parameters)
    except UnicodeEncodeError:
        parameters["Signature"] = "AAAA"
    answer = caller.send("GET", query=write_query(parameters))

    assert answer.status == 200 or 400 <= answer.status < 500


@LENIENT
@given(st.text(st.characters(codec="utf-8"), max_size=100), st.sampled_from(["JSON", "XML"]))
@pytest.mark.parametrize("name", ["Policy", "RoleArn", "RoleSessionName", "SourceIdentity", "SecurityToken"])
def test_signed_text(caller: Any, name: str, text: str, wanted: str) -> None:
    """Any text in any parameter, signed, gives an answer that its reader can parse."""
    answer = caller.call(**{name: text, "Format": wanted})

    assert answer.status == 200 or 400 <= answer.status < 500
    assert answer.json if wanted == "JSON" else answer.xml is not None


@given(octets, octets, st.dictionaries(st.sampled_from(HEADERS), octets))
def test_recognition_never_fails(method: str, path: str, headers: dict[str, str]) -> None:
    """Every request is either for STS or not."""
    assert is_sts_request(method, path, [], headers) in (True, False)


def test_token_with_odd_texts(caller: Any) -> None:
    """A session policy with characters beyond Unicode's letters comes back as it was."""
    policy = (
        '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"acs:oss:*:*:b/\\ud800😀"}]}'
    )
    found = caller.call(Policy=policy).credentials
    identity = caller.sts.find_credentials(found["AccessKeyId"], found["SecurityToken"], now=caller.clock[0])

    assert policy == identity.session.policy


def write_query(parameters: dict[str, str]) -> str:
    return urlencode(parameters, errors="surrogateescape")
