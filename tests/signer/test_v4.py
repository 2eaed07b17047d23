"""Signature version 4 against published signatures of headers, URLs and policies."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer import v4
from signer.credentials import Credentials
from signer.errors import SignerError

known_answers = pytest.mark.known_answers

# Our requests carry the time in x-oss-date; the Android SDK's carry it in Date, which is no signed header.
# For these the canonical request and the signature are checked, the headers that we would send are not.
TIME_IN_DATE_HEADER = {
    "v4h-android-date-header",
    "v4h-android-date-header-sts",
    "v4h-android-date-header-sts-additional",
}


def read_time(written: str) -> datetime:
    return datetime.strptime(written, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def read_credentials(case: dict[str, Any]) -> Credentials:
    return Credentials(**case["credentials"])


def sign_text(credentials: Credentials, case: dict[str, Any], text: str) -> str:
    key = v4.derive_signing_key(
        credentials.access_key_secret, case["time"][:8], case["region"], case["product"]
    )
    return hmac.digest(key, text.encode(), "sha256").hex()


@known_answers("v4-header.json", "cases")
def test_header_signature_equals_known_answer(case: dict[str, Any]) -> None:
    """Canonical request, string to sign and signature of each published header signature come out."""
    request, derived = case["request"], case["derived"]
    canonical = v4.build_canonical_request(
        request["method"],
        request["bucket"],
        request["key"],
        query=[(name, value) for name, value in request["query"]],
        headers=dict(request["headers"]),
        additional_headers=case["additional_headers_requested"],
    )
    scope = v4.build_scope(case["time"], case["region"], case["product"])
    text = v4.build_string_to_sign(canonical, date=case["time"], scope=scope)

    assert canonical == derived["canonical_request"]
    assert text == derived["string_to_sign"]
    assert sign_text(read_credentials(case), case, text) == case["expected"]["signature"]


@known_answers("v4-header.json", "cases")
def test_signed_request_sends_known_authorization(case: dict[str, Any]) -> None:
    """The headers that we send hold the published Authorization, and nothing that was not given or signed."""
    if case["id"] in TIME_IN_DATE_HEADER:
        # Signed by us, the same request has another signature, since x-oss-date is among its headers.
        assert not any(name.lower() == "x-oss-date" for name, _ in case["request"]["headers"])
        return
    request = case["request"]
    headers = v4.sign_request(
        request["method"],
        request["bucket"],
        request["key"],
        credentials=read_credentials(case),
        region=case["region"],
        now=read_time(case["time"]),
        query=[(name, value) for name, value in request["query"]],
        headers=dict(request["headers"]),
        additional_headers=case["additional_headers_requested"],
        product=case["product"],
    )

    assert headers.pop("Authorization") == case["expected"]["authorization"]
    assert headers == {name.lower(): value for name, value in request["headers"]}


@known_answers("v4-presign.json", "cases")
def test_presigned_query_equals_known_answer(case: dict[str, Any]) -> None:
    """The whole query of each published presigned URL comes out in order, the signature last."""
    request = case["request"]
    pairs = v4.presign_query(
        request["method"],
        request["bucket"],
        request["key"],
        credentials=read_credentials(case),
        region=case["region"],
        now=read_time(case["time"]),
        expires=case["expires"],
        query=[(name, value) for name, value in request["query_before_signing"]],
        headers=dict(request["headers"]),
        additional_headers=case["additional_headers_requested"],
        product=case["product"],
    )

    expected = [(name, value) for name, value in case["expected"]["query_without_signature"]]
    assert sorted(pairs[:-1]) == sorted(expected)
    assert pairs[-1] == ("x-oss-signature", case["expected"]["signature"])


@known_answers("post-policy-v4.json", "sdk_header_and_query_vectors")
def test_published_chain_signs_published_request(case: dict[str, Any]) -> None:
    """From the canonical request on, the five vectors beside the POST ones come out, keys included."""
    scope = v4.build_scope(case["x-oss-date"], case["region"])
    text = v4.build_string_to_sign(case["canonical_request"], date=case["x-oss-date"], scope=scope)
    key = v4.derive_signing_key(case["access_key_secret"], case["x-oss-date"][:8], case["region"])

    assert text == case["string_to_sign"]
    assert key.hex() == case.get("signing_key_chain_hex", {"SigningKey": key.hex()})["SigningKey"]
    assert hmac.digest(key, text.encode(), "sha256").hex() == case["signature"]


@known_answers("post-policy-v4.json", "post_vectors")
def test_signing_key_equals_known_chain(case: dict[str, Any]) -> None:
    """The signing key of each POST vector is the end of its published chain."""
    key = v4.derive_signing_key(case["access_key_secret"], case["x-oss-date"][:8], case["region"])

    assert key.hex() == case["signing_key_chain_hex"]["SigningKey"]


@known_answers("v4-documented-example.json", "cases")
def test_documented_example_holds_as_far_as_it_does(case: dict[str, Any]) -> None:
    """The page's canonical request and its published key hold; what it derives from its displayed secret does not."""
    scope = "20250411/cn-hangzhou/oss/aliyun_v4_request"
    if "request" in case:
        request = case["request"]
        canonical = v4.build_canonical_request(
            request["method"],
            request["bucket"],
            request["key"],
            query=request["query"],
            headers=dict(request["headers"]),
            additional_headers=case["additional_headers"],
        )
        assert canonical == case["expected"]["canonical_request"]
        text = v4.build_string_to_sign(canonical, date="20250411T064124Z", scope=scope)
        assert text == case["expected"]["string_to_sign"]
    elif case["verified"]:
        key = bytes.fromhex(case["signing_key_hex"])
        signature = hmac.digest(key, case["string_to_sign"].encode(), "sha256").hex()
        assert signature == case["expected"]["signature"]
    else:
        key = v4.derive_signing_key(case["displayed_secret"], "20250411", "cn-hangzhou")
        assert key.hex() == case["computed"]["signing_key_hex"]
        assert case["computed"]["signature"] != case["published_signature"]


