"""AssumeRole: its four shapes, its answers, its refusals."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ossgate.emulator.sts import StsRole
from ossgate.emulator.sts.access_policy import PolicyGrammarError

ACCOUNT = "1234567890123456"
ROLE = f"acs:ram::{ACCOUNT}:role/uploader"
POLICY = json.dumps(
    {
        "Version": "1",
        "Statement": [
            {"Effect": "Allow", "Action": "oss:PutObject", "Resource": ["acs:oss:*:*:bucket/a b/文/*"]}
        ],
    },
    ensure_ascii=False,
)


@pytest.mark.parametrize("shape", ["query", "post-query", "form", "mixed"])
def test_rpc_shapes(caller: Any, shape: str) -> None:
    """Parameters count wherever they stand: GET query, POST query, form, or both."""
    answer = caller.call(shape, Policy=POLICY, DurationSeconds="900")
    found = caller.sts.find_credentials(
        answer.credentials["AccessKeyId"], answer.credentials["SecurityToken"], now=caller.clock[0]
    )

    assert (ROLE, "alice", POLICY) == (
        found.session.role_arn,
        found.session.session_name,
        found.session.policy,
    )


def test_acs3_shape(caller: Any) -> None:
    """The new SDKs' call: everything in the query, an empty body, the action in a header."""
    assert caller.call_acs3().credentials["AccessKeyId"].startswith("STS.")


def test_answer_in_json(caller: Any) -> None:
    """The answer has the documented members, and the session ends when it says."""
    answer = caller.call(DurationSeconds="900")
    document = answer.json

    assert {"RequestId", "AssumedRoleUser", "Credentials"} == set(document)
    assert f"{ROLE}/alice" == document["AssumedRoleUser"]["Arn"]
    assert document["AssumedRoleUser"]["AssumedRoleId"].endswith(":alice")
    assert "2026-01-02T12:15:00Z" == document["Credentials"]["Expiration"]
    assert "application/json;charset=utf-8" == answer.headers["Content-Type"]
    assert document["RequestId"] == answer.headers["x-acs-request-id"]


def test_answer_in_xml(caller: Any) -> None:
    """Format=XML answers the same tree in XML."""
    answer = caller.call(Format="XML", SourceIdentity="Alice")
    root = answer.xml

    assert "AssumeRoleResponse" == root.tag
    assert f"{ROLE}/alice" == root.findtext("AssumedRoleUser/Arn")
    assert (root.findtext("Credentials/AccessKeyId") or "").startswith("STS.")
    assert "Alice" == root.findtext("SourceIdentity")
    assert "text/xml;charset=utf-8" == answer.headers["Content-Type"]


def test_format_is_read_without_case(caller: Any) -> None:
    """Old clients write `json`."""
    assert 200 == caller.call(Format="json").status
    assert b"<?xml" == caller.call(Format="xml").body[:5]


def test_acs3_answers_xml_when_accepted(caller: Any) -> None:
    """A V3 call asks for XML by its Accept header."""
    assert b"<?xml" == caller.call_acs3(accept="application/xml").body[:5]


def test_error_in_xml(caller: Any) -> None:
    """A refusal comes in the format that was asked for, too."""
    root = caller.call(Format="XML", RoleArn="<&>").xml

    assert ("Error", "InvalidParameter.RoleArn", "127.0.0.1:9000") == (
        root.tag,
        root.findtext("Code"),
        root.findtext("HostId"),
    )


def test_error_in_json(caller: Any) -> None:
    """A refusal has the documented members."""
    assert {"RequestId", "HostId", "Code", "Message", "Recommend"} == set(caller.call(RoleArn="x").json)


def test_timestamp_may_have_milliseconds(caller: Any) -> None:
    """ali-oss sends them."""
    assert 200 == caller.call(Timestamp="2026-01-02T12:00:00.123Z").status


def test_credentials_differ_each_time(caller: Any) -> None:
    """No two answers share an ID, a secret or a token."""
    answers = [caller.call().credentials for _ in range(5)]

    for name in ("AccessKeyId", "AccessKeySecret", "SecurityToken"):
        assert 5 == len({answer[name] for answer in answers})


def test_default_duration_is_an_hour(caller: Any) -> None:
    """Without DurationSeconds a session lasts 3,600 seconds."""
    assert "2026-01-02T13:00:00Z" == caller.call().credentials["Expiration"]


