"""The signed part of an upload form: its fields, their order, and the conditions that pin them."""

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from signer import v1, v4
from signer.conditions import content_length_range, eq, exact
from signer.credentials import Credentials
from signer.policy import encode_policy
from signer.post_form import sign_form

known_answers = pytest.mark.known_answers
V4_FIELDS = ["x-oss-signature-version", "x-oss-credential", "x-oss-date"]


@pytest.fixture
def make_form(make_credentials: Callable[..., Credentials], now: datetime) -> Callable[..., dict[str, str]]:
    def make(*, version: Any = "v4", token: str | None = None, **changes: Any) -> dict[str, str]:
        given: dict[str, Any] = {
            "fields": {"key": "a.txt", "success_action_status": "200"},
            "conditions": [exact("bucket", "b"), content_length_range(1, 5), eq("key", "a.txt")],
            "region": "cn-hangzhou",
            "now": now,
            "expires_at": now + timedelta(minutes=5),
            "credentials": make_credentials(security_token=token),
        } | changes
        return sign_form(given.pop("fields"), given.pop("conditions"), version=version, **given)

    return make


def read_policy(form: dict[str, str]) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(b64decode(form["policy"], validate=True))
    return policy


@known_answers("post-policy-v4.json", "post_vectors")
def test_v4_policy_signature_equals_known_answer(case: dict[str, Any]) -> None:
    """Each published policy gives its published signature."""
    credentials = Credentials(case["access_key_id"], case["access_key_secret"])
    signature = v4.sign_policy(
        encode_policy(case["policy_text"].encode()),
        credentials,
        date=case["x-oss-date"],
        region=case["region"],
    )

    assert signature == case["signature"] == case["form_fields"]["x-oss-signature"]


@known_answers("post-policy-v4.json", "post_vectors")
def test_v4_form_has_known_credential_date_and_token(
    case: dict[str, Any], make_form: Callable[..., dict[str, str]]
) -> None:
    """The fields beside policy and signature are those of the published form, and the policy names each."""
    expected = case["form_fields"]
    moment = datetime.strptime(case["x-oss-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    form = make_form(
        region=case["region"],
        now=moment,
        credentials=Credentials(
            case["access_key_id"], case["access_key_secret"], expected.get("x-oss-security-token")
        ),
    )
    own = {name: value for name, value in form.items() if name.startswith("x-oss-")}
    own.pop("x-oss-signature")

    assert own == {name: expected[name] for name in own}
    assert {name: expected[name] for name in V4_FIELDS}.items() <= own.items()
    for name, value in own.items():
        assert ["eq", f"${name}", value] in read_policy(form)["conditions"]


@pytest.mark.parametrize(
    ("version", "token", "names"),
    [
        ("v4", None, [*V4_FIELDS, "policy", "x-oss-signature"]),
        ("v4", "CAIS", [*V4_FIELDS, "x-oss-security-token", "policy", "x-oss-signature"]),
        ("v1", None, ["OSSAccessKeyId", "policy", "Signature"]),
        ("v1", "CAIS", ["OSSAccessKeyId", "x-oss-security-token", "policy", "Signature"]),
    ],
)
def test_fields_stand_in_upload_order(
    version: str, token: str | None, names: list[str], make_form: Callable[..., dict[str, str]]
) -> None:
    """The given fields come first, in their order, the key in front; then those of the signature."""
    assert list(make_form(version=version, token=token)) == ["key", "success_action_status", *names]


@pytest.mark.parametrize("version", ["v4", "v1"])
@pytest.mark.parametrize("token", [None, "CAIS+/="])
def test_signature_verifies_over_the_posted_policy(
    version: str,
    token: str | None,
    make_form: Callable[..., dict[str, str]],
    make_credentials: Callable[..., Credentials],
) -> None:
    """What is signed is the very text that stands in the form."""
    form = make_form(version=version, token=token)
    if version == "v4":
        signature = v4.sign_policy(
            form["policy"], make_credentials(), date=form["x-oss-date"], region="cn-hangzhou"
        )
        assert form["x-oss-signature"] == signature
    else:
        assert form["Signature"] == v1.sign_policy(form["policy"], make_credentials())


@pytest.mark.parametrize("version", ["v4", "v1"])
def test_policy_demands_the_token_it_was_issued_under(
    version: str, make_form: Callable[..., dict[str, str]]
) -> None:
    """A form of temporary credentials pins its token, in either version; another has no such condition."""
    with_token = read_policy(make_form(version=version, token="CAIS+/="))["conditions"]
    without = read_policy(make_form(version=version))["conditions"]

    assert ["eq", "$x-oss-security-token", "CAIS+/="] in with_token
    assert not any("x-oss-security-token" in str(condition) for condition in without)


@pytest.mark.parametrize("version", ["v4", "v1"])
def test_policy_keeps_what_was_demanded(version: str, make_form: Callable[..., dict[str, str]]) -> None:
    """The given conditions stand in front, unchanged, and the expiry is the given one."""
    policy = read_policy(make_form(version=version))

    assert policy["expiration"] == "2026-01-02T03:09:05.000Z"
    assert policy["conditions"][:3] == [
        {"bucket": "b"},
        ["content-length-range", 1, 5],
        ["eq", "$key", "a.txt"],
    ]


def test_credential_and_date_name_the_same_day(make_form: Callable[..., dict[str, str]]) -> None:
    """One second before midnight, credential and date stay on the day of signing though the policy ends on the next."""
    late = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    form = make_form(now=late, expires_at=late + timedelta(minutes=10))

    assert form["x-oss-date"] == "20261231T235959Z"
    assert form["x-oss-credential"] == "AKIDEXAMPLE/20261231/cn-hangzhou/oss/aliyun_v4_request"
    assert read_policy(form)["expiration"] == "2027-01-01T00:09:59.000Z"


def test_secret_and_token_are_not_shown(make_credentials: Callable[..., Credentials]) -> None:
    """What is logged of credentials is the key's id alone."""
    shown = repr(make_credentials(security_token="hush-hush"))

    assert "AKIDEXAMPLE" in shown
    assert "secret-not-real" not in shown
    assert "hush" not in shown


@pytest.mark.parametrize("version", ["v4", "v1"])
def test_other_inputs_give_other_signatures(version: str, make_form: Callable[..., dict[str, str]]) -> None:
    """Secret, condition and expiry are all under the signature; in V4 day and region are as well."""
    name = "x-oss-signature" if version == "v4" else "Signature"
    moment = datetime(2026, 1, 3, tzinfo=UTC)
    changes: list[dict[str, Any]] = [
        {},
        {"credentials": Credentials("AKIDEXAMPLE", "other")},
        {"conditions": [exact("bucket", "other")]},
        {"expires_at": moment},
    ]
    if version == "v4":
        changes += [{"now": moment}, {"region": "cn-beijing"}]

    assert len({make_form(version=version, **change)[name] for change in changes}) == len(changes)