@known_answers("post-policy-v4.json", "published_post_samples_not_verifiable")
def test_unverifiable_samples_are_named_with_their_reason(case: dict[str, Any]) -> None:
    """The page's POST samples print no secret, so there is nothing to check, and the file says why."""
    assert "secret not printed" in case["why"]
    assert len(bytes.fromhex(case["printed_signature"])) == 32


def test_signing_key_is_derived_once_a_day_and_region(
    monkeypatch: pytest.MonkeyPatch, make_credentials: Callable[..., Credentials], now: datetime
) -> None:
    """A hundred policies cost a hundred HMACs and four more; a new day, region or secret costs four again."""
    calls: list[bytes] = []
    real = hmac.digest

    def count(key: bytes, message: bytes, digest: str) -> bytes:
        calls.append(message)
        return real(key, message, digest)

    v4.derive_signing_key.cache_clear()
    monkeypatch.setattr(hmac, "digest", count)

    def sign(day: int = 0, region: str = "cn-hangzhou", **changes: str) -> int:
        before = len(calls)
        date = v4.format_date(now + timedelta(days=day))
        v4.sign_policy("e30=", make_credentials(**changes), date=date, region=region)
        return len(calls) - before

    assert [sign(), *(sign() for _ in range(99))] == [5] + [1] * 99
    assert [sign(day=1), sign(region="cn-beijing"), sign(access_key_secret="other")] == [5, 5, 5]
    assert [sign(), sign(day=1)] == [1, 1]


def test_security_token_is_sent_and_signed(
    make_credentials: Callable[..., Credentials], now: datetime
) -> None:
    """With STS the token is a signed header, and a signed parameter of a URL."""
    common: dict[str, Any] = {"region": "cn-hangzhou", "now": now}
    with_token = make_credentials(security_token="CAIS+/=")
    headers = v4.sign_request("HEAD", "b", "k", credentials=with_token, **common)
    plain = v4.sign_request("HEAD", "b", "k", credentials=make_credentials(), **common)
    query = dict(v4.presign_query("GET", "b", "k", credentials=with_token, expires=60, **common))

    assert headers["x-oss-security-token"] == query["x-oss-security-token"] == "CAIS+/="
    assert headers["Authorization"] != plain["Authorization"]
    assert "x-oss-security-token" not in plain


def test_given_date_header_is_replaced_whatever_its_case(
    make_credentials: Callable[..., Credentials], now: datetime
) -> None:
    """A header that the signature sets goes out once, with the signed value."""
    headers = v4.sign_request(
        "HEAD",
        "b",
        "k",
        credentials=make_credentials(),
        region="cn-hangzhou",
        now=now,
        headers={"X-Oss-Date": "19700101T000000Z"},
    )

    assert [(name, value) for name, value in headers.items() if name.lower() == "x-oss-date"] == [
        ("x-oss-date", "20260102T030405Z")
    ]