MALFORMED = "The parameter {} is wrongly formed."
DURATION = "The Min/Max value of DurationSeconds is 15min/1hr."
GRAMMAR = "The parameter Policy has not passed grammar check."
REFUSALS: list[tuple[dict[str, str | None], int, str, str]] = [
    ({"RoleArn": None}, 400, "MissingRoleArn", "RoleArn is mandatory for this action."),
    (
        {"RoleSessionName": None},
        400,
        "MissingRoleSessionName",
        "RoleSessionName is mandatory for this action.",
    ),
    ({"RoleArn": "role/uploader"}, 400, "InvalidParameter.RoleArn", MALFORMED.format("RoleArn")),
    ({"RoleArn": ROLE + "/more"}, 400, "InvalidParameter.RoleArn", MALFORMED.format("RoleArn")),
    ({"RoleArn": ROLE + "\n"}, 400, "InvalidParameter.RoleArn", MALFORMED.format("RoleArn")),
    (
        {"RoleSessionName": "a"},
        400,
        "InvalidParameter.RoleSessionName",
        MALFORMED.format("RoleSessionName"),
    ),
    (
        {"RoleSessionName": "a" * 65},
        400,
        "InvalidParameter.RoleSessionName",
        MALFORMED.format("RoleSessionName"),
    ),
    (
        {"RoleSessionName": "忍者"},
        400,
        "InvalidParameter.RoleSessionName",
        MALFORMED.format("RoleSessionName"),
    ),
    ({"DurationSeconds": "899"}, 400, "InvalidParameter.DurationSeconds", DURATION),
    ({"DurationSeconds": "3601"}, 400, "InvalidParameter.DurationSeconds", DURATION),
    ({"DurationSeconds": "1e3"}, 400, "InvalidParameter.DurationSeconds", DURATION),
    ({"DurationSeconds": "-900"}, 400, "InvalidParameter.DurationSeconds", DURATION),
    ({"DurationSeconds": "9" * 30}, 400, "InvalidParameter.DurationSeconds", DURATION),
    ({"Policy": "{"}, 400, "InvalidParameter.PolicyGrammar", GRAMMAR),
    ({"Policy": POLICY.replace("Statement", "Statements")}, 400, "InvalidParameter.PolicyGrammar", GRAMMAR),
    (
        {"Policy": POLICY + " " * 2048},
        400,
        "InvalidParameter.PolicySize",
        "The size of Policy must be smaller than 2048 bytes.",
    ),
    ({"ExternalId": "x"}, 400, "InvalidParameter.ExternalId", MALFORMED.format("ExternalId")),
    ({"ExternalId": "a b"}, 400, "InvalidParameter.ExternalId", MALFORMED.format("ExternalId")),
    ({"SourceIdentity": "?"}, 400, "InvalidParameter.SourceIdentity", MALFORMED.format("SourceIdentity")),
    (
        {"RoleArn": "acs:ram::42:role/uploader"},
        404,
        "EntityNotExist.Role",
        "The specified Role not exists . (the emulator's account is 1234567890123456)",
    ),
    (
        {"Action": "GetCallerIdentity"},
        404,
        "InvalidApi.NotFound",
        "Specified api is not found, please check your url and method.",
    ),
    ({"Version": "2014-05-26"}, 400, "InvalidVersion", "Specified parameter Version is not valid."),
    ({"Format": "YAML"}, 400, "InvalidParameter.Format", "Specified parameter format is not valid."),
    ({"Action": None}, 400, "MissingAction", "Action is mandatory for this action."),
    ({"Version": None}, 400, "MissingVersion", "Version is mandatory for this action."),
    ({"AccessKeyId": None}, 400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action."),
    ({"SignatureNonce": None}, 400, "MissingSignatureNonce", "SignatureNonce is mandatory for this action."),
    ({"Timestamp": None}, 400, "MissingTimestamp", "Timestamp is mandatory for this action."),
    (
        {"SignatureMethod": "HMAC-MD5"},
        400,
        "InvalidSignatureMethod",
        "Specified signature method is not valid.",
    ),
    (
        {"SignatureVersion": "2.0"},
        400,
        "InvalidSignatureVersion",
        "Specified parameter SignatureVersion is not valid.",
    ),
    (
        {"Timestamp": "02 Jan 2026 12:00"},
        400,
        "InvalidTimeStamp.Format",
        "Specified time stamp or date value is not well formatted.",
    ),
    (
        {"Timestamp": "2026-02-30T12:00:00Z"},
        400,
        "InvalidTimeStamp.Format",
        "Specified time stamp or date value is not well formatted.",
    ),
    (
        {"Timestamp": "2026-01-02T11:44:59Z"},
        400,
        "InvalidTimeStamp.Expired",
        "Specified time stamp or date value is expired.",
    ),
    (
        {"Timestamp": "2026-01-02T12:15:01Z"},
        400,
        "InvalidTimeStamp.Expired",
        "Specified time stamp or date value is expired.",
    ),
    (
        {"AccessKeyId": "nobody"},
        404,
        "InvalidAccessKeyId.NotFound",
        "Specified access key is not found.",
    ),
    (
        {"AccessKeyId": "STS.nobody"},
        400,
        "MissingSecurityToken",
        "SecurityToken is mandatory for this action.",
    ),
    (
        {"AccessKeyId": "STS.nobody", "SecurityToken": "rubbish"},
        400,
        "InvalidSecurityToken.Malformed",
        "Specified SecurityToken is malformed.",
    ),
    (
        {"SecurityToken": "rubbish"},
        400,
        "InvalidSecurityToken.MismatchWithAccessKey",
        "Specified SecurityToken mismatch with the AccessKey.",
    ),
]


@pytest.mark.parametrize(("changes", "status", "code", "message"), REFUSALS)
def test_refusals(caller: Any, changes: dict[str, str | None], status: int, code: str, message: str) -> None:
    """Each spoilt parameter has its status, code and message."""
    assert (status, code, message) == caller.call(**changes).error


def test_missing_signature(caller: Any) -> None:
    """A call without a signature says so."""
    assert (400, "MissingSignature") == caller.call(signature="").error[:2]


def test_edge_of_the_clock(caller: Any) -> None:
    """Fifteen minutes either way are still in time."""
    assert 200 == caller.call(Timestamp="2026-01-02T11:45:00Z").status
    assert 200 == caller.call(Timestamp="2026-01-02T12:15:00Z").status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS"])
def test_method_refused(caller: Any, method: str) -> None:
    """STS knows GET and POST."""
    assert (400, "UnsupportedHTTPMethod") == caller.send(method).error[:2]


def test_body_of_another_type_refused(caller: Any) -> None:
    """A body that is no form is refused with the documented text."""
    answer = caller.send("POST", body=b"{}", headers={"content-type": "application/json"})

    assert (400, "InvalidParameter.ContentType") == answer.error[:2]


def test_body_too_large_refused(caller: Any) -> None:
    """A body far beyond any valid call is not kept."""
    form = {"content-type": "application/x-www-form-urlencoded"}

    assert (400, "InvalidParameter") == caller.send("POST", body=b"a" * 200_000, headers=form).error[:2]
    assert (400, "InvalidParameter") == caller.send("POST", body=b"a=&" * 2000, headers=form).error[:2]


def test_nonce_counts_once(caller: Any, later: Callable[[Any, float], None]) -> None:
    """A nonce may not be repeated within 15 minutes; afterwards it may."""
    assert 200 == caller.call(SignatureNonce="once").status
    later(caller, 899)
    assert (400, "SignatureNonceUsed", "Specified signature nonce was used already.") == caller.call(
        SignatureNonce="once"
    ).error
    later(caller, 2)
    assert 200 == caller.call(SignatureNonce="once").status


def test_refused_signature_uses_up_no_nonce(caller: Any) -> None:
    """Who cannot sign cannot spoil the nonces of those who can."""
    caller.call(SignatureNonce="once", signature="AAAA")

    assert 200 == caller.call(SignatureNonce="once").status


def test_disabled_key(make_caller: Callable[..., Any]) -> None:
    """A key that is switched off is refused as such."""
    caller = make_caller(disabled_access_key_ids=("disabled-key-id",))

    assert (403, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.") == caller.call(
        AccessKeyId="disabled-key-id"
    ).error


def test_root_refused(make_caller: Callable[..., Any]) -> None:
    """An account's own key may not assume roles."""
    caller = make_caller(caller_is_root=True)

    assert (403, "NoPermission", "Roles may not be assumed by root accounts.") == caller.call().error


FAULTS = [
    ("throttle", 400, "Throttling.User", "Request was denied due to user flow control."),
    (
        "refuse",
        403,
        "NoPermission",
        "You are not authorized to do this action. You should be authorized by RAM.",
    ),
    (
        "fail",
        500,
        "InternalError",
        "STS Server Internal Error happened, please send the RequestId to us.",
    ),
]


@pytest.mark.parametrize(("fault", "status", "code", "message"), FAULTS)
def test_faults(make_caller: Callable[..., Any], fault: str, status: int, code: str, message: str) -> None:
    """A fault befalls one call, the next goes well."""
    faults = [fault]
    caller = make_caller(take_fault=lambda: faults.pop() if faults else None)

    assert (status, code, message) == caller.call().error
    assert 200 == caller.call().status


def test_listed_roles_are_all_there_are(make_caller: Callable[..., Any]) -> None:
    """Once roles are listed, no other can be assumed; their names are compared without case."""
    caller = make_caller(roles=(StsRole(arn=ROLE, max_session_duration=43_200),))

    assert 200 == caller.call(RoleArn=ROLE.replace("uploader", "Uploader")).status
    assert "EntityNotExist.Role" == caller.call(RoleArn=ROLE + "2").error[1]


def test_longest_session_of_a_role(make_caller: Callable[..., Any]) -> None:
    """A role's own limit counts, and stands in the refusal."""
    caller = make_caller(roles=(StsRole(arn=ROLE, max_session_duration=43_200),))

    assert "2026-01-03T00:00:00Z" == caller.call(DurationSeconds="43200").credentials["Expiration"]
    assert (
        "The Min/Max value of DurationSeconds is 15min/12hr." == caller.call(DurationSeconds="43201").error[2]
    )


def test_role_that_does_not_trust(make_caller: Callable[..., Any]) -> None:
    """A role whose trust policy does not name the caller cannot be assumed."""
    caller = make_caller(roles=(StsRole(arn=ROLE, trusts_caller=False),))

    assert (403, "NoPermission") == caller.call().error[:2]


def test_role_with_external_id(make_caller: Callable[..., Any]) -> None:
    """A role that demands an external ID takes that one only."""
    caller = make_caller(roles=(StsRole(arn=ROLE, external_id="project-7"),))

    assert 200 == caller.call(ExternalId="project-7").status
    assert (403, "NoPermission") == caller.call(ExternalId="project-8").error[:2]
    assert (403, "NoPermission") == caller.call().error[:2]


@pytest.mark.parametrize(
    "changes",
    [{"arn": "uploader"}, {"max_session_duration": 60}, {"max_session_duration": 50_000}, {"policy": "{}"}],
)
def test_role_options_are_checked(changes: dict[str, Any]) -> None:
    """A role that RAM would not take is refused at the start, not at its first use."""
    with pytest.raises((ValueError, PolicyGrammarError)):
        StsRole(**{"arn": ROLE, **changes})


def test_session_may_assume_a_further_role(caller: Any) -> None:
    """Temporary credentials call STS too, with their token, in both signatures."""
    session = caller.as_session(caller.call().credentials)

    assert 200 == session.call(RoleArn=ROLE + "2").status
    assert 200 == session.call_acs3().status


def test_session_without_the_permission_may_not(caller: Any) -> None:
    """A session policy that does not name sts:AssumeRole ends the chain."""
    session = caller.as_session(caller.call(Policy=POLICY).credentials)

    assert (403, "NoPermission") == session.call().error[:2]


def test_session_policy_may_grant_the_further_role(caller: Any) -> None:
    """sts:AssumeRole on that role is enough."""
    policy = json.dumps(
        {"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}]}
    )
    session = caller.as_session(caller.call(Policy=policy).credentials)

    assert 200 == session.call().status
    assert (403, "NoPermission") == session.call(RoleArn=ROLE + "2").error[:2]


def test_expired_session_may_not_call(caller: Any, later: Callable[[Any, float], None]) -> None:
    """Once over, a session is refused by STS as well."""
    session = caller.as_session(caller.call(DurationSeconds="900").credentials)
    later(session, 900)

    assert (
        400,
        "InvalidSecurityToken.Expired",
        "Specified SecurityToken is expired.",
    ) == session.call().error


def test_session_with_the_token_of_another(caller: Any) -> None:
    """ID and token must come of one answer."""
    session = caller.as_session(caller.call().credentials)
    session.token = caller.call().credentials["SecurityToken"]

    assert (400, "InvalidSecurityToken.MismatchWithAccessKey") == session.call().error[:2]


def test_answer_is_never_cached(caller: Any) -> None:
    """Secrets are not for caches."""
    assert "no-store" == caller.call().headers["Cache-Control"]


def test_clock_without_microseconds(make_caller: Callable[..., Any]) -> None:
    """The session ends at the full second that the answer names."""
    caller = make_caller(now=datetime(2026, 1, 2, 12, 0, 0, 999_999, tzinfo=UTC))
    answer = caller.call().credentials
    found = caller.sts.find_credentials(answer["AccessKeyId"], answer["SecurityToken"], now=caller.clock[0])

    assert datetime(2026, 1, 2, 13, 0, 0, tzinfo=UTC) == found.expires_at
