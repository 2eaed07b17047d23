"""Grants of one presigned PUT: what is signed, what is sent, and what the official SDK makes of the same request."""

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from alibabacloud_oss_v2.credentials import Credentials as SdkCredentials
from alibabacloud_oss_v2.signer.v1 import SignerV1
from alibabacloud_oss_v2.signer.v4 import SignerV4
from alibabacloud_oss_v2.types import HttpRequest, SigningContext

from signer.errors import ContentTypeNotAllowed, SizeMissing, SizeOverLimit, ViaNotAllowed
from signer.grants import GrantIssuer, GrantRequest
from signer.profiles import Profile
from signer.put_grants import CALLBACK_HEADER, PutGrant
from signer.seal import METADATA_NAME, SealKeys
from signer.ticket import TicketKeys

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WHOLE_SIGNED = "content-disposition;content-length"
MakePut = Callable[..., PutGrant]


@pytest.fixture
def make_put(
    make_issuer: Callable[..., GrantIssuer],
    make_profile: Callable[..., Profile],
    make_grant_request: Callable[..., GrantRequest],
) -> MakePut:
    """Issue a grant of a PUT; keywords change the request, `profile` and `issuer` the rest."""

    def make(
        *, profile: dict[str, Any] | None = None, issuer: dict[str, Any] | None = None, **request: Any
    ) -> PutGrant:
        return make_issuer(**(issuer or {})).issue_put(
            make_profile(**(profile or {})),
            make_grant_request(**request),
            issuer="anonymous",
            subject="anonymous",
            now=NOW,
        )

    return make


@pytest.mark.parametrize("version", ["v4", "v1"])
def test_days_to_keep_are_signed_as_a_tag(make_put: MakePut, version: str) -> None:
    """A lifecycle rule finds the object by it; profiles that keep objects for ever send none."""
    grant = make_put(profile={"keep_days": 30, "signature": version})

    assert grant.headers["x-oss-tagging"] == "ossgate-keep-days=30"
    name = "x-oss-signature" if version == "v4" else "Signature"
    assert sign_by_sdk(grant, version, {}) == read_query(grant.url)[name]
    assert "x-oss-tagging" not in make_put(profile={"signature": version}).headers


