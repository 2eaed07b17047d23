"""STS and OSS on one port: credentials are fetched, used, and held to their policies."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import urlencode

import pytest

from ossgate.emulator import EmulatorOptions, EmulatorStartError, StsOptions, StsRole
from ossgate.emulator.handlers import build_handlers
from ossgate.emulator.sts.permissions import OPERATIONS

ROLE = "acs:ram::1234567890123456:role/uploader"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SESSION_DENIED = (403, "AccessDenied", "Access denied by authorizer's policy.", "0003-00000301")
MINE = {
    "Effect": "Allow",
    "Action": ["oss:PutObject", "oss:GetObject"],
    "Resource": "acs:oss:*:*:test-bucket/mine/*",
}


@pytest.fixture
def assume(make_caller: Callable[..., Any]) -> Callable[..., Any]:
    """Fetch credentials from an emulator, and make a client that uses them; its `token` is beside it."""
    signer = make_caller()

    def fetch(client: Any, *statements: dict[str, Any], **changes: str | None) -> tuple[Any, str]:
        if statements:
            changes["Policy"] = json.dumps({"Version": "1", "Statement": statements})
        signer.clock[0] = client.emulator.options.now()
        parameters = signer.make_parameters(**changes)
        parameters["Signature"] = signer.sign("POST", parameters)
        answer = client.request("POST", "/", body=urlencode(parameters).encode(), headers=FORM)
        assert answer.status == 200, answer.body
        found = answer.json["Credentials"]
        session = replace(
            client, access_key_id=found["AccessKeyId"], access_key_secret=found["AccessKeySecret"]
        )
        return session, found["SecurityToken"]

    return fetch


def test_form_upload(client: Any, assume: Any) -> None:
    """A form signed with fetched credentials is taken where the session policy allows it."""
    session, token = assume(client, MINE)
    fields = session.make_fields(token=token, key="mine/a.txt")

    assert 204 == session.post(fields).status
    assert b"hello" == client.get("mine/a.txt").body


def test_form_upload_denied(client: Any, assume: Any) -> None:
    """Elsewhere it is refused, nothing is stored, and the refusal says which permission is missing."""
    session, token = assume(client, MINE)
    answer = session.post(session.make_fields(token=token, key="yours/a.txt"))

    assert SESSION_DENIED == answer.error
    assert b"<AccessDeniedDetail>\n    <PolicyType>SessionPolicy</PolicyType>\n" in answer.body
    assert b"    <AuthAction>oss:PutObject</AuthAction>\n  </AccessDeniedDetail>\n" in answer.body
    assert 404 == client.get("yours/a.txt").status


def test_form_key_is_judged_as_stored(client: Any, assume: Any) -> None:
    """The key with the file's name in it is what the policy sees."""
    session, token = assume(client, MINE)
    fields = session.make_fields(token=token, key="${filename}")

    assert SESSION_DENIED == session.post(fields, file_name="a.txt").error


def test_form_upload_with_acl_or_tags(client: Any, assume: Any) -> None:
    """An ACL or tags in the form need their own permissions."""
    session, token = assume(client, MINE)
    for name, value in (("x-oss-object-acl", "public-read"), ("x-oss-tagging", "a=b")):
        fields = session.make_fields(token=token, key="mine/a.txt", **{name: value})

        assert SESSION_DENIED == session.post(fields).error
    more = {"Effect": "Allow", "Action": "oss:PutObject*", "Resource": "*"}
    session, token = assume(client, more)
    fields = session.make_fields(token=token, key="a.txt", **{"x-oss-object-acl": "private"})

    assert 204 == session.post(fields).status


def test_form_upload_v1(client: Any, assume: Any) -> None:
    """A V1 form carries its token in a field, and is held to the policy as well."""
    session, token = assume(client, MINE)
    fields = session.make_fields_v1(key="mine/a.txt", **{"x-oss-security-token": token})

    assert 204 == session.post(fields).status
    assert SESSION_DENIED == session.post({**fields, "key": "b.txt"}).error


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_presigned_read(client: Any, assume: Any, method: str) -> None:
    """A presigned URL with a token reads what the policy allows, and nothing else."""
    for key in ("mine/a.txt", "yours/a.txt"):
        assert 204 == client.post(client.make_fields(key=key)).status
    session, token = assume(client, MINE)
    allowed = client.request(method, session.presign(method, "mine/a.txt", token=token))
    denied = client.request(method, session.presign(method, "yours/a.txt", token=token))

    assert (200, 403) == (allowed.status, denied.status)
    assert "0003-00000301" == denied.headers["x-oss-ec"]


def test_header_signature(client: Any, assume: Any) -> None:
    """A token in a header works the same."""
    client.post(client.make_fields(key="mine/a.txt"))
    session, token = assume(client, MINE)
    headers = session.make_headers_v4("GET", "mine/a.txt", headers={"x-oss-security-token": token})

    assert b"hello" == client.request("GET", "/test-bucket/mine/a.txt", headers=headers).body


