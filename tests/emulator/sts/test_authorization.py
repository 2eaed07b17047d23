"""What a session may do: role policy and session policy together, for every operation."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import OssError
from ossgate.emulator.request_body import SocketBody
from ossgate.emulator.requests import Request
from ossgate.emulator.sts import StsRole
from ossgate.emulator.sts.authorization import PolicyDenied
from ossgate.emulator.sts.permissions import OPERATIONS
from ossgate.emulator.sts.request_facts import read_copy_source

ROLE = "acs:ram::1234567890123456:role/uploader"
ANYTHING: dict[str, Any] = {"Effect": "Allow", "Action": "oss:*", "Resource": "*"}

# What the documentation's table says of each operation: action, and `b` for the bucket, `b/k` for the object.
NEEDS: list[tuple[str, list[tuple[str, str]]]] = [
    ("PutObject", [("oss:PutObject", "b/k")]),
    ("PostObject", [("oss:PutObject", "b/k")]),
    ("AppendObject", [("oss:PutObject", "b/k")]),
    ("CopyObject", [("oss:GetObject", "s/from"), ("oss:PutObject", "b/k")]),
    ("GetObject", [("oss:GetObject", "b/k")]),
    ("HeadObject", [("oss:GetObject", "b/k")]),
    ("GetObjectMeta", [("oss:GetObject", "b/k")]),
    ("DeleteObject", [("oss:DeleteObject", "b/k")]),
    ("DeleteMultipleObjects", [("oss:DeleteObject", "b/k")]),
    ("PutObjectAcl", [("oss:PutObjectAcl", "b/k")]),
    ("GetObjectAcl", [("oss:GetObjectAcl", "b/k")]),
    ("PutObjectTagging", [("oss:PutObjectTagging", "b/k")]),
    ("GetObjectTagging", [("oss:GetObjectTagging", "b/k")]),
    ("DeleteObjectTagging", [("oss:DeleteObjectTagging", "b/k")]),
    ("PutSymlink", [("oss:PutObject", "b/k")]),
    ("GetSymlink", [("oss:GetObject", "b/k")]),
    ("RestoreObject", [("oss:RestoreObject", "b/k")]),
    ("InitiateMultipartUpload", [("oss:PutObject", "b/k")]),
    ("UploadPart", [("oss:PutObject", "b/k")]),
    ("UploadPartCopy", [("oss:GetObject", "s/from"), ("oss:PutObject", "b/k")]),
    ("CompleteMultipartUpload", [("oss:PutObject", "b/k")]),
    ("AbortMultipartUpload", [("oss:AbortMultipartUpload", "b/k")]),
    ("ListParts", [("oss:ListParts", "b/k")]),
    ("ListMultipartUploads", [("oss:ListMultipartUploads", "b")]),
    ("ListBuckets", [("oss:ListBuckets", "*")]),
    ("PutBucket", [("oss:PutBucket", "b")]),
    ("DeleteBucket", [("oss:DeleteBucket", "b")]),
    ("ListObjects", [("oss:ListObjects", "b")]),
    ("ListObjectsV2", [("oss:ListObjects", "b")]),
    ("ListObjectVersions", [("oss:ListObjectVersions", "b")]),
    ("GetBucketInfo", [("oss:GetBucketInfo", "b")]),
    ("GetBucketStat", [("oss:GetBucketStat", "b")]),
    ("GetBucketVersioning", [("oss:GetBucketVersioning", "b")]),
    ("PutBucketVersioning", [("oss:PutBucketVersioning", "b")]),
    ("GetBucketOverwriteConfig", [("oss:GetBucketOverwriteConfig", "b")]),
    ("PutBucketOverwriteConfig", [("oss:PutBucketOverwriteConfig", "b")]),
    ("DeleteBucketOverwriteConfig", [("oss:DeleteBucketOverwriteConfig", "b")]),
    ("GetBucketLocation", [("oss:GetBucketLocation", "b")]),
    ("PutBucketAcl", [("oss:PutBucketAcl", "b")]),
    ("GetBucketAcl", [("oss:GetBucketAcl", "b")]),
    ("PutBucketCors", [("oss:PutBucketCors", "b")]),
    ("GetBucketCors", [("oss:GetBucketCors", "b")]),
    ("DeleteBucketCors", [("oss:DeleteBucketCors", "b")]),
]


def allow(action: Any, path: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": f"acs:oss:*:*:{path}", **more}


@pytest.fixture
def authorize(
    make_caller: Callable[..., Any], make_facts: Callable[..., Any]
) -> Callable[..., PolicyDenied | None]:
    """Judge an operation under a session policy, and a role policy if given; the refusal, or None."""

    def judge(
        session: list[dict[str, Any]] | None,
        operation: str,
        *,
        open_to_all: bool = False,
        role: list[dict[str, Any]] | None = None,
        bucket: str = "b",
        object_key: str = "k",
        **facts: Any,
    ) -> PolicyDenied | None:
        roles = () if role is None else (StsRole(arn=ROLE, policy=write(role)),)
        caller = make_caller(roles=roles)
        found = caller.call(Policy=None if session is None else write(session)).credentials
        identity = caller.sts.find_credentials(
            found["AccessKeyId"], found["SecurityToken"], now=caller.clock[0]
        )
        facts.setdefault("copy_source", ("s", "from"))
        try:
            caller.sts.authorize(
                identity,
                operation,
                bucket,
                object_key,
                make_facts(**facts),
                open_to_all=lambda: open_to_all,
            )
        except PolicyDenied as denied:
            return denied
        return None

    return judge


def write(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "1", "Statement": statements})


def test_table_is_tested() -> None:
    """Every operation of the table stands in the table above."""
    assert set(OPERATIONS) == {operation for operation, _ in NEEDS}


@pytest.mark.parametrize(("operation", "needs"), NEEDS)
def test_operation_needs(authorize: Any, operation: str, needs: list[tuple[str, str]]) -> None:
    """An operation passes with exactly its permissions, and with one fewer it does not."""
    granted = [allow(action, path) for action, path in needs]

    assert authorize(granted, operation) is None
    for number in range(len(granted)):
        fewer = granted[:number] + granted[number + 1 :]
        assert authorize([allow("ecs:*", "x"), *fewer], operation)


@pytest.mark.parametrize(("operation", "needs"), NEEDS)
def test_operation_denied(authorize: Any, operation: str, needs: list[tuple[str, str]]) -> None:
    """A Deny of any one permission refuses the operation, whatever else is allowed."""
    for action, path in needs:
        deny = {"Effect": "Deny", "Action": action, "Resource": f"acs:oss:*:*:{path}"}

        assert authorize([ANYTHING, deny], operation)


def test_upload_with_acl(authorize: Any) -> None:
    """An ACL given with an upload needs its own permission."""
    put = allow("oss:PutObject", "b/*")

    for operation in ("PutObject", "PostObject", "AppendObject", "InitiateMultipartUpload"):
        assert authorize([put], operation, gives_acl=True)
        assert authorize([put, allow("oss:PutObjectAcl", "b/k")], operation, gives_acl=True) is None
    assert authorize([put], "UploadPart", gives_acl=True) is None


def test_upload_with_tags(authorize: Any) -> None:
    """Tags given with an upload need their own permission."""
    put = allow("oss:PutObject", "b/*")

    assert authorize([put], "PutObject", gives_tagging=True)
    assert authorize([put, allow("oss:PutObjectTagging", "b/k")], "PutObject", gives_tagging=True) is None


def test_bucket_with_acl(authorize: Any) -> None:
    """An ACL given with a new bucket needs its own permission."""
    assert authorize([allow("oss:PutBucket", "b")], "PutBucket", gives_acl=True)


def test_listing_of_a_folder(authorize: Any) -> None:
    """oss:Prefix binds a listing to a folder; a listing of everything has an empty prefix."""
    folder = allow("oss:ListObjects", "b", Condition={"StringLike": {"oss:Prefix": ["u/1/*"]}})

    for operation in ("ListObjects", "ListObjectsV2"):
        assert authorize([folder], operation, prefix="u/1/") is None
        assert authorize([folder], operation, prefix="u/2/")
        assert authorize([folder], operation)
    root = allow("oss:ListObjects", "b", Condition={"StringEquals": {"oss:Prefix": "", "oss:Delimiter": "/"}})

    assert authorize([root], "ListObjects", delimiter="/") is None
    assert authorize([root], "ListObjects")


def test_prefix_is_of_listings_only(authorize: Any) -> None:
    """Other operations have no prefix: a condition on it does not hold for them."""
    statement = allow("oss:*", "b/k", Condition={"StringLike": {"oss:Prefix": "*"}})

    assert authorize([statement], "GetObject", prefix="")


def test_conditions_on_the_request(authorize: Any) -> None:
    """Address, time, client and transport are looked at."""
    for condition, right, wrong in [
        (
            {"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}},
            {"source_ip": "10.1.1.1"},
            {"source_ip": "127.0.0.1"},
        ),
        (
            {"DateLessThan": {"acs:CurrentTime": "2026-01-03T00:00:00Z"}},
            {},
            {"now": datetime(2026, 1, 3, tzinfo=UTC)},
        ),
        ({"StringLike": {"acs:UserAgent": "app/*"}}, {"user_agent": "app/1"}, {"user_agent": ""}),
        (
            {"Bool": {"acs:SecureTransport": "true"}},
            {"secure_transport": True},
            {"secure_transport": False},
        ),
    ]:
        statement = allow("oss:PutObject", "b/*", Condition=condition)

        assert authorize([statement], "PutObject", **right) is None
        assert authorize([statement], "PutObject", **wrong)


def test_no_session_policy_is_the_whole_role(authorize: Any) -> None:
    """Without a session policy the role's own counts alone."""
    role = [allow("oss:PutObject", "b/*")]

    assert authorize(None, "PutObject", role=role) is None
    assert authorize(None, "GetObject", role=role)
    assert authorize(None, "GetObject") is None