@pytest.mark.parametrize(
    ("bucket", "object_key", "path"),
    [
        ("", "", "/"),
        ("b", "", "/b/"),
        ("b", "a/b c+d~e.jpg", "/b/a/b%20c%2Bd~e.jpg"),
        ("b", "图/👩‍👩‍👧.png", "/b/%E5%9B%BE/%F0%9F%91%A9%E2%80%8D%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7.png"),
        ("b", "a/../b?c#d%2F", "/b/a/../b%3Fc%23d%252F"),
    ],
)
def test_canonical_path_is_encoded_but_for_slashes(bucket: str, object_key: str, path: str) -> None:
    """The signed path names the bucket, and escapes all but unreserved characters and slashes."""
    canonical = v4.build_canonical_request("GET", bucket, object_key, query=(), headers={})

    assert canonical.split("\n")[1] == path


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"bucket": "other"},
        {"object_key": "l"},
        {"query": [("acl", "")]},
        {"headers": {"x-oss-meta-a": "1"}},
        {"headers": {"content-type": "text/plain"}},
        {"headers": {"if-match": "x"}, "additional_headers": ["if-match"]},
    ],
    ids=str,
)
def test_signature_differs_when_a_signed_part_does(
    change: dict[str, Any], make_credentials: Callable[..., Credentials], now: datetime
) -> None:
    """Every part of a request that OSS obeys is in the signature."""

    def sign(method: str = "HEAD", bucket: str = "b", object_key: str = "k", **parts: Any) -> str:
        common: dict[str, Any] = {"credentials": make_credentials(), "region": "cn-hangzhou", "now": now}
        return v4.sign_request(method, bucket, object_key, **common, **parts)["Authorization"]

    assert sign(**change) != sign()


def test_presigned_url_is_read_back_as_it_was_signed(
    make_credentials: Callable[..., Credentials], now: datetime
) -> None:
    """A URL reader finds the signed pairs, and the bare name of a parameter without value."""
    pairs = v4.presign_query(
        "GET",
        "b",
        "k",
        credentials=make_credentials(),
        region="cn-hangzhou",
        now=now,
        expires=60,
        query=[("x-oss-process", "image/resize,w_100"), ("acl", "")],
    )
    url = v4.presign_url("https://b.oss-cn-hangzhou.aliyuncs.com/k", pairs)

    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == pairs
    assert "&acl&" in url


@pytest.mark.parametrize(
    ("token", "expires", "allowed"),
    [
        (None, 0, False),
        (None, -1, False),
        (None, 1, True),
        (None, 604800, True),
        (None, 604801, False),
        ("token", 43200, True),
        ("token", 43201, False),
    ],
)
def test_lifetime_outside_what_oss_accepts_is_refused(
    token: str | None,
    expires: int,
    allowed: bool,
    make_credentials: Callable[..., Credentials],
    now: datetime,
) -> None:
    """A URL lives at most seven days, twelve hours when it is signed with STS credentials."""

    def presign() -> None:
        v4.presign_query(
            "GET",
            "b",
            "k",
            credentials=make_credentials(security_token=token),
            region="cn-hangzhou",
            now=now,
            expires=expires,
        )

    if allowed:
        presign()
    else:
        with pytest.raises(SignerError, match="presigned URL lives"):
            presign()


@given(text=st.text(st.characters(codec="utf-8")) | st.text(st.sampled_from("aZ09-_.~/+= %\x00\x7f")))
def test_encoding_is_the_standard_librarys(text: str) -> None:
    """All but unreserved characters, byte for byte, and in keys all but slashes."""
    assert v4.encode_component(text) == quote(text, safe="-_.~")
    assert v4.encode_object_key(text) == quote(text, safe="/-_.~")


@pytest.mark.parametrize("encode", [v4.encode_component, v4.encode_object_key])
def test_half_a_surrogate_pair_cannot_be_encoded(encode: Callable[[str], str]) -> None:
    """It has no bytes, so no URL can name it."""
    with pytest.raises(UnicodeEncodeError):
        encode("a\ud800b")


@given(pairs=st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=6))
def test_canonical_query_is_the_same_in_any_order(pairs: list[tuple[str, str]]) -> None:
    """Parameters are sorted by their encoded name, so the order in which they are given does not matter."""
    pairs = [
        (name.encode(errors="replace").decode(), value.encode(errors="replace").decode())
        for name, value in pairs
    ]

    assert v4.build_canonical_query(pairs) == v4.build_canonical_query(reversed(pairs))
    assert v4.build_canonical_query(pairs).isascii()