def test_denied_read_tells_nothing_of_existence(client: Any, assume: Any) -> None:
    """A missing object that may not be read is denied, not missing."""
    session, token = assume(client, MINE)

    assert SESSION_DENIED == client.request("GET", session.presign("GET", "no", token=token)).error
    assert 404 == client.request("GET", session.presign("GET", "mine/no", token=token)).status


def test_several_deleted(client: Any, assume: Any) -> None:
    """Of several keys one that may not be deleted saves them all."""
    for key in ("mine/a.txt", "yours/a.txt"):
        client.put(key)
    session, token = assume(client, {**MINE, "Action": "oss:DeleteObject"})

    def delete(*keys: str) -> Any:
        inner = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
        body = f"<Delete>{inner}</Delete>".encode()
        digest = base64.b64encode(hashlib.md5(body).digest()).decode()
        headers = {"Content-MD5": digest, "x-oss-security-token": token}
        return session.send("POST", query={"delete": ""}, body=body, headers=headers)

    assert SESSION_DENIED == delete("mine/a.txt", "yours/a.txt").error
    assert 200 == client.head("mine/a.txt").status
    assert 200 == delete("mine/a.txt", "mine/b.txt").status
    assert [404, 200] == [client.head(key).status for key in ("mine/a.txt", "yours/a.txt")]


def test_copy_is_judged_by_its_source(client: Any, assume: Any) -> None:
    """A copy needs the right to read what is copied, whole or into a part."""
    for key in ("mine/a.txt", "yours/a.txt"):
        client.put(key)
    upload_id = client.initiate("mine/c.txt")
    session, token = assume(client, MINE)
    for source, refusal in (("mine/a.txt", None), ("yours/a.txt", SESSION_DENIED)):
        headers = {"x-oss-copy-source": f"/test-bucket/{source}", "x-oss-security-token": token}
        for answer in (
            session.send("PUT", "mine/b.txt", headers=headers),
            session.upload_part("mine/c.txt", upload_id, 1, b"", headers=headers),
        ):
            assert answer.status == 200 if refusal is None else answer.error == refusal


def test_every_operation_has_its_permissions() -> None:
    """No operation can be asked for that policies do not know."""
    nothing: Any = None
    options = EmulatorOptions(data_dir=nothing, access_key_id="", access_key_secret="")
    handlers = build_handlers(options, MagicMock(), nothing, MagicMock(), nothing, nothing)

    assert set() == {*handlers, "PostObject"} - set(OPERATIONS)


def test_public_object(client: Any, assume: Any) -> None:
    """What anybody may read, a session may read too, unless its policy denies it outright."""
    client.post(client.make_fields(key="a.txt", **{"x-oss-object-acl": "public-read"}))
    session, token = assume(client, MINE)
    deny = {"Effect": "Deny", "Action": "oss:GetObject", "Resource": "*"}
    denied, denied_token = assume(client, MINE, deny)

    assert 200 == client.request("GET", session.presign("GET", "a.txt", token=token)).status
    assert SESSION_DENIED == client.request("GET", denied.presign("GET", "a.txt", token=denied_token)).error


def test_address_is_looked_at(client: Any, assume: Any) -> None:
    """Conditions see the connection's own address and the client's name."""
    client.post(client.make_fields(key="mine/a.txt"))
    for address, status in (("127.0.0.0/8", 200), ("10.0.0.0/8", 403)):
        session, token = assume(client, {**MINE, "Condition": {"IpAddress": {"acs:SourceIp": address}}})

        assert status == client.request("GET", session.presign("GET", "mine/a.txt", token=token)).status


def test_secure_transport_by_option(start_emulator: Any, assume: Any) -> None:
    """A policy that demands TLS refuses plain HTTP, unless the emulator is told to look away."""
    statement = {**MINE, "Condition": {"Bool": {"acs:SecureTransport": "true"}}}
    for secure, status in ((False, 403), (True, 404)):
        client = start_emulator(sts=StsOptions(secure_transport=secure))
        session, token = assume(client, statement)

        assert status == client.request("GET", session.presign("GET", "mine/a", token=token)).status


def test_role_policy(start_emulator: Any, assume: Any) -> None:
    """A role's own policy binds its sessions; its refusal has another text."""
    policy = json.dumps({"Version": "1", "Statement": [MINE]})
    client = start_emulator(sts=StsOptions(roles=(StsRole(arn=ROLE, policy=policy),)))
    session, token = assume(client)

    assert 204 == session.post(session.make_fields(token=token, key="mine/a.txt")).status
    status, code, _, ec = session.post(session.make_fields(token=token, key="b.txt")).error

    assert (403, "AccessDenied", "0003-00000001") == (status, code, ec)


