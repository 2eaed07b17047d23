"""Presigned URLs of a bucket: several at once are what each would be alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from signer import v1, v4
from signer.credentials import Credentials
from signer.errors import SignerError
from signer.post_form import SignatureVersion
from signer.presign import UrlSigner, cap_lifetime
from signer.profiles import Profile

KEY = "照片/a b+c.jpg"
REQUESTS: list[tuple[list[tuple[str, str]], dict[str, str]]] = [
    ([("partNumber", "1"), ("uploadId", "U/1+=")], {"Content-Length": "5"}),
    ([("partNumber", "10000"), ("uploadId", "U/1+=")], {"Content-Length": "50000000"}),
    ([("zz", ""), ("acl", "")], {"Content-Length": "0", "x-oss-meta-a": " b ", "Content-Type": "image/jpeg"}),
    ([], {"Content-Length": "7"}),
]


@pytest.fixture
def make_signer(
    make_profile: Callable[..., Profile], make_credentials: Callable[..., Credentials], now: datetime
) -> Callable[..., UrlSigner]:
    def make(version: SignatureVersion, **changes: Any) -> UrlSigner:
        return UrlSigner(make_profile().place, version, make_credentials(**changes), now)

    return make


@pytest.mark.parametrize("token", [None, "CAIS+/="])
@pytest.mark.parametrize("version", ["v4", "v1"])
def test_urls_of_a_series_are_those_signed_one_by_one(
    version: SignatureVersion, token: str | None, make_signer: Callable[..., UrlSigner]
) -> None:
    """What their URLs share is made once, and changes none of them."""
    signer = make_signer(version, security_token=token)
    urls = signer.sign_each("PUT", KEY, REQUESTS, expires=60, additional_headers=["Content-Length"])

    assert len(set(urls)) == len(REQUESTS)
    assert urls == [
        signer.sign(
            "PUT", KEY, expires=60, query=query, headers=headers, additional_headers=["content-length"]
        )
        for query, headers in REQUESTS
    ]


@pytest.mark.parametrize("token", [None, "CAIS+/="])
@pytest.mark.parametrize("version", ["v4", "v1"])
@pytest.mark.parametrize(("query", "headers"), REQUESTS, ids=str)
def test_url_holds_the_query_that_is_signed(
    query: list[tuple[str, str]],
    headers: dict[str, str],
    version: SignatureVersion,
    token: str | None,
    make_signer: Callable[..., UrlSigner],
) -> None:
    """The pairs that known answers are held against are those of the URL, in their order."""
    signer = make_signer(version, security_token=token)
    given: dict[str, Any] = {
        "credentials": signer.credentials,
        "now": signer.now,
        "expires": 60,
        "query": query,
        "headers": headers,
    }
    expected = (
        v1.presign_query("PUT", signer.place.bucket, KEY, **given)
        if version == "v1"
        else v4.presign_query(
            "PUT",
            signer.place.bucket,
            KEY,
            region=signer.place.region,
            additional_headers=["content-length", "if-match"],
            **given,
        )
    )
    url = signer.sign(
        "PUT",
        KEY,
        expires=60,
        query=query,
        headers=headers,
        additional_headers=["Content-Length", "If-Match"],
    )

    assert url.startswith(signer.place.build_object_url(KEY) + "?")
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == expected


@pytest.mark.parametrize("version", ["v4", "v1"])
def test_no_url_is_signed_that_has_ended(
    version: SignatureVersion, make_signer: Callable[..., UrlSigner]
) -> None:
    """A lifetime of nothing is a mistake of the caller."""
    with pytest.raises(SignerError, match="presigned URL lives"):
        make_signer(version).sign("PUT", KEY, expires=0)


@pytest.mark.parametrize(
    ("wished", "token", "left", "in_url", "lives"),
    [
        (60, None, None, True, 60),
        (10**9, None, None, True, v4.MAX_EXPIRES),
        (10**9, "token", None, True, v4.MAX_EXPIRES_STS),
        (10**9, None, None, False, 10**9),
        (600, "token", 30, True, 30),
        (600, "token", 30, False, 30),
        (600, "token", -5, True, 1),
        (0, None, None, True, 1),
    ],
)
def test_lifetime_ends_where_oss_ends_it(
    wished: int,
    token: str | None,
    left: int | None,
    in_url: bool,
    lives: int,
    make_credentials: Callable[..., Credentials],
    now: datetime,
) -> None:
    """Seven days, twelve hours with a token, and never after the token itself."""
    ends = None if left is None else now + timedelta(seconds=left)
    credentials = make_credentials(security_token=token, expires_at=ends)

    assert cap_lifetime(wished, credentials, now, in_url=in_url) == lives
