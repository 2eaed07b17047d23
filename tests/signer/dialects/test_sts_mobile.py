"""The mobile SDKs' token server: golden replies, and the rules by which Android and iOS read them.

The SDKs cannot run here; what they do with a reply is written down again, one named rule each, from their sources.
"""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from signer.dialects.contract import Refusal
from signer.dialects.wishes import TemporaryCredentials

CREDENTIALS = (
    b'"AccessKeyId":"STS.EXAMPLE-AK","AccessKeySecret":"EXAMPLE-SECRET","SecurityToken":"EXAMPLE-TOKEN",'
    b'"Expiration":"2026-01-02T04:04:05Z"'
)
EXTRAS = (
    b',"dir":"app/GRANT.MAC/","grant":"HELD","bucket":"demo-bucket","region":"cn-hangzhou","endpoint":"https://oss-cn-hangzhou.aliyuncs.com",'
    b'"callbackParam":{"callbackUrl":"https://u.example.com/callback","callbackBody":"{}","callbackBodyType":"application/json"},'
    b'"callbackVars":{}'
)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MARGIN = timedelta(seconds=300)


class Android:
    """``OSSAuthCredentialsProvider``: rules of how it reads a reply."""

    def __init__(self, status, body, now=NOW):
        self.now = now
        # Rule "stream": getInputStream() throws for HTTP 400 and above before the body is read.
        if status >= 400:
            raise OSError("the body of an HTTP error is never read")
        data = json.loads(body)
        # Rule "status": getInt("StatusCode") takes a number and digits alike.
        if int(data["StatusCode"]) != 200:
            raise ValueError(f"ErrorCode: {data['ErrorCode']}| ErrorMessage: {data['ErrorMessage']}")
        # Rule "strings": getString() of each; a missing one throws.
        self.names = [
            data[name] for name in ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")
        ]
        self.expires = self.parse_expiration(data["Expiration"])

    def parse_expiration(self, written):
        """Rule "date": the beginning is read as ``yyyy-MM-dd'T'HH:mm:ss`` in UTC, what follows is ignored; else it is now + 30 s."""
        found = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", str(written))
        if not found:
            return self.now + timedelta(seconds=30)
        return datetime.strptime(found[0], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)

    def asks_again(self, at):
        """Rule "margin": fetched anew once the end is less than 300 seconds away."""
        return at > self.expires - MARGIN


class Ios:
    """``OSSAuthCredentialProvider``: rules of how it reads a reply."""

    def __init__(self, status, body):
        # Rule "any status": the HTTP status is not looked at.
        data = json.loads(body)
        # Rule "status": [StatusCode intValue] takes a number and digits alike; anything else is no token, and no reason is shown.
        status_code = data.get("StatusCode")
        self.token = None
        if str(status_code).isdigit() and int(status_code) == 200:
            self.token = data["SecurityToken"]
            self.expires = self.parse_expiration(data["Expiration"])

    @staticmethod
    def parse_expiration(written):
        """Rule "date": ``yyyy-MM-dd'T'HH:mm:ssZ`` whole, a text; a fraction does not parse, and then the token ended in 1970."""
        try:
            return datetime.strptime(written, "%Y-%m-%dT%H:%M:%S%z")
        except (TypeError, ValueError):
            return datetime(1970, 1, 1, tzinfo=UTC)

    def asks_again(self, at):
        """Rule "margin": fetched anew with less than 300 seconds left."""
        return self.expires - at < MARGIN


@pytest.mark.parametrize(("variant", "status"), [("number", b"200"), ("string", b'"200"')])
def test_reply_is_that_of_the_sample(speak, make_temporary, variant, status):
    """Five fields in their order; ``StatusCode`` is a number or text, as the app was made for."""
    bare = speak("sts_mobile", make_temporary(), variant=variant, extras=False)
    full = speak("sts_mobile", make_temporary(), variant=variant)

    assert b'{"StatusCode":' + status + b"," + CREDENTIALS + b"}" == bare.body
    assert b'{"StatusCode":' + status + b"," + CREDENTIALS + EXTRAS + b"}" == full.body


