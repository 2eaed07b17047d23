"""Every published signature, sent over HTTP: accepted as it stands, refused with one byte changed."""

import base64
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from ossgate.emulator import Credentials, StsOptions

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


REFUSALS = {
    "key id": (403, "InvalidAccessKeyId", "0002-00000902"),
    "token": (403, "InvalidSecurityToken", "0002-00000006"),
    "day": (400, "InvalidArgument", None),
    "region": (400, "InvalidArgument", None),
    "product": (400, "InvalidArgument", "0002-00000227"),
    "terminator": (400, "InvalidArgument", None),
    "payload": (400, "InvalidArgument", "0002-00000214"),
    "date": (403, "SignatureDoesNotMatch", "0002-00000040"),
}


def change_scope(credential: str) -> Iterator[tuple[str, str]]:
    """Yield a credential with one byte changed in each of its parts."""
    parts = credential.split("/")
    for at, name in enumerate(["key id", "day", "region", "product", "terminator"], -5):
        changed = [*parts]
        changed[at] = change(parts[at])
        yield name, "/".join(changed)


def change_seconds(text: str) -> str:
    """Change the last digit of the seconds, or of a number."""
    at = max(index for index, letter in enumerate(text) if letter.isdigit())
    return f"{text[:at]}{int(text[at]) ^ 1}{text[at + 1 :]}"


def spoil_scope(sent: Sent) -> Iterator[tuple[str, Sent]]:
    """Yield the request with one byte changed where another refusal is due than that of a wrong signature."""
    method, path, query, headers = sent

    def put(pairs: Pairs, at: int, value: str) -> Pairs:
        return [*pairs[:at], (pairs[at][0], value), *pairs[at + 1 :]]

    fields = {name.lower() for name, _ in headers}
    for at, (name, value) in enumerate(headers):
        lowered = name.lower()
        if lowered == "authorization" and value.startswith("OSS4"):
            before, _, rest = value.partition("Credential=")
            credential, comma, rest = rest.partition(",")
            for place, changed in change_scope(credential):
                spoilt = f"{before}Credential={changed}{comma}{rest}"
                yield place, (method, path, query, put(headers, at, spoilt))
        elif lowered == "authorization":
            key_id, colon, rest = value.partition(":")
            yield "key id", (method, path, query, put(headers, at, change(key_id) + colon + rest))
        elif lowered == "x-oss-security-token":
            yield "token", (method, path, query, put(headers, at, change(value)))
        elif "authorization" not in fields:
            # What a URL is signed by stands in its query.
            continue
        elif lowered == "x-oss-content-sha256":
            yield "payload", (method, path, query, put(headers, at, change(value)))
        elif lowered == "x-oss-date" or (lowered == "date" and "x-oss-date" not in fields):
            yield "date", (method, path, query, put(headers, at, change_seconds(value)))
    for at, (name, value) in enumerate(query):
        if name == "x-oss-credential":
            for place, changed in change_scope(value):
                yield place, (method, path, put(query, at, changed), headers)
        elif name == "OSSAccessKeyId":
            yield "key id", (method, path, put(query, at, change(value)), headers)
        elif name in ("x-oss-security-token", "security-token"):
            yield "token", (method, path, put(query, at, change(value)), headers)
        elif name in ("x-oss-date", "x-oss-expires", "Expires") and value not in ("604800", "43200"):
            yield "date", (method, path, put(query, at, change_seconds(value)), headers)


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
    for place, changed in spoil_scope(sent):
        status, code, ec = REFUSALS[place]
        refused = ask(case, changed).error
        assert (status, code, ec or refused[3]) == (refused[0], refused[1], refused[3]), place
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
    at = len(fields["policy"]) // 2
    policy = fields["policy"][: at - 1] + change(fields["policy"][at - 1]) + fields["policy"][at:]
    altered = client.post({**fields, "policy": policy}, target="/examplebucket").error
    spoilt = {**fields, "x-oss-signature": change(fields["x-oss-signature"])}
    refused = client.post(spoilt, target="/examplebucket")

    # Its conditions may ask for more than this form holds.
    assert accepted.status == 204 or accepted.error[3] == "0006-00000227"
    assert (*MISMATCH, "0002-00000705") == (refused.error[0], refused.error[1], refused.error[3])
    # A changed byte of the policy may also leave no policy at all.
    assert altered[:2] in (MISMATCH, (400, "InvalidPolicyDocument"))
    for place, credential in change_scope(fields["x-oss-credential"]):
        # By its ID a key is known for a temporary one, whose token is then another emulator's.
        foreign = place == "key id" and case["access_key_id"].startswith("STS.")
        status, code, _ = REFUSALS["token" if foreign else place]
        answer = client.post({**fields, "x-oss-credential": credential}, target="/examplebucket")
        assert (status, code) == answer.error[:2], place


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


