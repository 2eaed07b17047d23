"""Signature version 4 of headers and URLs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ossgate.emulator import Credentials, auth_v4
from ossgate.emulator.credentials import CredentialSet
from ossgate.emulator.errors import OssError
from ossgate.emulator.request_body import SocketBody
from ossgate.emulator.requests import Request


def make_request(case: dict[str, Any], query: list[Any], headers: list[Any]) -> Request:
    return Request(
        method=case["request"]["method"],
        raw_path="/",
        query=tuple((name, value or "") for name, value in query),
        headers={name.lower(): value for name, value in headers},
        host="bucket.example.com",
        bucket=case["request"]["bucket"] or "",
        object_key=case["request"]["key"] or "",
        remote_addr="127.0.0.1",
        request_id="0",
        body=SocketBody(None, 0),
    )


def make_credentials(case: dict[str, Any]) -> CredentialSet:
    given = case["credentials"]
    token = given["security_token"] or ""
    return CredentialSet([Credentials(given["access_key_id"], given["access_key_secret"], token)])


def list_cases(document: dict[str, Any]) -> list[dict[str, Any]]:
    # Cloud boxes sign for another product, which this service refuses.
    return [case for case in document["cases"] if case["product"] == "oss"]


def test_header_vectors_hold(vectors: Callable[[str], Any]) -> None:
    """Every published header signature is accepted by the checker, and refused with one byte changed."""
    for case in list_cases(vectors("v4-header.json")):
        now = datetime.strptime(case["time"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        headers = case["request"]["headers"]
        for right in (case["expected"]["authorization"], case["expected"]["authorization"][:-1] + "~"):
            request = make_request(case, case["request"]["query"], [*headers, ["authorization", right]])
            credentials = make_credentials(case)
            if not right.endswith("~"):
                auth_v4.check_header(request, credentials, region=case["region"], now=now)
                continue
            with pytest.raises(OssError, match="SignatureDoesNotMatch"):
                auth_v4.check_header(request, credentials, region=case["region"], now=now)


def test_query_vectors_hold(vectors: Callable[[str], Any]) -> None:
    """Every published URL signature is accepted by the checker, and refused with one byte changed."""
    for case in list_cases(vectors("v4-presign.json")):
        now = datetime.strptime(case["time"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        signature = case["expected"]["signature"]
        query = case["expected"]["query_without_signature"]
        headers = case["request"]["headers"]
        right = make_request(case, [*query, ["x-oss-signature", signature]], headers)
        wrong = make_request(case, [*query, ["x-oss-signature", signature[:-1] + "~"]], headers)

        auth_v4.check_query(right, make_credentials(case), region=case["region"], now=now)
        with pytest.raises(OssError, match="SignatureDoesNotMatch"):
            auth_v4.check_query(wrong, make_credentials(case), region=case["region"], now=now)


def test_header_signature_is_accepted(client: Any) -> None:
    """A HEAD signed in its headers is answered."""
    client.post(client.make_fields(key="图 a+b.txt"))
    headers = client.make_headers_v4("HEAD", "图 a+b.txt")

    answer = client.request("HEAD", "/test-bucket/%E5%9B%BE%20a%2Bb.txt", headers=headers)
    assert answer.status == 200


def test_header_stamp_in_date_is_accepted(client: Any) -> None:
    """Some SDKs send the stamp in Date alone."""
    client.post()
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    scope = f"{stamp[:8]}/cn-hangzhou/oss/aliyun_v4_request"
    signed = {"x-oss-content-sha256": "UNSIGNED-PAYLOAD"}
    text = client._string_to_sign("GET", "a.txt", {}, signed, "", stamp, scope)
    signature = client.sign_v4(text, stamp[:8])
    # The order of the members is free, and blanks may follow the commas.
    authorization = f"OSS4-HMAC-SHA256 Signature={signature}, Credential={client.access_key_id}/{scope}"
    answer = client.request(
        "GET", "/test-bucket/a.txt", headers={**signed, "Date": stamp, "Authorization": authorization}
    )

    assert answer.body == b"hello"


def test_url_is_accepted_with_its_headers(client: Any) -> None:
    """Additional headers are part of the signature; Host may be signed with or without its port."""
    client.post()
    port = client.emulator.port
    for host in (f"127.0.0.1:{port}", "127.0.0.1"):
        target = client.presign(
            "GET", "a.txt", additional="host;x-extra", headers={"host": host, "x-extra": "1"}
        )

        assert client.request("GET", target, headers={"X-Extra": "1"}).status == 200
        assert client.request("GET", target, headers={"X-Extra": "2"}).status == 403
        assert client.request("GET", target).status == 403


def test_unsigned_oss_header_is_refused(client: Any) -> None:
    """An x-oss header that was not there when the URL was signed breaks the signature."""
    client.post()
    target = client.presign("GET", "a.txt")

    assert client.request("GET", target, headers={"x-oss-meta-a": "1"}).status == 403


def test_signature_is_checked(client: Any) -> None:
    """A changed digit is refused, and the answer shows the canonical request."""
    target = client.presign("GET", "a.txt")
    last = "0" if target[-1] != "0" else "1"
    answer = client.request("GET", target[:-1] + last)

    assert answer.error[:2] == (403, "SignatureDoesNotMatch")
    assert answer.xml["CanonicalRequest"].startswith("GET\n/test-bucket/a.txt\nx-oss-credential=")
    assert answer.xml["StringToSign"].startswith("OSS4-HMAC-SHA256\n")


@pytest.mark.parametrize(
    ("ago", "expires", "expected"),
    [
        (0, 604_801, (400, "InvalidArgument", "0002-00000232")),
        (0, 0, (400, "InvalidArgument", "0002-00000232")),
        (61, 60, (403, "AccessDenied", "0002-00000236")),
        (-901, 60, (403, "RequestTimeTooSkewed", "0002-00000504")),
    ],
)
def test_url_window(client: Any, ago: int, expires: int, expected: tuple[int, str, str]) -> None:
    """A URL lives from 15 minutes before its date until its expiry, seven days at most."""
    now = datetime.now(UTC) - timedelta(seconds=ago)
    status, code, _, ec = client.request(
        "GET", client.presign("GET", "a.txt", now=now, expires=expires)
    ).error

    assert expected == (status, code, ec)


def test_url_may_be_dated_a_little_ahead(client: Any) -> None:
    """Clocks may differ by up to 15 minutes."""
    client.post()
    now = datetime.now(UTC) + timedelta(minutes=14)

    assert client.request("GET", client.presign("GET", "a.txt", now=now)).status == 200


def test_header_date_too_far_off(client: Any) -> None:
    """A header signature lives 15 minutes."""
    headers = client.make_headers_v4("GET", "a.txt", now=datetime.now(UTC) - timedelta(minutes=16))
    answer = client.request("GET", "/test-bucket/a.txt", headers=headers)

    assert answer.error[:2] == (403, "RequestTimeTooSkewed")


DAY = f"{datetime.now(UTC):%Y%m%d}"
STAMP = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
SCOPE = f"{DAY}/cn-hangzhou/oss/aliyun_v4_request"
AUTHORIZATION = f"OSS4-HMAC-SHA256 Credential=test-key-id/{SCOPE},Signature=00"

REFUSED_HEADERS = [
    ({"Authorization": "OSS4-HMAC-SHA256 nothing"}, "0002-00000202"),
    ({"Authorization": AUTHORIZATION + ",More=1"}, "0002-00000202"),
    ({"Authorization": AUTHORIZATION + ",AdditionalHeaders="}, "0002-00000209"),
    ({"Authorization": AUTHORIZATION + ",AdditionalHeaders=a;;b"}, "0002-00000210"),
    ({"Authorization": AUTHORIZATION.replace(DAY, "today")}, "0002-00000212"),
    ({"Authorization": AUTHORIZATION, "x-oss-content-sha256": "abc"}, "0002-00000214"),
    ({"Authorization": AUTHORIZATION.replace("hangzhou", "beijing")}, "0002-00000226"),
    ({"Authorization": AUTHORIZATION.replace("/oss/", "/s3/")}, "0002-00000227"),
    ({"Authorization": AUTHORIZATION, "x-oss-date": "20200101T000000Z"}, "0002-00000212"),
]


@pytest.mark.parametrize(("headers", "ec"), REFUSED_HEADERS)
def test_header_refused(client: Any, headers: dict[str, str], ec: str) -> None:
    """What is wrong with a header signature is told by its EC code."""
    complete = {"x-oss-content-sha256": "UNSIGNED-PAYLOAD", "x-oss-date": STAMP, **headers}
    answer = client.request("GET", "/test-bucket/a.txt", headers=complete)

    assert (400, "InvalidArgument", ec) == (answer.error[0], answer.error[1], answer.error[3])


QUERY = {
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
    "x-oss-credential": f"test-key-id/{SCOPE}",
    "x-oss-date": STAMP,
    # Longer than the whole test run: the stamp is that of the import.
    "x-oss-expires": "86400",
    "x-oss-signature": "00",
}
REFUSED_QUERIES = [
    ({"x-oss-credential": "nobody"}, (400, "InvalidArgument", "0002-00000223")),
    (
        {"x-oss-credential": f"test-key-id/{SCOPE}".replace("hangzhou", "beijing")},
        (400, "InvalidArgument", ""),
    ),
    ({"x-oss-credential": f"nobody/{SCOPE}"}, (403, "InvalidAccessKeyId", "0002-00000902")),
    ({"x-oss-date": "now"}, (403, "AccessDenied", "0002-00000502")),
    ({"x-oss-date": ""}, (403, "AccessDenied", "0002-00000502")),
    ({"x-oss-expires": "soon"}, (400, "InvalidArgument", "0002-00000232")),
    ({"x-oss-expires": None}, (400, "InvalidArgument", "0002-00000215")),
    ({"x-oss-date": None}, (403, "AccessDenied", "0002-00000503")),
    ({"x-oss-security-token": "what"}, (403, "InvalidSecurityToken", "0002-00000006")),
    ({"x-oss-additional-headers": "a;;b"}, (400, "InvalidArgument", "0002-00000210")),
]


@pytest.mark.parametrize(("changes", "expected"), REFUSED_QUERIES)
def test_url_refused(client: Any, changes: dict[str, str | None], expected: tuple[int, str, str]) -> None:
    """What is wrong with a signed URL is told by its EC code."""
    parameters = {name: value for name, value in {**QUERY, **changes}.items() if value is not None}
    query = "&".join(f"{name}={value.replace('/', '%2F')}" for name, value in parameters.items())
    status, code, _, ec = client.request("GET", f"/test-bucket/a.txt?{query}").error

    assert expected == (status, code, ec)


def test_temporary_key_needs_its_token(client: Any) -> None:
    """An STS key is accepted with its own token, in the URL, for at most twelve hours."""
    client.post()
    client.access_key_id, client.access_key_secret = "STS.test-key-id", "sts-secret"
    missing = client.request("GET", client.presign("GET", "a.txt"))
    foreign = client.request("GET", client.presign("GET", "a.txt", token="other"))
    long = client.request("GET", client.presign("GET", "a.txt", token="sts-token", expires=43_201))
    twice = client.request(
        "GET",
        client.presign("GET", "a.txt", token="sts-token"),
        headers={"x-oss-security-token": "sts-token"},
    )

    assert client.request("GET", client.presign("GET", "a.txt", token="sts-token")).status == 200
    assert missing.error[1::2] == ("InvalidAccessKeyId", "0002-00000003")
    assert foreign.error[1::2] == ("InvalidSecurityToken", "0002-00000006")
    assert long.error[1::2] == ("InvalidArgument", "0002-00000232")
    assert twice.error[1::2] == ("InvalidArgument", "0002-00000010")


def test_listed_header_must_be_there(client: Any) -> None:
    """A header that was listed as signed and is not sent breaks the signature, even if it was signed as absent."""
    target = client.presign("GET", "a.txt", additional="x-extra")

    assert client.request("GET", target).error[1] == "SignatureDoesNotMatch"


def test_url_of_another_day_than_its_scope(client: Any) -> None:
    """The day of the credential and of the date are one, even where the signature fits."""
    now = datetime.now(UTC)
    yesterday = f"{now - timedelta(days=1):%Y%m%d}"
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    scope = f"{yesterday}/cn-hangzhou/oss/aliyun_v4_request"
    query = {**QUERY, "x-oss-credential": f"test-key-id/{scope}", "x-oss-date": stamp}
    del query["x-oss-signature"]
    text = client._string_to_sign("GET", "a.txt", query, {}, "", stamp, scope)
    query["x-oss-signature"] = client.sign_v4(text, yesterday)
    target = "&".join(f"{name}={value.replace('/', '%2F')}" for name, value in query.items())

    assert client.request("GET", f"/test-bucket/a.txt?{target}").error[3] == "0002-00000223"


def test_header_and_query_of_one_name_must_agree(client: Any) -> None:
    """A header that contradicts the signed URL is an error of its own."""
    target = client.presign("GET", "a.txt", headers={"x-oss-expires": "30"})
    answer = client.request("GET", target, headers={"x-oss-expires": "30"})

    assert (400, "InvalidArgument") == answer.error[:2]
    assert "have different values" in answer.error[2]