def test_permissions_are_the_intersection(authorize: Any) -> None:
    """Neither policy can widen the other."""
    role, session = [allow("oss:PutObject", "b/u/*")], [allow("oss:PutObject", "b/*/1")]

    assert authorize(session, "PutObject", role=role, object_key="u/1") is None
    assert authorize(session, "PutObject", role=role, object_key="u/2")
    assert authorize(session, "PutObject", role=role, object_key="v/1")
    assert authorize([allow("oss:GetObject", "b/*")], "PutObject", role=role, object_key="u/1")


def error(denied: OssError | None) -> tuple[int, str, str, str]:
    assert denied is not None
    return denied.kind.status, denied.kind.code, denied.message, denied.kind.ec


def test_denied_by_session_policy(authorize: Any) -> None:
    """The session policy's refusal has the service's own text and EC, and says what was missing."""
    denied = authorize([allow("oss:GetObject", "b/*")], "PutObject")

    assert (403, "AccessDenied", "Access denied by authorizer's policy.", "0003-00000301") == error(denied)
    assert {
        "PolicyType": "SessionPolicy",
        "AuthPrincipalOwnerId": "1234567890123456",
        "AuthPrincipalType": "AssumedRoleUser",
        "AuthPrincipalDisplayName": "uploader:alice",
        "NoPermissionType": "ImplicitDeny",
        "AuthAction": "oss:PutObject",
    } == dict(denied.detail)


