"""Any request is somebody's, nobody's, or refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.emulator import Credentials
from ossgate.emulator.authenticator import Authenticator
from ossgate.emulator.credentials import CredentialSet
from ossgate.emulator.errors import OssError, render_error
from ossgate.emulator.request_body import SocketBody
from ossgate.emulator.requests import Request

NOW = datetime(2030, 1, 1, tzinfo=UTC)
AUTHENTICATOR = Authenticator(CredentialSet([Credentials("id", "secret")]), "cn-hangzhou", lambda: NOW)
SCOPE = "id/20300101/cn-hangzhou/oss/aliyun_v4_request"

words = st.sampled_from(
    [
        "",
        "id",
        SCOPE,
        f"OSS4-HMAC-SHA256 Credential={SCOPE},Signature=00",
        f"OSS4-HMAC-SHA256 Credential={SCOPE},Signature=00,AdditionalHeaders=a",
        "OSS4-HMAC-SHA256",
        "OSS id:sig",
        "UNSIGNED-PAYLOAD",
        "20300101T000000Z",
        "00010101T000000Z",
        "99991231T235959Z",
        "Tue, 01 Jan 2030 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "60",
        "9" * 30,
        "²",
        "\ud800",
    ]
)
values = words | st.text()
headers = st.dictionaries(
    st.sampled_from(["authorization", "date", "x-oss-date", "x-oss-content-sha256", "x-oss-security-token"]),
    values,
)
names = [
    "x-oss-signature",
    "x-oss-signature-version",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-additional-headers",
    "x-oss-security-token",
    "Signature",
    "OSSAccessKeyId",
    "Expires",
    "security-token",
]
queries = st.lists(st.tuples(st.sampled_from(names) | st.text(), values))


@given(headers, queries)
def test_garbage_ends_in_our_errors(given_headers: dict[str, str], query: list[tuple[str, str]]) -> None:
    """Whatever headers and parameters come, only refusals come out, and they can be written down."""
    request = Request(
        "GET", "/", tuple(query), given_headers, "h", "b", "k", "127.0.0.1", "0", SocketBody(None, 0)
    )
    refused, caller = None, None
    try:
        caller = AUTHENTICATOR.authenticate(request)
    except OssError as error:
        refused = error

    # Nobody signs by chance.
    assert caller is None
    assert refused is None or render_error(refused, request_id="0", host_id="h").startswith(b"<?xml")


ODD_DATES = [
    ({"authorization": "OSS id:sig", "date": "Fri, 31 Dec 9999 23:59:59 -2359"}, [], "0002-00000502"),
    (
        {},
        [
            ("x-oss-signature", "00"),
            ("x-oss-credential", SCOPE.replace("20300101", "00010101")),
            ("x-oss-date", "00010101T000000Z"),
            ("x-oss-expires", "60"),
        ],
        "0002-00000236",
    ),
]


@pytest.mark.parametrize(("odd_headers", "query", "ec"), ODD_DATES)
def test_dates_at_the_ends_of_time(
    odd_headers: dict[str, str], query: list[tuple[str, str]], ec: str
) -> None:
    """The first and the last year overflow nothing."""
    request = Request(
        "GET", "/", tuple(query), odd_headers, "h", "b", "k", "127.0.0.1", "0", SocketBody(None, 0)
    )
    with pytest.raises(OssError) as caught:
        AUTHENTICATOR.authenticate(request)

    assert caught.value.kind.ec == ec
