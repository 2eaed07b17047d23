"""The first app server: seven fields in their order, and what its page's script makes of them."""

import json
import re

import pytest

from signer.dialects.appserver_v1 import DIALECT
from signer.dialects.contract import Envelope, Options
from signer.dialects.wishes import Explain, FormUnderPrefix

GOLDEN = (
    b'{"accessid":"EXAMPLE-AK","host":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com","policy":"cG9saWN5",'
    b'"signature":"c2lnbmF0dXJl","expire":1767225600,"callback":"Y2FsbGJhY2s=","dir":"user-dir/GRANT.MAC/"}'
)
TEXT_EXPIRE = GOLDEN.replace(b"1767225600", b'"1767225600"')


class UploadScript:
    """The rules of ``upload.js``, one method each."""

    def __init__(self, body):
        self.fields = self.evaluate(body)

    @staticmethod
    def evaluate(body):
        """Rule: the body is evaluated as ``eval("(" + body + ")")``, so any JSON will do, and nothing before it."""
        assert not body.startswith(b"\xef\xbb\xbf")
        return json.loads(body)

    @property
    def expire(self):
        """Rule: ``parseInt(obj['expire'])``, of a number or of digits."""
        return int(re.match(r"\d+", str(self.fields["expire"]))[0])

    def asks_again(self, now):
        """Rule: fetched anew when ``expire < now + 3``, by the client's clock."""
        return self.expire < now + 3

    def list_form(self, file_name):
        """Rule: these fields in this order; a missing one is posted as the text ``undefined``."""
        read = lambda name: str(self.fields.get(name, "undefined"))  # noqa: E731
        return [
            ("name", file_name),
            ("key", read("dir") + "${filename}"),
            ("policy", read("policy")),
            ("OSSAccessKeyId", read("accessid")),
            ("success_action_status", "200"),
            ("callback", read("callback")),
            ("signature", read("signature")),
        ]


@pytest.mark.parametrize(
    ("variant", "golden"),
    [
        ("python", GOLDEN),
        ("go", GOLDEN),
        ("php", GOLDEN),
        ("ruby", GOLDEN),
        ("node", GOLDEN),
        ("laravel", GOLDEN),
        ("java", TEXT_EXPIRE),
        ("dotnet", TEXT_EXPIRE),
        ("flysystem", GOLDEN[:-1] + b',"callback-var":[]}'),
        (
            "go-package",
            b'{"OSSAccessKeyId":"EXAMPLE-AK","policy":"cG9saWN5","callback":"Y2FsbGJhY2s=","signature":"c2lnbmF0dXJl",'
            b'"host":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com","expire":1767225600,"directory":"user-dir/GRANT.MAC/"}',
        ),
    ],
)
def test_reply_is_that_of_the_sample(speak, make_form, variant, golden):
    """Each language's sample has its order of fields and its type of ``expire``."""
    answer = speak("appserver_v1", make_form(), variant=variant)

    assert golden == answer.body
    assert (200, "application/json") == (answer.status, answer.content_type)


def test_every_variant_has_a_golden_reply():
    """No variant is left without a golden reply."""
    assert 10 == len(DIALECT.variants)


def test_script_reads_every_variant(speak, make_form):
    """The page's script posts no field as ``undefined``, and asks again three seconds before the end."""
    for variant in ("python", "java", "dotnet", "php"):
        script = UploadScript(speak("appserver_v1", make_form(), variant=variant).body)

        assert "undefined" not in [value for _, value in script.list_form("a.png")]
        assert [False, False, True] == [
            script.asks_again(now) for now in (1767225590, 1767225597, 1767225598)
        ]


def test_ruby_tells_expire_in_a_header_too(speak, make_form):
    """The Ruby sample's pages may read the header."""
    assert {"expire": "1767225600"} == speak("appserver_v1", make_form(), variant="ruby").headers


def test_callback_is_empty_and_not_missing_when_there_is_none(speak, make_form):
    """Without a callback the field is there and empty, since the script posts what it finds."""
    answer = speak("appserver_v1", make_form(), callback=False)

    assert "" == json.loads(answer.body)["callback"]


def test_dir_without_slash_is_an_option(speak, make_form):
    """Pages that put a slash themselves get none."""
    answer = speak("appserver_v1", make_form(), dir_slash=False)

    assert "user-dir/GRANT.MAC" == json.loads(answer.body)["dir"]


def test_jsonp_is_answered_by_the_java_variant_alone(speak, make_form):
    """``?callback=fn`` calls the function in the Java variant; everywhere else the parameter means nothing."""
    request = {"query": {"callback": "jQuery_12$3"}}
    java = speak("appserver_v1", make_form(), variant="java", request=request)

    assert b"jQuery_12$3( " + TEXT_EXPIRE + b" )" == java.body
    assert "application/javascript; charset=utf-8" == java.content_type
    assert GOLDEN == speak("appserver_v1", make_form(), request=request).body


@pytest.mark.parametrize("name", ["alert(1)", "a.b", "1a", "a b", "x" * 65, "<script>", "名"])
def test_jsonp_takes_identifiers_alone(ask, name):
    """What is no identifier is explained and never called."""
    wish = ask("appserver_v1", options={"variant": "java"}, query={"callback": name})

    assert isinstance(wish, Explain)
    assert (400, "callback_name_invalid") == (wish.status, wish.code)
    assert isinstance(ask("appserver_v1", query={"callback": name}), FormUnderPrefix)


def test_policy_may_demand_what_the_script_posts(ask):
    """The script posts callback and status, so both may be demanded."""
    assert FormUnderPrefix("v1", callback=True, status_field=True) == ask("appserver_v1")


def test_envelope_wraps_any_contract(speak, make_form):
    """Back ends that wrap everything have their names and values in the settings."""
    answer = speak("appserver_v1", make_form(), envelope=Envelope("status", "msg", "result", "0", "fine"))

    assert b'{"status":"0","msg":"fine","result":' + GOLDEN + b"}" == answer.body


@pytest.mark.parametrize(
    ("variant", "reply"),
    [("python", {"Status": "OK"}), ("php", {"Status": "Ok"}), ("laravel", {"status": "ok"})],
)
def test_callback_is_answered_as_the_sample_does(variant, reply):
    """The case of key and value is the sample's."""
    assert reply == DIALECT.reply(Options(variant=variant))