def test_denied_by_role_policy(authorize: Any) -> None:
    """The role's explicit and implicit refusals are told apart."""
    deny = {"Effect": "Deny", "Action": "oss:PutObject", "Resource": "*"}

    assert (403, "AccessDenied", "Access denied by bucket policy.", "0003-00000201") == error(
        authorize(None, "PutObject", role=[ANYTHING, deny])
    )
    assert (
        403,
        "AccessDenied",
        "You have no right to access this object because of bucket acl.",
        "0003-00000001",
    ) == error(authorize(None, "PutObject", role=[allow("oss:GetObject", "b/*")]))


def test_explicit_deny_of_a_session_policy(authorize: Any) -> None:
    """An explicit Deny is named as such."""
    deny = {"Effect": "Deny", "Action": "oss:PutObject", "Resource": "*"}

    assert "ExplicitDeny" == dict(authorize([ANYTHING, deny], "PutObject").detail)["NoPermissionType"]


def test_role_that_is_gone(make_caller: Callable[..., Any], make_facts: Callable[..., Any]) -> None:
    """Deleting a role takes away what its sessions could do, before their tokens expire."""
    answer = make_caller().call().credentials
    other = make_caller(roles=(StsRole(arn=ROLE + "2"),))
    identity = other.sts.find_credentials(answer["AccessKeyId"], answer["SecurityToken"], now=other.clock[0])

    with pytest.raises(PolicyDenied):
        other.sts.authorize(identity, "GetObject", "b", "k", make_facts())


