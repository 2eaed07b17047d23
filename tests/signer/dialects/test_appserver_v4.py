"""The app servers since late 2024: a V4 policy, and the form that their page posts."""

import json

import pytest

from signer.dialects.wishes import FormUnderPrefix

HEAD = b'{"policy":"cG9saWN5",'
X_VERSION, VERSION = b'"x_oss_signature_version":"OSS4-HMAC-SHA256",', b'"version":"OSS4-HMAC-SHA256",'
TAIL = (
    b'"x_oss_credential":"STS.EXAMPLE-AK/20260102/cn-hangzhou/oss/aliyun_v4_request","x_oss_date":"20260102T030405Z",'
    b'"signature":"0f3c","host":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com","dir":"user-dir/GRANT.MAC/",'
    b'"security_token":"EXAMPLE-TOKEN","callback":"Y2FsbGJhY2s="}'
)


def list_page_form(data, file_name, *, version=None):
    """Rules of the sample's page: the form that it makes of the reply; JavaScript turns what is missing into ``undefined``."""
    read = lambda name: str(data.get(name, "undefined"))  # noqa: E731
    return [
        ("success_action_status", "200"),
        ("policy", read("policy")),
        ("x-oss-signature", read("signature")),
        ("x-oss-signature-version", version or read("version")),
        ("x-oss-credential", read("x_oss_credential")),
        ("x-oss-date", read("x_oss_date")),
        ("key", read("dir") + file_name),
        ("x-oss-security-token", read("security_token")),
        ("callback", read("callback")),
    ]


@pytest.mark.parametrize(
    ("variant", "golden"),
    [
        ("all", HEAD + X_VERSION + VERSION + TAIL),
        *[(language, HEAD + X_VERSION + TAIL) for language in ("python", "go", "php", "node")],
        ("java", HEAD + VERSION + TAIL),
    ],
)
def test_reply_is_that_of_the_sample(speak, make_form, variant, golden):
    """By default both names of the version are there; a variant has its own alone."""
    assert golden == speak("appserver_v4", make_form("v4"), variant=variant).body


def test_rewrites_read_their_own_names(speak, make_form):
    """Frameworks that rename fields write no underscore; the values are the sample's."""
    told = json.loads(speak("appserver_v4", make_form("v4"), variant="camel").body)
    usual = json.loads(speak("appserver_v4", make_form("v4"), variant="go").body)

    assert list(usual.values()) == list(told.values())
    assert {"xOssSignatureVersion", "xOssCredential", "xOssDate", "securityToken"} == set(told) - set(usual)


def test_page_posts_nothing_undefined(speak, make_form):
    """The Java page reads ``version``, all pages the rest, and nothing is missing, even without a token."""
    without = {name: value for name, value in make_form("v4").fields.items() if "token" not in name}
    for form in (make_form("v4"), make_form("v4", fields=without)):
        data = json.loads(speak("appserver_v4", form, callback=False).body)

        assert "undefined" not in [value for _, value in list_page_form(data, "a.png")]


def test_wish_is_a_form_with_a_token(ask):
    """The page posts the token that it is given, so temporary credentials may sign."""
    assert FormUnderPrefix("v4", callback=True, status_field=True, temporary=True) == ask("appserver_v4")


def test_pages_without_a_callback_say_so(ask):
    """The sample exists without the callback field; then the policy may not demand it."""
    assert not ask("appserver_v4", options={"callback": False}).callback