def test_expired_token(start_emulator: Any, assume: Any) -> None:
    """Fetched credentials die when they said."""
    clock = [datetime(2026, 1, 2, 12, tzinfo=UTC)]
    client = start_emulator(now=lambda: clock[0])
    session, token = assume(client, DurationSeconds="900")
    clock[0] += timedelta(seconds=900)
    target = session.presign("GET", "a.txt", token=token, now=clock[0])

    status, code, _, ec = client.request("GET", target).error

    assert (403, "SecurityTokenExpired", "0002-00000007") == (status, code, ec)


REFUSED = [
    ("own", "", (403, "InvalidAccessKeyId", "0002-00000003")),
    ("own", "rubbish", (403, "InvalidSecurityToken", "0002-00000006")),
    ("other", None, (403, "AccessKeyIdAndSecurityTokenNotMatch", "0002-00000004")),
    ("altered", None, (403, "InvalidSecurityToken", "0002-00000008")),
]


@pytest.mark.parametrize(("whose", "text", "expected"), REFUSED)
def test_token_refused(client: Any, assume: Any, whose: str, text: str | None, expected: Any) -> None:
    """A missing, malformed, foreign or altered token each has its own code."""
    session, own = assume(client)
    _, other = assume(client)
    altered = own[:60] + ("A" if own[60] != "A" else "B") + own[61:]
    token = text if text is not None else {"other": other, "altered": altered}[whose]
    status, code, _, ec = client.request("GET", session.presign("GET", "a.txt", token=token)).error

    assert expected == (status, code, ec)


def test_restart(start_emulator: Any, assume: Any, tmp_path: Any) -> None:
    """Credentials outlive a restart on the same folder."""
    client = start_emulator(data_dir=tmp_path / "kept")
    session, token = assume(client)
    client.emulator.stop()
    again = start_emulator(data_dir=tmp_path / "kept")
    session = replace(session, emulator=again.emulator)

    assert 204 == session.post(session.make_fields(token=token)).status


def test_damaged_key_stops_the_start(start_emulator: Any, tmp_path: Any) -> None:
    """A key file that cannot be used is told of at the start, with the way out."""
    (tmp_path / "sts.key").write_text("rubbish")

    with pytest.raises(EmulatorStartError, match=r"STS key .*sts\.key cannot be used .*delete the file"):
        start_emulator(data_dir=tmp_path)


def test_blank_written_as_plus(client: Any, make_caller: Any) -> None:
    """A query's `+` reaches STS as a blank."""
    signer = make_caller(now=datetime.now(UTC))
    parameters = signer.make_parameters(
        Policy='{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    )
    parameters["Signature"] = signer.sign("GET", parameters)

    assert 200 == client.request("GET", "/?" + urlencode(parameters)).status


def test_acs3(client: Any, make_caller: Any) -> None:
    """The new SDKs' call is taken on the same port."""
    signer = make_caller(now=datetime.now(UTC))
    query = {"RoleArn": ROLE, "RoleSessionName": "alice"}
    host = f"127.0.0.1:{client.emulator.port}"
    headers = signer.make_acs3("POST", query, host=host)

    assert 200 == client.request("POST", "/?" + urlencode(query), headers=headers).status


def test_own_host(client: Any) -> None:
    """By its host name alone a request is for STS, whose refusals are JSON."""
    answer = client.request("GET", "/", headers={"Host": "sts.aliyuncs.com"})

    assert (400, "MissingAction") == (answer.status, answer.json["Code"])
    assert "AliyunOSS" == answer.headers["Server"]
    assert "x-oss-request-id" not in answer.headers


def test_faults(client: Any, assume: Any) -> None:
    """The admin API has calls of STS throttled, refused or failed."""
    for action, status in (("throttle", 400), ("refuse", 403), ("fail", 500)):
        fault = json.dumps({"on": "sts", "action": action}).encode()

        assert 200 == client.request("POST", "/_emulator/faults", body=fault).status
        with pytest.raises(AssertionError, match=r"Throttling|NoPermission|InternalError"):
            assume(client)
        events = client.request("GET", "/_emulator/events").json["events"]
        assert ("refused", "assume_role", status) == tuple(
            events[-1][name] for name in ("event", "operation", "status")
        )
    assume(client)


@pytest.mark.parametrize("fault", [{"on": "sts", "action": "drop"}, {"on": ["sts"], "action": "fail"}])
def test_fault_refused(client: Any, fault: dict[str, Any]) -> None:
    """Faults of callbacks are none of STS's."""
    assert 400 == client.request("POST", "/_emulator/faults", body=json.dumps(fault).encode()).status


def test_transcript_tells_no_secret(client: Any, assume: Any) -> None:
    """Events of STS and of policies hold no secret, token or policy."""
    session, token = assume(client, MINE)
    session.post(session.make_fields(token=token, key="yours/a.txt"))
    client.request("GET", "/?Action=AssumeRole&SecurityToken=" + token[:10])
    text = json.dumps(client.request("GET", "/_emulator/events").json)

    assert {"assume_role", "refused"} <= {
        event["event"] for event in client.request("GET", "/_emulator/events").json["events"]
    }
    for secret in (session.access_key_secret, token[:10], "oss:PutObject"):
        assert secret not in text
