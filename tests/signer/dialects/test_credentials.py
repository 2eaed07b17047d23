"""Temporary credentials for pages and programs: each reader's names, and nothing that would break it."""

import json
from datetime import UTC, datetime

import pytest

from signer.credentials import Credentials
from signer.dialects.contract import Refusal

FOUR = (
    b'"AccessKeyId":"STS.EXAMPLE-AK","AccessKeySecret":"EXAMPLE-SECRET","SecurityToken":"EXAMPLE-TOKEN",'
    b'"Expiration":"2026-01-02T04:04:05Z"'
)
CAMEL = (
    b'"accessKeyId":"STS.EXAMPLE-AK","accessKeySecret":"EXAMPLE-SECRET","securityToken":"EXAMPLE-TOKEN",'
    b'"expiration":"2026-01-02T04:04:05Z"'
)
SDK = (
    b'"accessKeyId":"STS.EXAMPLE-AK","accessKeySecret":"EXAMPLE-SECRET","stsToken":"EXAMPLE-TOKEN",'
    b'"expiration":"2026-01-02T04:04:05Z"'
)


@pytest.mark.parametrize(
    ("variant", "golden"),
    [
        ("python", b"{" + FOUR + b"}"),
        ("node", b"{" + FOUR + b"}"),
        ("ruby", b"{" + FOUR + b"}"),
        ("csharp", b"{" + FOUR + b"}"),
        ("java", b"{" + CAMEL + b"}"),
        ("php", b'{"Credentials":{' + FOUR + b"}}"),
        ("go", b'{"headers":{},"statusCode":200,"body":{"Credentials":{' + FOUR + b"}}}"),
    ],
)
def test_web_reply_is_that_of_the_sample(speak, make_temporary, variant, golden):
    """Each language's sample has its shape; the end is always told, else pages would never ask again."""
    assert golden == speak("sts_web", make_temporary(), variant=variant, extras=False).body


def test_web_page_learns_where_its_keys_begin(speak, make_temporary):
    """Behind the sample's fields stand those that a page of ours needs."""
    data = json.loads(speak("sts_web", make_temporary()).body)

    assert ["dir", "grant", "bucket", "region", "endpoint", "callbackParam", "callbackVars"] == list(data)[4:]


def test_web_page_asks_again_a_minute_before_the_end(speak, make_temporary):
    """The page's rule: ``new Date(Expiration) - now <= 60000``."""
    data = json.loads(speak("sts_web", make_temporary()).body)
    ends = datetime.fromisoformat(data["Expiration"])

    left = [(ends - datetime(2026, 1, 2, 4, minute, 5, tzinfo=UTC)).total_seconds() for minute in (2, 3)]
    assert [False, True] == [seconds * 1000 <= 60000 for seconds in left]


def test_web_refusal_is_a_json_text(refuse):
    """A real status, and one JSON text."""
    answer = refuse("sts_web", Refusal(403, "profile_forbidden", "not open to you"))

    assert (403, b'"not open to you"') == (answer.status, answer.body)


def test_uri_reply_is_what_the_sdks_want(speak, make_temporary):
    """``Code`` is ``Success``, then the four fields, the end strictly ``…Z``."""
    answer = speak("credentials_uri", make_temporary(), extras=False)
    data = json.loads(answer.body)

    assert b'{"Code":"Success",' + FOUR + b"}" == answer.body
    assert datetime.strptime(data["Expiration"] + "+0000", "%Y-%m-%dT%H:%M:%SZ%z")


def test_uri_refusal_has_a_real_status(refuse):
    """The SDKs take anything but 200 for an error and show the body."""
    answer = refuse("credentials_uri", Refusal(401, "credentials_missing", "log in"))

    assert (401, b'{"Code":"credentials_missing","Message":"log in"}') == (answer.status, answer.body)


def test_ali_oss_reply_holds_its_names_and_nothing_else(speak, make_temporary):
    """The SDK assigns every field to its own options, so nothing else may be there."""
    assert b"{" + SDK + b"}" == speak("ali_oss", make_temporary()).body


def test_ali_oss_refresh_leaves_the_client_whole(speak, make_temporary):
    """The SDK's rule: first letters in lower case, ``securityToken`` for ``stsToken``, three names demanded, all assigned."""
    client = {"region": "oss-cn-hangzhou", "bucket": "demo-bucket", "endpoint": {"host": "parsed"}}
    before = dict(client)
    reply = {
        name[0].lower() + name[1:]: value
        for name, value in json.loads(speak("ali_oss", make_temporary()).body).items()
    }
    if reply.get("securityToken"):
        reply["stsToken"] = reply["securityToken"]
    client |= reply

    assert all(client[name] for name in ("accessKeyId", "accessKeySecret", "stsToken"))
    assert before == {name: client[name] for name in before}


def test_ali_oss_client_is_told_apart(speak, make_temporary):
    """The second address has each argument of the SDK ready, and when to refresh: three times in a token's life."""
    answer = speak("ali_oss", make_temporary(), route=1)

    assert (
        b'{"credentials":{' + SDK + b'},"client":{"region":"oss-cn-hangzhou","bucket":"demo-bucket",'
        b'"endpoint":"https://oss-cn-hangzhou.aliyuncs.com","cname":false,"secure":true,"sldEnable":false,"authorizationV4":true},'
        b'"dir":"app/GRANT.MAC/","grant":"HELD",'
        b'"callback":{"url":"https://u.example.com/callback","body":"{}","contentType":"application/json"},"refreshAfter":1200}'
    ) == answer.body


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", "http://localhost:9000"])
def test_ali_oss_client_is_told_of_path_style(speak, make_temporary, endpoint):
    """The SDK takes the host of a bare ``127.0.0.1:9000`` for a scheme, and leaves the bucket out under an address."""
    client = json.loads(speak("ali_oss", make_temporary(endpoint=endpoint), route=1).body)["client"]

    assert (endpoint, False, True) == (client["endpoint"], client["secure"], client["sldEnable"])


def test_ali_oss_callback_has_host_and_sni_where_they_are_set(speak, make_temporary):
    """What the callback parameter says besides goes into the SDK's own names."""
    callback = {"callbackUrl": "https://u.example.com/c", "callbackHost": "u", "callbackSNI": True}
    data = json.loads(speak("ali_oss", make_temporary(callback=callback), route=1).body)

    assert ("u", True) == (data["callback"]["host"], data["callback"]["callbackSNI"])


def test_mini_program_token_is_the_object_of_sts(speak, make_temporary):
    """The sample's page reads STS's own names."""
    assert b"{" + FOUR + b"}" == speak("mini_program_token", make_temporary(), extras=False).body


def test_missing_token_is_empty_text(speak, make_temporary):
    """A reply never holds null where a client reads text."""
    handed = make_temporary(credentials=Credentials("AK", "SECRET"))

    assert "" == json.loads(speak("sts_web", handed).body)["SecurityToken"]