@pytest.mark.parametrize("variant", ["number", "string"])
def test_android_reads_the_reply(speak, make_temporary, variant):
    """Status as number or text, four texts, and the right end."""
    answer = speak("sts_mobile", make_temporary(), variant=variant)
    android = Android(answer.status, answer.body)

    assert datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC) == android.expires
    assert [False, True] == [android.asks_again(NOW + timedelta(minutes=minutes)) for minutes in (54, 56)]


@pytest.mark.parametrize("variant", ["number", "string"])
def test_ios_reads_the_reply(speak, make_temporary, variant):
    """Status as number or text, and an end that parses whole."""
    answer = speak("sts_mobile", make_temporary(), variant=variant)
    ios = Ios(answer.status, answer.body)

    assert "EXAMPLE-TOKEN" == ios.token
    assert [False, True] == [ios.asks_again(NOW + timedelta(minutes=minutes)) for minutes in (54, 56)]


@pytest.mark.parametrize(
    ("written", "android", "ios"),
    [
        ("2026-01-02T04:04:05Z", "2026-01-02T04:04:05", "2026-01-02T04:04:05"),
        ("2026-01-02T04:04:05.000Z", "2026-01-02T04:04:05", "1970-01-01T00:00:00"),
        ("2026-01-02T12:04:05+08:00", "2026-01-02T12:04:05", "2026-01-02T04:04:05"),
        ("2026-01-02T12:04:05+0800", "2026-01-02T12:04:05", "2026-01-02T04:04:05"),
        (1767326645, "2026-01-02T03:04:35", "1970-01-01T00:00:00"),
        ("2026-01-02 04:04:05", "2026-01-02T03:04:35", "1970-01-01T00:00:00"),
    ],
)
def test_other_dates_would_be_misread(written, android, ios):
    """Why the end is written in one form: fractions, offsets and numbers mean another time to one SDK or to both."""
    reader = Android(200, b'{"StatusCode":200,' + CREDENTIALS + b"}")

    assert android == reader.parse_expiration(written).isoformat()[:19]
    assert ios == Ios.parse_expiration(written).astimezone(UTC).isoformat()[:19]


@pytest.mark.parametrize("variant", ["number", "string"])
def test_android_shows_the_reason_of_a_refusal(refuse, variant):
    """HTTP 200 and the reason inside: with an HTTP error Android would show nothing of it."""
    refusal = Refusal(403, "profile_forbidden", "not open to you", "ask somebody")
    answer = refuse("sts_mobile", refusal, variant=variant)

    with pytest.raises(
        ValueError, match=r"ErrorCode: profile_forbidden\| ErrorMessage: not open to you: ask somebody"
    ):
        Android(answer.status, answer.body)
    assert Ios(answer.status, answer.body).token is None


def test_refusal_is_that_of_the_sample(refuse):
    """Three fields in their order; with real statuses Android sees no more than a stream that throws."""
    refusal = Refusal(429, "rate_limited", "too often")
    answer, real = refuse("sts_mobile", refusal), refuse("sts_mobile", refusal, real_status=True)

    assert b'{"StatusCode":500,"ErrorCode":"rate_limited","ErrorMessage":"too often"}' == answer.body
    assert [200, 429] == [answer.status, real.status]
    with pytest.raises(OSError, match="never read"):
        Android(real.status, real.body)


def test_flutter_reads_the_reply(speak, make_temporary):
    """flutter_oss_aliyun: JSON by its media type, four texts, and an end that ``DateTime.parse`` takes."""
    answer = speak("sts_mobile", make_temporary())
    data = json.loads(answer.body)

    assert "application/json" == answer.content_type
    assert all(isinstance(data[name], str) for name in ("AccessKeyId", "AccessKeySecret", "SecurityToken"))
    assert datetime.fromisoformat(data["Expiration"]).tzinfo is not None


def test_wish_is_for_an_hour_and_names_what_the_app_holds(ask):
    """An app that goes on sends its ``grant``, so that its keys stay good."""
    assert TemporaryCredentials("", 3600) == ask("sts_mobile")
    assert TemporaryCredentials("HELD", 3600) == ask("sts_mobile", query={"grant": "HELD"})
