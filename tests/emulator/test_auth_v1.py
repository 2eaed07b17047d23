"""Signature version 1 of headers and URLs."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from ossgate.emulator import auth_v1


def sign(client: Any, message: str) -> str:
    digest = hmac.new(client.access_key_secret.encode(), message.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def make_headers(client: Any, method: str = "HEAD", key: str = "a.txt", ago: float = 0) -> dict[str, str]:
    date = format_datetime(datetime.now(UTC) - timedelta(seconds=ago), usegmt=True)
    signature = sign(client, f"{method}\n\n\n{date}\n/{client.bucket}/{key}")
    return {"Date": date, "Authorization": f"OSS {client.access_key_id}:{signature}"}


def make_query(client: Any, key: str = "a.txt", *, expires: str | None = None, extra: str = "") -> str:
    expires = expires or str(int(datetime.now(UTC).timestamp()) + 60)
    resource = f"/{client.bucket}/{key}" + (f"?{extra}" if extra else "")
    signature = sign(client, f"GET\n\n\n{expires}\n{resource}")
    signature = signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    query = f"OSSAccessKeyId={client.access_key_id}&Expires={expires}&Signature={signature}"
    return f"/{client.bucket}/{key}?{query}" + (f"&{extra}" if extra else "")


def build(case: dict[str, Any]) -> str:
    request = case["request"]
    return auth_v1.build_string_to_sign(
        method=request["method"],
        bucket=request["bucket"] or "",
        object_key=request["key"] or "",
        query=[(name, value or "") for name, value in request.get("query", [])],
        headers={name.lower(): value for name, value in request["headers"]},
        date=case["date_or_expires"],
    )


def test_vectors_hold(vectors: Callable[[str], Any]) -> None:
    """Every published signature comes out, and a changed byte gives another one."""
    for case in vectors("v1.json")["cases"]:
        text = build(case)
        secret = case["credentials"]["access_key_secret"]

        assert case["expected"]["string_to_sign"] == text, case["id"]
        assert case["expected"]["signature"] == auth_v1.compute_signature(secret, text)
        assert case["expected"]["signature"] != auth_v1.compute_signature(secret, text[:-1] + "~")


def test_header_signature_is_accepted(client: Any) -> None:
    """A HEAD signed in its header is answered."""
    client.post()

    assert client.request("HEAD", "/test-bucket/a.txt", headers=make_headers(client)).status == 200


def test_url_signature_is_accepted(client: Any) -> None:
    """A signed URL is answered, and its response-* parameters are part of what is signed."""
    client.post()
    plain = client.request("GET", make_query(client))
    named = client.request("GET", make_query(client, extra="response-content-type=text/html"))

    assert (plain.status, plain.body) == (200, b"hello")
    assert named.headers["Content-Type"] == "text/html"


def test_callback_parameters_are_signed() -> None:
    """The callback's two parameters belong to the canonical resource."""
    assert {"callback", "callback-var"} <= auth_v1.SIGNED_PARAMETERS


@pytest.mark.parametrize("ago", [-901, 901])
def test_header_date_too_far_off(client: Any, ago: float) -> None:
    """A date more than 15 minutes off is refused, and the answer carries the server's time."""
    answer = client.request("GET", "/test-bucket/a.txt", headers=make_headers(client, "GET", ago=ago))

    message = "The difference between the request time and the current time is too large."
    assert (403, "RequestTimeTooSkewed", message, "0002-00000504") == answer.error
    assert answer.xml["ServerTime"].endswith(".000Z")
    assert answer.xml["MaxAllowedSkewMilliseconds"] == "900000"


def test_mismatch_tells_what_was_signed(client: Any) -> None:
    """A wrong signature is answered with the string that was signed here."""
    headers = make_headers(client, "GET", "other.txt")
    answer = client.request("GET", "/test-bucket/a.txt", headers=headers)

    assert answer.error[:2] == (403, "SignatureDoesNotMatch")
    assert answer.error[3] == "0002-00000040"
    assert f"GET\n\n\n{headers['Date']}\n/test-bucket/a.txt" == answer.xml["StringToSign"]


REFUSED_HEADERS = [
    ({"Authorization": "OSS nothing"}, (400, "InvalidArgument", "0002-00000202")),
    ({"Authorization": "Bearer x"}, (400, "InvalidArgument", "0002-00000202")),
    ({"Authorization": "OSS a:b", "Date": "yesterday"}, (403, "AccessDenied", "0002-00000502")),
    ({"Authorization": "OSS a:b"}, (403, "AccessDenied", "0002-00000503")),
]


@pytest.mark.parametrize(("headers", "expected"), REFUSED_HEADERS)
def test_header_refused(client: Any, headers: dict[str, str], expected: tuple[int, str, str]) -> None:
    """Malformed headers and dates are told apart."""
    status, code, _, ec = client.request("GET", "/test-bucket/a.txt", headers=headers).error

    assert expected == (status, code, ec)


def test_unknown_key_refused(client: Any) -> None:
    """A key that nobody knows is named in the answer."""
    headers = make_headers(client, "GET")
    headers["Authorization"] = headers["Authorization"].replace(client.access_key_id, "nobody")
    answer = client.request("GET", "/test-bucket/a.txt", headers=headers)

    message = "The OSS Access Key Id you provided does not exist in our records."
    assert (403, "InvalidAccessKeyId", message, "0002-00000902") == answer.error
    assert answer.xml["OSSAccessKeyId"] == "nobody"


REFUSED_URLS = [
    ("OSSAccessKeyId=x&Signature=y", "0002-00000067"),
    ("OSSAccessKeyId=x&Signature=y&Expires=", "0002-00000068"),
    ("OSSAccessKeyId=x&Signature=y&Expires=soon", "0002-00000070"),
    ("OSSAccessKeyId=x&Signature=y&Expires=1", "0002-00000069"),
    ("OSSAccessKeyId=x&Expires=99999999999", ""),
]


@pytest.mark.parametrize(("query", "ec"), REFUSED_URLS)
def test_url_refused(client: Any, query: str, ec: str) -> None:
    """Missing, blank, malformed and passed expiries each have their code."""
    answer = client.request("GET", f"/test-bucket/a.txt?{query}")

    assert (403, "AccessDenied", ec) == (answer.error[0], answer.error[1], answer.error[3])


def test_header_and_url_signature_together_refused(client: Any) -> None:
    """A request with two signatures is refused whatever they say."""
    answer = client.request("GET", make_query(client), headers=make_headers(client, "GET"))

    assert answer.error[:2] == (400, "InvalidArgument")
