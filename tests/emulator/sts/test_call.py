"""Which requests are for STS, and how their parameters are read."""

import base64
import hmac
import urllib.parse
from typing import Any

import pytest

from ossgate.emulator.sts import is_sts_request

FORM = {"content-type": "application/x-www-form-urlencoded"}
MULTIPART = {"content-type": "multipart/form-data; boundary=x"}
ACTION = [("Action", "AssumeRole")]

FOR_STS: list[tuple[str, str, list[tuple[str, str]], dict[str, str]]] = [
    ("GET", "/", ACTION, {"host": "127.0.0.1:9000"}),
    ("POST", "/", ACTION, {"host": "127.0.0.1:9000", "content-type": "application/octet-stream"}),
    ("POST", "", ACTION, {"host": "127.0.0.1:9000"}),
    ("POST", "/", [], {"host": "127.0.0.1:9000", **FORM}),
    (
        "POST",
        "/",
        [],
        {"host": "127.0.0.1", "content-type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"},
    ),
    ("POST", "/", [("RoleArn", "r")], {"host": "127.0.0.1", "x-acs-action": "AssumeRole"}),
    ("GET", "/", [], {"host": "sts.aliyuncs.com"}),
    ("GET", "/anything", [], {"host": "sts.cn-hangzhou.aliyuncs.com"}),
    ("GET", "/", [], {"host": "sts-vpc.cn-hangzhou.aliyuncs.com:80"}),
    ("GET", "/", [], {"host": "STS.localhost:9000"}),
]
FOR_OSS: list[tuple[str, str, list[tuple[str, str]], dict[str, str], str]] = [
    ("GET", "/", [], {"host": "127.0.0.1:9000"}, ""),
    ("GET", "/", [("prefix", "Action")], {"host": "127.0.0.1:9000"}, ""),
    ("GET", "/bucket", ACTION, {"host": "127.0.0.1:9000"}, "bucket"),
    ("POST", "/bucket", [], {"host": "127.0.0.1:9000", **FORM}, "bucket"),
    ("POST", "/", [], {"host": "127.0.0.1:9000", **MULTIPART}, ""),
    ("POST", "/", [], {"host": "bucket.oss-cn-hangzhou.aliyuncs.com", **MULTIPART}, "bucket"),
    ("POST", "/", [], {"host": "bucket.oss-cn-hangzhou.aliyuncs.com", **FORM}, "bucket"),
    ("PUT", "/sts.txt", [], {"host": "sts.oss-cn-hangzhou.aliyuncs.com"}, "sts"),
    ("GET", "/", [], {"host": "stsdata.oss-cn-hangzhou.aliyuncs.com"}, "stsdata"),
    ("GET", "/", [], {}, ""),
]


@pytest.mark.parametrize(("method", "path", "query", "headers"), FOR_STS)
def test_recognised(method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str]) -> None:
    """Each client's call is recognised."""
    assert is_sts_request(method, path, query, headers)


@pytest.mark.parametrize(("method", "path", "query", "headers", "bucket"), FOR_OSS)
def test_left_to_oss(
    method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], bucket: str
) -> None:
    """Requests for buckets are not."""
    assert not is_sts_request(method, path, query, headers, bucket=bucket)


@pytest.mark.parametrize("blank", ["+", "%20"])
def test_blank_in_the_query(caller: Any, blank: str) -> None:
    """Clients write a blank as `+` or `%20`, and mean the same; a plus is always `%2B`."""
    policy = (
        '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "acs:oss:*:*:b/a+b"}]}'
    )
    parameters = caller.make_parameters(Policy=policy)
    parameters["Signature"] = caller.sign("GET", parameters)
    query = "&".join(
        f"{name}={value}".replace("%", "%25")
        .replace("+", "%2B")
        .replace("&", "%26")
        .replace("/", "%2F")
        .replace(" ", blank)
        for name, value in parameters.items()
    )

    assert 200 == caller.send("GET", query=query).status


def test_first_of_a_doubled_parameter_counts(caller: Any) -> None:
    """Both are signed; the first is the one that is meant."""
    pairs = [*caller.make_parameters().items(), ("RoleSessionName", "bob")]
    signed = "&".join(f"{quote(k)}={quote(v)}" for k, v in sorted(pairs))
    signature = sign(caller.secret, f"GET&%2F&{quote(signed)}")
    query = "&".join(f"{quote(k)}={quote(v)}" for k, v in [*pairs, ("Signature", signature)])

    assert caller.send("GET", query=query).json["AssumedRoleUser"]["Arn"].endswith("/alice")


def quote(text: str) -> str:
    return urllib.parse.quote(text, safe="~")


def sign(secret: str, message: str) -> str:
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), message.encode(), "sha1")).decode()