def test_open_to_all(authorize: Any) -> None:
    """What an ACL lets anybody do is refused by an explicit Deny only."""
    other = [allow("oss:PutObject", "b/*")]
    deny = {"Effect": "Deny", "Action": "oss:GetObject", "Resource": "*"}

    assert authorize(other, "GetObject", open_to_all=True) is None
    assert authorize([*other, deny], "GetObject", open_to_all=True)


def test_facts_of_a_request(caller: Any) -> None:
    """Facts come from connection, headers, query, and the fields of a form."""
    request = Request(
        "GET",
        "/b",
        (("prefix", "u/"), ("delimiter", "")),
        {"user-agent": "app/1", "x-oss-tagging": "a=b"},
        "h",
        "b",
        "",
        "10.1.1.1",
        "0",
        SocketBody(None, 0),
    )
    facts = caller.sts.read_facts(request)

    assert ("10.1.1.1", "app/1", "u/", "") == (
        facts.source_ip,
        facts.user_agent,
        facts.prefix,
        facts.delimiter,
    )
    assert (False, True, False) == (facts.gives_acl, facts.gives_tagging, facts.secure_transport)
    assert caller.sts.read_facts(request, {"x-oss-object-acl": "private"}).gives_acl


COPY_SOURCES = [
    ("", None),
    ("/s/from", ("s", "from")),
    ("s/from", ("s", "from")),
    ("/s/a%20b%2Fc%3F?versionId=x", ("s", "a b/c?")),
    ("/s//from", ("s", "/from")),
    ("/", ("", "")),
    ("/s", ("s", "")),
]


@pytest.mark.parametrize(("header", "expected"), COPY_SOURCES)
def test_copy_source(header: str, expected: Any) -> None:
    """The source of a copy is read from its header, whatever stands there."""
    assert expected == read_copy_source(header)


def test_copy_source_not_utf8() -> None:
    """A source that no key can have is refused."""
    with pytest.raises(OssError):
        read_copy_source("/s/%ff")


@pytest.mark.parametrize("identity", [None, Credentials("id", "secret"), Credentials("STS.x", "s", "t")])
def test_others_are_not_judged(caller: Any, make_facts: Callable[..., Any], identity: Any) -> None:
    """Long-term keys, anonymous requests and credentials given by option have no policies here."""
    caller.sts.authorize(identity, "DeleteBucket", "b", "", make_facts())


def test_unknown_operation_never_passes(authorize: Any) -> None:
    """An operation that is not in the table, or a copy without its source, is a mistake of ours, not a pass."""
    with pytest.raises(KeyError):
        authorize([ANYTHING], "PaintObject")
    with pytest.raises(KeyError):
        authorize([ANYTHING], "CopyObject", copy_source=None)
