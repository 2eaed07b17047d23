"""The gulimall family: code 0, ``dir`` with slash, no callback."""

import json

from signer.dialects.contract import Refusal
from signer.dialects.wishes import FormUnderPrefix

GOLDEN = (
    b'{"code":0,"msg":"success","data":{"accessid":"EXAMPLE-AK","accessId":"EXAMPLE-AK","policy":"cG9saWN5",'
    b'"signature":"c2lnbmF0dXJl","dir":"user-dir/GRANT.MAC/","host":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com",'
    b'"expire":"1767225600"}}'
)


def test_reply_is_the_projects(speak, make_form):
    """The envelope's code is zero, ``expire`` is text, and both spellings of the key's id are there."""
    assert GOLDEN == speak("gulimall", make_form()).body


def test_policy_demands_neither_callback_nor_status(ask):
    """The page posts neither, so OSS answers 204 and nobody is told."""
    assert FormUnderPrefix("v1", callback=False, status_field=False) == ask("gulimall")


def test_page_that_posts_a_callback_is_given_it(speak, make_form):
    """Copies that were extended read ``callback`` beside the rest."""
    data = json.loads(speak("gulimall", make_form(), callback=True).body)["data"]

    assert "Y2FsbGJhY2s=" == data["callback"]


def test_refusal_has_another_code_than_zero(refuse):
    """HTTP 200 and a code that the page takes for a failure."""
    answer = refuse("gulimall", Refusal(429, "rate_limited", "too often"))

    assert (200, b'{"code":429,"msg":"too often","data":null}') == (answer.status, answer.body)
