"""The mall family: its envelope, and a ``dir`` without slash."""

import json

from signer.dialects.contract import Options, Refusal
from signer.dialects.mall import DIALECT
from signer.dialects.wishes import FormUnderPrefix

GOLDEN = (
    '{"code":200,"message":"操作成功","data":{"accessKeyId":"EXAMPLE-AK","policy":"cG9saWN5","signature":"c2lnbmF0dXJl",'
    '"dir":"user-dir/GRANT.MAC","host":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com","callback":"Y2FsbGJhY2s="}}'
)


def test_reply_is_the_projects(speak, make_form):
    """The envelope's code is a number, and ``dir`` has no slash: the page puts one."""
    answer = speak("mall", make_form())

    assert GOLDEN == answer.body.decode()
    assert "user-dir/GRANT.MAC/a.png" == json.loads(answer.body)["data"]["dir"] + "/" + "a.png"


def test_policy_demands_callback_and_no_status(ask):
    """The page posts the callback and not ``success_action_status``."""
    assert FormUnderPrefix("v1", callback=True, status_field=False) == ask("mall")


def test_refusal_is_a_code_the_page_shows(refuse):
    """HTTP 200, so that the page's interceptor reads the code; a real status on wish."""
    refusal = Refusal(401, "credentials_missing", "not open to everybody", "log in")

    answer = refuse("mall", refusal)
    assert (200, b'{"code":401,"message":"not open to everybody: log in","data":null}') == (
        answer.status,
        answer.body,
    )
    assert 401 == refuse("mall", refusal, real_status=True).status


def test_callback_is_answered_in_the_same_envelope():
    """The project's page shows the object's address, and all facts as text."""
    reply = DIALECT.reply(Options(envelope=DIALECT.defaults.envelope))

    assert ["code", "message", "data"] == list(reply)
    assert ["filename", "size", "mimeType", "width", "height"] == list(reply["data"])
