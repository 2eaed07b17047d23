"""Every published signature, sent over HTTP: accepted as it stands, refused with one byte changed."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ossgate.emulator import Credentials

VECTORS = Path(__file__).parents[1] / "vectors"
BUCKETS = ("bucket", "examplebucket", "oss-bucket-test")
MISMATCH = (403, "SignatureDoesNotMatch")
Pairs = list[tuple[str, str]]
Sent = tuple[str, str, Pairs, Pairs]


def read_cases(name: str) -> list[Any]:
    return [
        pytest.param(case, id=case["id"]) for case in json.loads((VECTORS / name).read_text("utf-8"))["cases"]
    ]


def read_moment(case: dict[str, Any]) -> datetime:
    text = case.get("time") or case["date_or_expires"]
    if text.isdigit():
        return datetime.fromtimestamp(int(text) - 10, UTC)
    if text.endswith("Z"):
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return parsedate_to_datetime(text).astimezone(UTC)


def build(case: dict[str, Any]) -> Sent:
    """Tell method, path, query and headers as they go over the wire."""
    request, expected = case["request"], case["expected"]
    path = "/" + "/".join(part for part in (request["bucket"], request["key"]) if part is not None)
    path += "/" if request["bucket"] and not request["key"] else ""
    headers: Pairs = [(name, value) for name, value in request["headers"]]
    query: Pairs = [(name, value or "") for name, value in request.get("query", [])]
    if "query_without_signature" in expected:
        query = [(name, value or "") for name, value in expected["query_without_signature"]]
        query.append(("x-oss-signature", expected["signature"]))
    elif case.get("kind") == "query":
        query += [
            ("OSSAccessKeyId", case["credentials"]["access_key_id"]),
            ("Expires", case["date_or_expires"]),
            ("Signature", expected["signature"]),
        ]
    else:
        headers.append(("Authorization", expected["authorization"]))
    return request["method"], path, query, headers


def change(text: str) -> str:
    """Change the last byte."""
    return text[:-1] + chr(ord(text[-1]) ^ 1)


def spoil(sent: Sent) -> Iterator[tuple[str, Sent]]:
    """Yield the request with one byte changed, in each place that is signed."""
    method, path, query, headers = sent
    # Dates, scopes and tokens have refusals of their own.
    fixed = ("x-oss-date", "date", "x-oss-content-sha256", "x-oss-security-token", "authorization")
    for at, (name, value) in enumerate(headers):
        lowered = name.lower()
        if value and (lowered in ("content-type", "content-md5") or lowered.startswith("x-oss-")):
            if lowered not in fixed:
                yield name, (method, path, query, [*headers[:at], (name, change(value)), *headers[at + 1 :]])
        elif lowered == "authorization":
            # The signature may end in padding, whose last bits mean nothing.
            stem = value.rstrip("=")
            spoilt = change(stem) + value[len(stem) :]
            yield name, (method, path, query, [*headers[:at], (name, spoilt), *headers[at + 1 :]])
    for at, (name, value) in enumerate(query):
        if name in ("x-oss-signature", "Signature"):
            stem = value.rstrip("=")
            spoilt = change(stem) + value[len(stem) :]
            yield name, (method, path, [*query[:at], (name, spoilt), *query[at + 1 :]], headers)
    if path.count("/") > 1 and not path.endswith("/"):
        yield "key", (method, change(path), query, headers)


@pytest.fixture
def ask(start_emulator: Callable[..., Any]) -> Callable[..., Any]:
    """Send a request to an emulator that knows the case's key and stands at the case's moment."""
    running: dict[str, Any] = {}

    def send(case: dict[str, Any], sent: Sent) -> Any:
        if case["id"] not in running:
            credentials = case["credentials"]
            key = Credentials(
                credentials["access_key_id"],
                credentials["access_key_secret"],
                credentials["security_token"] or "",
            )
            running[case["id"]] = start_emulator(
                bucket=BUCKETS[0],
                more_buckets=BUCKETS[1:],
                temporary_credentials=(key,),
                now=lambda: read_moment(case),
            )
        method, path, query, headers = sent
        target = quote(path, safe="/")
        if query:
            target += "?" + "&".join(
                f"{quote(name, safe='')}={quote(value, safe='')}" if value else quote(name, safe="")
                for name, value in query
            )
        return running[case["id"]].request(method, target, body=b"", headers=dict(headers))

    return send


@pytest.mark.parametrize(
    "case", [*read_cases("v1.json"), *read_cases("v4-header.json"), *read_cases("v4-presign.json")]
)
def test_accepted_and_refused(ask: Callable[..., Any], case: dict[str, Any]) -> None:
    """What stands published passes the signature check; a changed byte does not."""
    sent = build(case)
    answer = ask(case, sent)

    if case.get("product") == "oss-cloudbox":
        # Cloud boxes are another product, which is not emulated.
        assert (400, "InvalidArgument") == answer.error[:2]
        return
    assert answer.status not in (403, 500), answer.body
    spoilt = list(spoil(sent))
    assert len(spoilt) >= 1
    for place, changed in spoilt:
        refused = ask(case, changed)
        assert (*MISMATCH, "0002-00000040") == (refused.error[0], refused.error[1], refused.error[3]), place
        assert case["credentials"]["access_key_id"] == refused.xml["OSSAccessKeyId"]
        assert bytes.fromhex(refused.xml["StringToSignBytes"])


FORMS = json.loads((VECTORS / "post-policy-v4.json").read_text("utf-8"))["post_vectors"]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in FORMS])
def test_forms_of_version_four(start_emulator: Callable[..., Any], case: dict[str, Any]) -> None:
    """A published form passes the signature check; a changed byte of policy or signature does not."""
    moment = datetime.strptime(case["x-oss-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    token = case["form_fields"].get("x-oss-security-token", "")
    key = Credentials(case["access_key_id"], case["access_key_secret"], token)
    client = start_emulator(
        bucket="examplebucket", region=case["region"], temporary_credentials=(key,), now=lambda: moment
    )
    fields = {"key": "a.txt", **case["form_fields"]}
    accepted = client.post(fields, target="/examplebucket")
    spoilt = {**fields, "x-oss-signature": change(fields["x-oss-signature"])}
    refused = client.post(spoilt, target="/examplebucket")

    # Its conditions may ask for more than this form holds.
    assert accepted.status == 204 or accepted.error[3] == "0006-00000227"
    assert (*MISMATCH, "0002-00000705") == (refused.error[0], refused.error[1], refused.error[3])


@pytest.mark.parametrize("case", json.loads((VECTORS / "post-policy-v1.json").read_text("utf-8"))["vectors"])
def test_forms_of_version_one(start_emulator: Callable[..., Any], case: dict[str, Any]) -> None:
    """A published policy's signature holds; a changed byte does not."""
    key = Credentials(case["access_key_id"], case["access_key_secret"])
    client = start_emulator(temporary_credentials=(key,), now=lambda: datetime(2010, 1, 1, tzinfo=UTC))
    fields = {
        "key": "a.txt",
        "OSSAccessKeyId": case["access_key_id"],
        "policy": case["policy_base64"],
        "Signature": case["signature"],
    }
    answer = client.post(fields)
    stem = case["signature"].rstrip("=")
    spoilt = change(stem) + case["signature"][len(stem) :]

    refused = client.post({**fields, "Signature": spoilt})

    if 'conditions":null' in case["policy_text"]:
        # The policy is none, which is said before its signature is looked at.
        assert [(400, "InvalidPolicyDocument")] * 2 == [answer.error[:2], refused.error[:2]]
        return
    assert answer.status == 204 or answer.error[3] == "0006-00000227"
    assert MISMATCH == refused.error[:2]