def read_query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def read_callback(encoded: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(b64decode(encoded))
    return decoded


def sign_by_sdk(grant: PutGrant, version: str, credentials: dict[str, str], **sent: str) -> str:
    """Return what the official SDK signs for the request that the grant describes; `sent` changes its headers."""
    query = read_query(grant.url)
    own = ("x-oss-", "OSSAccessKeyId", "Expires", "Signature", "security-token")
    bare = grant.url.partition("?")[0]
    kept = "&".join(pair for pair in urlsplit(grant.url).query.split("&") if not pair.startswith(own))
    headers = grant.headers | {"Content-Length": str(grant.facts.size_max)} | sent
    context = SigningContext(
        product="oss",
        region="cn-hangzhou",
        bucket="examplebucket",
        key=grant.facts.object_key,
        request=HttpRequest("PUT", f"{bare}?{kept}" if kept else bare, headers=dict(headers)),
        credentials=SdkCredentials("AKIDEXAMPLE", "example-secret-not-real", credentials.get("token")),
        signing_time=NOW,
        additional_headers=set(WHOLE_SIGNED.split(";")),
    )
    context.auth_method_query = True
    context.expiration_time = grant.expires_at
    context.sub_resource = ["callback"]
    (SignerV4() if version == "v4" else SignerV1()).sign(context)
    assert context.request is not None
    assert set(query) == set(read_query(context.request.url))
    return read_query(context.request.url)["x-oss-signature" if version == "v4" else "Signature"]


@pytest.mark.parametrize("place", ["header", "query"])
@pytest.mark.parametrize("token", [None, "a+token/of=STS"])
@pytest.mark.parametrize("version", ["v4", "v1"])
def test_signature_is_that_of_the_official_sdk(
    make_put: MakePut, version: str, place: str, token: str | None
) -> None:
    """The official SDK, given the URL and the headers to be sent, signs the same; a header more or less, and it differs."""
    grant = make_put(
        profile={"signature": version, "put_callback": place},
        issuer={"credentials": {"security_token": token}},
        filename="照片 1.jpg",
    )
    name = "x-oss-signature" if version == "v4" else "Signature"
    theirs = {"token": token} if token else {}

    assert sign_by_sdk(grant, version, theirs) == read_query(grant.url)[name]
    for change in (
        {"Content-Type": "text/html"},
        {"x-oss-object-acl": "public-read"},
        {"x-oss-tagging": "a"},
    ):
        assert sign_by_sdk(grant, version, theirs, **change) != read_query(grant.url)[name]


def test_grant_has_the_documented_shape(make_put: MakePut) -> None:
    """Exactly the headers that must be sent; the length, which goes by itself, stands beside them."""
    shown = make_put().to_json()

    assert list(shown) == [
        "upload_id", "method", "url", "headers", "content_length", "object_key", "expires_at", "profile",
    ]  # fmt: skip
    assert list(shown["headers"]) == [
        "Content-Type", "Content-Disposition", "x-oss-forbid-overwrite", "x-oss-object-acl",
        "x-oss-storage-class", METADATA_NAME, CALLBACK_HEADER,
    ]  # fmt: skip
    assert shown | {"url": "", "headers": {}} == {
        "upload_id": "01KDYBB5M8000000000000TEST",
        "method": "PUT",
        "url": "",
        "headers": {},
        "content_length": 1234,
        "object_key": "photos/anonymous/2026-01-02/01KDYBB5M8000000000000TEST.jpg",
        "expires_at": "2026-01-02T03:11:45Z",
        "profile": "photo",
    }


def test_v4_signs_length_and_disposition_besides(make_put: MakePut) -> None:
    """Both are additional headers of the signature, so that neither can be changed."""
    grant = make_put()

    assert read_query(grant.url)["x-oss-additional-headers"] == WHOLE_SIGNED
    for change in ({"Content-Length": "1235"}, {"Content-Disposition": "inline"}):
        assert sign_by_sdk(grant, "v4", {}, **change) != read_query(grant.url)["x-oss-signature"]


def test_v1_leaves_length_and_disposition_open(make_put: MakePut) -> None:
    """V1 can sign neither; the callback's layers judge the size then."""
    grant = make_put(profile={"signature": "v1"})

    for change in ({"Content-Length": "1235"}, {"Content-Disposition": "inline"}):
        assert sign_by_sdk(grant, "v1", {}, **change) == read_query(grant.url)["Signature"]


def test_callback_carries_the_grants_ticket(make_put: MakePut, ticket_keys: TicketKeys) -> None:
    """The callback tells OSS whom to call, and its ticket proves this grant, way and all."""
    grant = make_put()
    body = read_callback(grant.headers[CALLBACK_HEADER])["callbackBody"]
    ticket = body.rpartition('"ticket":"')[2].rstrip('"}')

    assert ticket_keys.verify_ticket(ticket) == grant.facts
    assert (grant.facts.via, grant.facts.size_min, grant.facts.size_max) == ("put", 1234, 1234)


def test_callback_in_the_query_needs_no_header(make_put: MakePut) -> None:
    """By the profile's choice the callback travels in the URL; both at once would be refused by OSS."""
    grant = make_put(profile={"put_callback": "query"})

    assert CALLBACK_HEADER not in grant.headers
    assert "callbackUrl" in read_callback(read_query(grant.url)["callback"])


def test_seal_opens_to_the_grants_facts(make_put: MakePut, seal_keys: SealKeys) -> None:
    """The object's own metadata proves the same."""
    grant = make_put()

    assert seal_keys.open_seal(grant.headers[METADATA_NAME]) == grant.facts


@pytest.mark.parametrize("size", [None, 5 * 1024**3 + 1, 2000])
def test_put_demands_a_size_within_limits(make_put: MakePut, size: int | None) -> None:
    """A PUT cannot carry a range: no size is refused, and so is one above the profile's or OSS's limit."""
    limit = 1999 if size == 2000 else 10 * 1024**3
    with pytest.raises(SizeMissing if size is None else SizeOverLimit) as refusal:
        make_put(size=size, profile={"max_size": limit})

    assert refusal.value.code == ("size_missing" if size is None else "size_over_limit")
    assert ("in parts" in refusal.value.hint) == (limit > 5 * 1024**3 and size is not None)


def test_put_of_nothing_is_signed_with_length_zero(make_put: MakePut) -> None:
    """An empty file is a size, too, where the profile takes it."""
    grant = make_put(size=0, profile={"min_size": 0})

    assert grant.to_json()["content_length"] == 0


def test_profile_without_put_refuses_it(make_put: MakePut) -> None:
    """A profile says which ways it takes."""
    with pytest.raises(ViaNotAllowed) as refusal:
        make_put(profile={"via": ("post",)})

    assert (refusal.value.code, refusal.value.hint) == ("via_not_allowed", "it takes post")


def test_put_checks_the_content_type(make_put: MakePut) -> None:
    """The profile's list holds for every way."""
    with pytest.raises(ContentTypeNotAllowed):
        make_put(profile={"content_types": ("image/png",)})


@pytest.mark.parametrize(
    ("profile", "credentials", "seconds"),
    [
        ({"expires_in": 604800}, {}, 604800),
        ({"expires_in": 604800}, {"security_token": "t"}, 43200),
        ({"expires_in": 60}, {"security_token": "t"}, 60),
        ({"expires_in": 600}, {"security_token": "t", "expires_at": NOW + timedelta(seconds=90)}, 90),
        ({"expires_in": 600}, {"security_token": "t", "expires_at": NOW - timedelta(seconds=90)}, 1),
        ({"expires_in": 604800, "signature": "v1"}, {"security_token": "t"}, 43200),
    ],
)
def test_lifetime_is_what_oss_honours(
    make_put: MakePut, profile: dict[str, Any], credentials: dict[str, Any], seconds: int
) -> None:
    """Seven days, twelve hours with a token, and never longer than the token itself; the ticket says the same."""
    grant = make_put(profile=profile, issuer={"credentials": credentials})
    query = read_query(grant.url)
    signed = (
        int(query["Expires"]) - int(NOW.timestamp()) if "Expires" in query else int(query["x-oss-expires"])
    )

    assert (signed, grant.facts.expires_at - grant.facts.issued_at) == (seconds, seconds)
    assert grant.expires_at == NOW + timedelta(seconds=seconds)


def test_policy_of_a_form_ends_with_its_token(make_grant: Callable[..., Any]) -> None:
    """A form signed with a token that ends soon says so, instead of failing at its end."""
    ends = {"security_token": "t", "expires_at": NOW + timedelta(seconds=90)}
    grant = make_grant(issuer={"credentials": ends})

    assert grant.expires_at == grant.facts.expires == NOW + timedelta(seconds=90)


def test_grant_never_shows_its_secrets(make_put: MakePut) -> None:
    """What lands in a log by accident holds no signature, callback or seal."""
    grant = make_put()

    for secret in (grant.url, grant.headers[CALLBACK_HEADER], grant.headers[METADATA_NAME]):
        assert secret not in repr(grant)
