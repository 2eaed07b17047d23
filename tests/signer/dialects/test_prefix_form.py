"""The policy of a form whose client names its own files."""

import json
from base64 import b64decode
from datetime import timedelta

import pytest

from signer.credentials import Credentials
from signer.dialects.prefix_form import build_type_conditions, sign_prefix_form
from signer.dialects.wishes import FormUnderPrefix


@pytest.fixture
def sign(make_profile, make_credentials, now):
    def sign_one(wish, *, credentials=None, **profile):
        return sign_prefix_form(
            make_profile(**profile),
            wish,
            prefix="photos/G.M/",
            callback_param="Y2FsbGJhY2s=",
            credentials=credentials or make_credentials(),
            now=now,
            expires_at=now + timedelta(minutes=5),
        )

    return sign_one


def read_policy(form):
    return json.loads(b64decode(form.fields["policy"]))


def test_v1_policy_demands_what_is_posted(sign):
    """Bucket, size, prefix, status and callback, and nothing that the page does not post."""
    form = sign(FormUnderPrefix("v1", callback=True, status_field=True))

    assert {
        "expiration": "2026-01-02T03:09:05.000Z",
        "conditions": [
            {"bucket": "examplebucket"},
            ["content-length-range", 1, 20971520],
            ["starts-with", "$key", "photos/G.M/"],
            ["eq", "$success_action_status", "200"],
            ["eq", "$callback", "Y2FsbGJhY2s="],
        ],
    } == read_policy(form)
    assert ["success_action_status", "callback", "OSSAccessKeyId", "policy", "Signature"] == list(form.fields)


def test_policy_without_callback_and_status_demands_neither(sign):
    """A condition on a field that the page does not post would refuse every file."""
    form = sign(FormUnderPrefix("v1", callback=False, status_field=False))

    assert 3 == len(read_policy(form)["conditions"])
    assert "Y2FsbGJhY2s=" == form.callback_param


def test_v4_policy_pins_its_own_fields_and_the_token(sign):
    """Version, credential, date and token are demanded as they are signed."""
    token = Credentials("STS.AK", "SECRET", "TOKEN")
    form = sign(FormUnderPrefix("v4", callback=False, status_field=True, temporary=True), credentials=token)

    assert [
        ["eq", "$x-oss-signature-version", "OSS4-HMAC-SHA256"],
        ["eq", "$x-oss-credential", "STS.AK/20260102/cn-hangzhou/oss/aliyun_v4_request"],
        ["eq", "$x-oss-date", "20260102T030405Z"],
        ["eq", "$x-oss-security-token", "TOKEN"],
    ] == read_policy(form)["conditions"][-4:]


@pytest.mark.parametrize(
    ("types", "conditions"),
    [
        (("*/*",), []),
        (("image/png", "*/*"), []),
        (("image/png",), [["in", "$content-type", ["image/png"]]]),
        (("image/png", "image/gif"), [["in", "$content-type", ["image/png", "image/gif"]]]),
        (("image/*",), [["starts-with", "$content-type", "image/"]]),
        (("image/*", "video/mp4"), []),
    ],
)
def test_types_are_demanded_as_far_as_a_policy_can(types, conditions):
    """One wildcard or a list can be said; a mixture is judged when the file has arrived."""
    assert conditions == build_type_conditions(types)
