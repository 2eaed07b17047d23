"""Mini programs: the fields of ``formData``, V1 and V4, and where their keys begin."""

import json

import pytest

from signer.dialects.wishes import FormUnderPrefix

V1 = b'{"OSSAccessKeyId":"EXAMPLE-AK","policy":"cG9saWN5","signature":"c2lnbmF0dXJl"}'
V4 = (
    b'{"policy":"cG9saWN5","x-oss-signature-version":"OSS4-HMAC-SHA256",'
    b'"x-oss-credential":"STS.EXAMPLE-AK/20260102/cn-hangzhou/oss/aliyun_v4_request","x-oss-date":"20260102T030405Z",'
    b'"x-oss-signature":"0f3c","x-oss-security-token":"EXAMPLE-TOKEN"}'
)


@pytest.mark.parametrize(("variant", "golden"), [("v1", V1), ("v4", V4)])
def test_reply_is_that_of_the_sample(speak, make_form, variant, golden):
    """The fields of each signature version under the names that the form has."""
    answer = speak("mini_program", make_form(variant), variant=variant, extras=False)

    assert golden == answer.body


def test_page_learns_host_and_dir(speak, make_form):
    """Behind the sample's fields stand where to and below which ``dir``; the page has to put it in front of its key."""
    data = json.loads(speak("mini_program", make_form()).body)

    assert ("user-dir/GRANT.MAC/", "") == (data["dir"], data["callback"])
    assert "https://demo-bucket.oss-cn-hangzhou.aliyuncs.com" == data["host"]


def test_all_values_are_text(speak, make_form):
    """``formData`` takes text alone."""
    for variant in ("v1", "v4"):
        data = json.loads(speak("mini_program", make_form(variant), variant=variant).body)

        assert all(isinstance(value, str) for value in data.values())


def test_policy_demands_what_the_page_posts(ask):
    """The sample posts neither callback nor status; pages that do say so in the settings."""
    assert FormUnderPrefix("v1", callback=False, status_field=False) == ask("mini_program")
    assert FormUnderPrefix("v4", callback=True, status_field=True, temporary=True) == ask(
        "mini_program", options={"variant": "v4", "callback": True, "status_field": True}
    )
