"""``{formData, url}`` of ali-oss's example server."""

from signer.dialects.contract import Refusal
from signer.dialects.wishes import FormUnderPrefix


def test_reply_is_that_of_the_example(speak, make_form):
    """The signed fields with the capital of ``Signature``, then the others, the host, and where keys begin."""
    bare = {name: make_form().fields[name] for name in ("OSSAccessKeyId", "policy", "Signature")}
    answer = speak("form_data", make_form(fields=bare), extras=False)

    assert (
        b'{"formData":{"OSSAccessKeyId":"EXAMPLE-AK","Signature":"c2lnbmF0dXJl","policy":"cG9saWN5"},'
        b'"url":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com"}'
    ) == answer.body


def test_token_stands_behind_the_policy(speak, make_form):
    """With STS there is one field more, and whatever the policy demands follows."""
    fields = {**make_form().fields, "x-oss-security-token": "EXAMPLE-TOKEN"}
    answer = speak("form_data", make_form(fields=fields), variant="sts")

    assert (
        b'{"formData":{"OSSAccessKeyId":"EXAMPLE-AK","Signature":"c2lnbmF0dXJl","policy":"cG9saWN5",'
        b'"x-oss-security-token":"EXAMPLE-TOKEN","success_action_status":"200","callback":"Y2FsbGJhY2s="},'
        b'"url":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com","dir":"user-dir/GRANT.MAC/"}'
    ) == answer.body


def test_page_posts_whatever_it_is_given(ask):
    """All of ``formData`` is posted, so callback and status may be demanded; the other address has a token."""
    assert FormUnderPrefix("v1", callback=True, status_field=True) == ask("form_data")
    assert ask("form_data", options={"variant": "sts"}).temporary


def test_refusal_has_a_message(refuse):
    """``message`` is all that the page looks for."""
    answer = refuse("form_data", Refusal(500, "internal_error", "a fault of ours"))

    assert (500, b'{"message":"a fault of ours"}') == (answer.status, answer.body)