def test_documented_canonical_request(start_emulator: Callable[..., Any]) -> None:
    """The documented example's canonical request and string to sign are those that a refusal shows."""
    document = json.loads((VECTORS / "v4-documented-example.json").read_text("utf-8"))
    case = next(case for case in document["cases"] if case["id"] == "doc-v4-canonical")
    moment = datetime(2025, 4, 11, 6, 41, 24, tzinfo=UTC)
    client = start_emulator(bucket="examplebucket", now=lambda: moment)
    scope = "20250411/cn-hangzhou/oss/aliyun_v4_request"
    authorization = (
        f"OSS4-HMAC-SHA256 Credential={client.access_key_id}/{scope},"
        f"AdditionalHeaders={';'.join(case['additional_headers'])},Signature={'0' * 64}"
    )
    headers = {**dict(case["request"]["headers"]), "Authorization": authorization}
    refused = client.request("PUT", "/examplebucket/exampleobject", body=b"abc", headers=headers)

    assert MISMATCH == refused.error[:2]
    assert case["expected"]["canonical_request"] == refused.xml["CanonicalRequest"]
    assert case["expected"]["string_to_sign"] == refused.xml["StringToSign"]


STS_CASES = json.loads((VECTORS / "sts.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["id"]) for case in STS_CASES if "params" in case]
)
def test_calls_of_sts(start_emulator: Callable[..., Any], case: dict[str, Any]) -> None:
    """A published call of AssumeRole passes the signature check; with a byte changed it does not."""
    params = case["params"]
    account = params["RoleArn"].split(":")[3] if params["RoleArn"].count(":") > 3 else "1"
    client = start_emulator(
        access_key_id=params["AccessKeyId"],
        access_key_secret=case["access_key_secret"],
        sts=StsOptions(account_id=account),
        now=lambda: datetime.fromisoformat(params["Timestamp"]),
    )

    def call(changes: dict[str, str]) -> tuple[int, str]:
        pairs = {**params, "Signature": case["expected"]["signature"], **changes}
        answer = client.request(case["method"], "/?" + urlencode(pairs))
        told = answer.json if params.get("Format") == "JSON" else answer.xml
        return answer.status, told.get("Code", "")

    for name in ("RoleSessionName", "SignatureNonce", "RoleArn", "Timestamp"):
        value = change_seconds(params[name]) if name == "Timestamp" else change(params[name])
        assert (400, "SignatureDoesNotMatch") == call({name: value}), name
    assert (404, "InvalidAccessKeyId.NotFound") == call({"AccessKeyId": change(params["AccessKeyId"])})
    # What is asked for may not hold today; the signature does.
    status, code = call({})
    assert status == 200 or code.startswith("InvalidParameter"), code


CALLBACKS = json.loads((VECTORS / "callback-parameter.json").read_text("utf-8"))


def test_callback_parameters(client: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Published definitions and variables are taken; with their first byte changed they are none."""
    look_up = socket.getaddrinfo
    # The published hosts have an address; no packet goes there.
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **options: look_up("127.0.0.1", *more, **options),
    )
    variables = CALLBACKS["callback_var"]
    own = base64.b64encode(
        json.dumps({"callbackUrl": receiver.url, "callbackBody": "a=${x:uid}${x:my_var}"}).encode()
    ).decode()
    for case in [*CALLBACKS["callback"], *variables]:
        spoilt = base64.b64encode(b"?" + base64.b64decode(case["base64"])[1:]).decode()
        if case in variables:
            headers = {"x-oss-callback": own}
            name = "x-oss-callback-var"
        else:
            headers = {"x-ossgate-fault": "callback.drop"}
            name = "x-oss-callback"
        taken = client.send("PUT", "a", body=b"x", headers={**headers, name: case["base64"]})
        refused = client.send("PUT", "a", body=b"x", headers={**headers, name: spoilt})

        # A callback that is dropped was understood.
        expected = 200 if case in variables else 203 if case["accepted"] else 400
        assert expected == taken.status, (case["name"], taken.body)
        assert (400, "InvalidArgument") == refused.error[:2], case["name"]
    assert [b"a=12345", b"a=for-callback-test", b"a="] == [each.body for each in receiver.received]


def test_documented_callback_body(client: Any, receiver: Any) -> None:
    """The documented upload of five bytes calls back with the documented body, to the byte."""
    (case,) = [
        case
        for case in json.loads((VECTORS / "callback-body.json").read_text("utf-8"))["cases"]
        if "object_bytes" in case
    ]
    given = case["vars"]
    client.send("PUT", "", bucket=given["bucket"])
    definition = {"callbackUrl": receiver.url, "callbackBody": case["template"]}
    variables = {"x:var1": given["x:var1"]}
    answer = client.send(
        "PUT",
        given["object"],
        bucket=given["bucket"],
        body=case["object_bytes"].encode(),
        headers={
            "Content-Type": given["mimeType"],
            "x-oss-callback": base64.b64encode(json.dumps(definition).encode()).decode(),
            "x-oss-callback-var": base64.b64encode(json.dumps(variables).encode()).decode(),
        },
    )

    assert 200 == answer.status
    assert [case["body"].encode()] == [each.body for each in receiver.received]


def test_checksums(client: Any) -> None:
    """Published CRC-64 values are those of uploads; one byte more is another."""
    for case in json.loads((VECTORS / "etag-crc.json").read_text("utf-8"))["crc64_ecma"]["cases"]:
        told = [
            client.put("a", body).headers["x-oss-hash-crc64ecma"]
            for body in (case["ascii"].encode(), case["ascii"].encode() + b"!")
        ]
        assert case["crc_decimal"] == told[0] != told[1]
