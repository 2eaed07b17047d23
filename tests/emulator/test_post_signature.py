"""The signature of a form, both versions."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ossgate.emulator import Credentials
from ossgate.emulator.credentials import CredentialSet
from ossgate.emulator.errors import OssError
from ossgate.emulator.form_parser import FormFields
from ossgate.emulator.post_signature import check_form_signature

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)


def make_form_fields(fields: dict[str, str]) -> FormFields:
    form = FormFields()
    for name, value in fields.items():
        form.add(name, value)
    return form


def test_v1_vectors_hold(vectors: Callable[[str], Any]) -> None:
    """Every published form signature is accepted, and refused with one byte changed."""
    for case in vectors("post-policy-v1.json")["vectors"]:
        credentials = CredentialSet([Credentials(case["access_key_id"], case["access_key_secret"])])
        fields = {
            "OSSAccessKeyId": case["access_key_id"],
            "policy": case["policy_base64"],
            "Signature": case["signature"],
        }
        now = datetime(2020, 1, 1, tzinfo=UTC)
        if case["name"] == "go-null-conditions":
            with pytest.raises(OssError, match="InvalidPolicyDocument"):
                check_form_signature(make_form_fields(fields), credentials, region="cn-hangzhou", now=now)
            continue

        assert check_form_signature(make_form_fields(fields), credentials, region="cn-hangzhou", now=now)
        fields["Signature"] = "~" + case["signature"][1:]
        with pytest.raises(OssError, match="SignatureDoesNotMatch"):
            check_form_signature(make_form_fields(fields), credentials, region="cn-hangzhou", now=now)


def test_v4_vectors_hold(vectors: Callable[[str], Any]) -> None:
    """Every V4 form is accepted in its region, and refused with one byte changed."""
    for case in vectors("post-policy-v4.json")["post_vectors"]:
        token = case["form_fields"].get("x-oss-security-token", "")
        credentials = CredentialSet([Credentials(case["access_key_id"], case["access_key_secret"], token)])
        now = datetime(2030, 1, 1, 11, 0, tzinfo=UTC) + timedelta(
            hours=13 if "235959" in case["x-oss-date"] else 0
        )
        fields = dict(case["form_fields"])

        assert check_form_signature(make_form_fields(fields), credentials, region=case["region"], now=now)
        fields["x-oss-signature"] = "~" + case["signature"][1:]
        with pytest.raises(OssError, match="SignatureDoesNotMatch"):
            check_form_signature(make_form_fields(fields), credentials, region=case["region"], now=now)


def test_v1_wrong_signature(client: Any) -> None:
    """A wrong V1 signature is answered with the text that was signed."""
    fields = client.make_fields_v1(Signature="AAAA")
    answer = client.post(fields)

    assert answer.error[:3] == (403, "SignatureDoesNotMatch", MISMATCH)
    assert fields["policy"] == answer.xml["StringToSign"]
    assert answer.xml["SignatureProvided"] == "AAAA"


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ("OSSAccessKeyId", "Post request accessKeyId is empty."),
        ("Signature", "Post request signature is empty."),
        ("policy", "Post request policy is empty."),
    ],
)
def test_v1_incomplete(start_emulator: Callable[..., Any], absent: str, message: str) -> None:
    """One of the three fields demands the others, on a public bucket as well."""
    client = start_emulator(bucket_acl="public-read-write")
    fields = client.make_fields_v1()
    del fields[absent]

    assert (400, "InvalidArgument", message, "") == client.post(fields).error


def test_v1_field_names_ignore_case(client: Any) -> None:
    """Official demos send `signature` in lower case, and it works."""
    fields = client.make_fields_v1()
    fields["signature"] = fields.pop("Signature")
    fields["KEY"] = fields.pop("key")

    assert client.post(fields).status == 204


def test_v4_wrong_signature(client: Any) -> None:
    """A wrong V4 signature has its own EC."""
    answer = client.post(client.make_fields(**{"x-oss-signature": "0" * 64}))

    assert answer.error == (403, "SignatureDoesNotMatch", MISMATCH, "0002-00000705")


def test_v4_key_of_another_day_or_region_fails(client: Any) -> None:
    """The derived key depends on the secret, the day and the region of the scope."""
    fields = client.make_fields()
    encoded, day = fields["policy"], fields["x-oss-date"][:8]
    client.region = "cn-beijing"
    region_wrong = client.post({**fields, "x-oss-signature": client.sign_v4(encoded, day)})
    client.region = "cn-hangzhou"
    day_wrong = client.post({**fields, "x-oss-signature": client.sign_v4(encoded, "20200101")})

    assert "SignatureDoesNotMatch" == region_wrong.error[1] == day_wrong.error[1]
    assert client.post({**fields, "x-oss-signature": client.sign_v4(encoded, day)}).status == 204


SCOPE = "20300101/cn-hangzhou/oss/aliyun_v4_request"
REFUSED = [
    ({"x-oss-signature-version": "OSS2"}, (400, "InvalidArgument", "0002-00000701")),
    ({"x-oss-signature-version": None}, (400, "InvalidArgument", "0002-00000701")),
    ({"policy": None}, (400, "InvalidArgument", "0002-00000702")),
    ({"x-oss-signature": None}, (400, "InvalidArgument", "0002-00000703")),
    ({"x-oss-signature": " "}, (400, "InvalidArgument", "0002-00000704")),
    ({"x-oss-credential": None}, (400, "InvalidArgument", "0002-00000706")),
    ({"x-oss-credential": ""}, (400, "InvalidArgument", "0002-00000707")),
    ({"x-oss-credential": f"/{SCOPE}"}, (400, "InvalidArgument", "0002-00000708")),
    (
        {"x-oss-credential": "x/20300101/cn-beijing/oss/aliyun_v4_request"},
        (400, "InvalidArgument", "0002-00000708"),
    ),
    (
        {"x-oss-credential": "x/20300101/cn-hangzhou/oss/aws4_request"},
        (400, "InvalidArgument", "0002-00000710"),
    ),
    ({"x-oss-date": None}, (400, "InvalidArgument", "0002-00000709")),
    ({"x-oss-date": "2030-01-01"}, (400, "InvalidArgument", "0002-00000709")),
    ({"x-oss-date": "20200101T000000Z"}, (400, "InvalidArgument", "0002-00000709")),
]


@pytest.mark.parametrize(("changes", "expected"), REFUSED)
def test_v4_refused(client: Any, changes: dict[str, str | None], expected: tuple[int, str, str]) -> None:
    """Each field of the V4 set, missing, blank or malformed, has its EC."""
    fields = {name: value for name, value in {**client.make_fields(), **changes}.items() if value is not None}
    status, code, _, ec = client.post(fields).error

    assert expected == (status, code, ec)


@pytest.mark.parametrize("name", ["x-oss-signature-version", "x-oss-credential", "x-oss-date"])
def test_v4_policy_must_name_its_fields(client: Any, name: str) -> None:
    """A V4 policy without a condition for version, credential or date is refused."""
    fields = client.make_fields()
    conditions = [
        {key: fields[key]} for key in fields if key.startswith("x-oss-") and key != "x-oss-signature"
    ]
    policy = client.make_policy(
        [{"bucket": client.bucket}, *(item for item in conditions if name not in item)]
    )

    answer = client.post(client.make_fields(policy=policy))
    message = f"Invalid according to Policy: the policy has no condition for {name}."
    assert (403, "AccessDenied", message, "") == answer.error


def test_v4_date_ahead(client: Any) -> None:
    """A form may be dated up to 15 minutes ahead."""
    soon = datetime.now(UTC) + timedelta(minutes=14)
    late = datetime.now(UTC) + timedelta(minutes=16)

    assert client.post(client.make_fields(now=soon)).status == 204
    assert client.post(client.make_fields(now=late)).error[:2] == (403, "RequestTimeTooSkewed")


def test_v4_signature_lives_seven_days(client: Any) -> None:
    """A far expiration is no error, but seven days after its date the form is refused."""
    century = 100 * 365 * 86_400
    young = datetime.now(UTC) - timedelta(days=6, hours=23)
    old = datetime.now(UTC) - timedelta(days=7, seconds=5)

    assert client.post(client.make_fields(now=young, expires_in=century)).status == 204
    answer = client.post(client.make_fields(now=old, expires_in=century))
    assert answer.error[2] == "Invalid according to Policy: Policy expired."


def test_temporary_key(client: Any) -> None:
    """An STS key needs its token as field and as condition, in both versions."""
    client.access_key_id, client.access_key_secret = "STS.test-key-id", "sts-secret"
    with_token = client.make_fields(token="sts-token")
    unlocked = client.make_fields(**{"x-oss-security-token": "sts-token"})

    assert client.post(with_token).status == 204
    assert "the policy has no condition for x-oss-security-token." in client.post(unlocked).error[2]
    assert client.post(client.make_fields()).error[1::2] == ("InvalidAccessKeyId", "0002-00000003")
    assert client.post(client.make_fields_v1(**{"x-oss-security-token": "sts-token"})).status == 204
    assert client.post(client.make_fields_v1()).error[1::2] == ("InvalidAccessKeyId", "0002-00000003")
    wrong = client.post(client.make_fields_v1(**{"x-oss-security-token": "other"}))
    assert wrong.error[:2] == (403, "InvalidSecurityToken")


def test_long_term_key_tolerates_an_empty_token(client: Any) -> None:
    """An official sample sends an empty token field for long-term keys."""
    assert client.post(client.make_fields(**{"x-oss-security-token": ""})).status == 204


def test_anonymous_only_on_public_read_write(start_emulator: Callable[..., Any]) -> None:
    """A form without signature is accepted by a public-read-write bucket alone."""
    answers = [
        start_emulator(bucket_acl=acl).post({"key": "a.txt"})
        for acl in ("private", "public-read", "public-read-write")
    ]

    message = "Anonymous user has no right to access this bucket."
    assert (403, "AccessDenied", message, "") == answers[0].error == answers[1].error
    assert answers[2].status == 204


def test_unknown_key(client: Any) -> None:
    """An AccessKey that nobody knows is refused in both versions."""
    client.access_key_id = "nobody"

    assert client.post(client.make_fields()).error[:2] == (403, "InvalidAccessKeyId")
    assert client.post(client.make_fields_v1()).error[:2] == (403, "InvalidAccessKeyId")
