"""The bucket client against a scripted server: only OSS's own 404 means absent."""

from base64 import b64encode
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug import Response

from ossgate.bucket import BucketClient, BucketUnavailable
from signer import v4
from signer.credentials import Credentials
from signer.places import BucketPlace
from signer.seal import METADATA_NAME

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CREDENTIALS = Credentials("id", "secret", "token")
OSS = {"x-oss-request-id": "5C06A3B67B8B5A3DA422299D"}
FOUND = OSS | {
    "Content-Length": "5", "ETag": '"ab12"', "Content-Type": "image/jpeg",
    METADATA_NAME: "seal", "x-oss-hash-crc64ecma": "77", "x-oss-object-type": "Symlink",
}  # fmt: skip


@pytest.fixture
def client():
    made = BucketClient(lambda: CREDENTIALS, now=lambda: NOW)
    yield made
    made.close()


def answer(httpserver, status, headers):
    httpserver.expect_request("/examplebucket/a/b c.jpg", method="HEAD").respond_with_response(
        Response(status=status, headers=headers)
    )


def test_head_object_reads_the_objects_facts(httpserver, place, client):
    """Size, ETag in upper case, type, seal, CRC and whether it is a link come from the headers."""
    answer(httpserver, 200, FOUND)

    found = client.head_object(place, "a/b c.jpg", seconds=2)

    assert (5, "AB12", "image/jpeg", "seal", "77", "Symlink") == (
        found.size, found.etag, found.content_type, found.seal, found.crc64, found.object_type,
    )  # fmt: skip


def test_head_object_signs_the_bucket_and_key(httpserver, place, client):
    """The request carries a V4 signature of /bucket/key and the security token."""
    answer(httpserver, 200, FOUND)
    client.head_object(place, "a/b c.jpg", seconds=2)
    sent = httpserver.log[0][0].headers

    expected = v4.sign_request(
        "HEAD", "examplebucket", "a/b c.jpg", credentials=CREDENTIALS, region="cn-hangzhou", now=NOW
    )
    assert expected["Authorization"] == sent["Authorization"]
    assert "token" == sent["x-oss-security-token"]


def test_head_object_tells_absent_by_a_404_of_oss(httpserver, place, client):
    """OSS's 404 means absent."""
    answer(httpserver, 404, OSS)

    assert client.head_object(place, "a/b c.jpg", seconds=2) is None


NO_BUCKET = b64encode(b"<Error><Code>NoSuchBucket</Code></Error>").decode()


def test_head_object_tells_absent_by_an_error_header_of_oss(httpserver, place, client):
    """What OSS says of a missing key in its headers is still a missing key."""
    missing = b64encode(b"<Error><Code>NoSuchKey</Code></Error>").decode()
    answer(httpserver, 404, OSS | {"x-oss-ec": "0026-00000001", "x-oss-err": missing})

    assert client.head_object(place, "a/b c.jpg", seconds=2) is None


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (404, {}),
        (404, OSS | {"x-oss-ec": "0015-00000101"}),
        (404, OSS | {"x-oss-err": NO_BUCKET}),
        (200, {k: v for k, v in FOUND.items() if not k.startswith("x-oss-request")}),
        (301, OSS | {"Location": "http://127.0.0.1:1/"}),
        (400, OSS),
        (403, OSS | {"x-oss-ec": "0002-00000040"}),
        (500, OSS),
        (503, OSS),
    ],
)
def test_head_object_knows_nothing_of_any_other_answer(httpserver, place, client, status, headers):
    """A proxy's 404, a redirect, a refusal and an outage all mean that we do not know."""
    answer(httpserver, status, headers)

    with pytest.raises(BucketUnavailable):
        client.head_object(place, "a/b c.jpg", seconds=2)


def test_head_object_gives_up_in_time(httpserver, place, client):
    """A bucket that does not answer costs no more than the seconds given."""
    import time

    httpserver.expect_request("/examplebucket/slow").respond_with_handler(
        lambda _: time.sleep(0.6) or Response(headers=FOUND)
    )
    begun = time.monotonic()

    with pytest.raises(BucketUnavailable):
        client.head_object(place, "slow", seconds=0.2)

    assert time.monotonic() - begun < 0.55


def test_head_object_without_time_asks_nobody(httpserver, place, client):
    """When the deadline is over nothing is sent."""
    with pytest.raises(BucketUnavailable):
        client.head_object(place, "a/b c.jpg", seconds=0)

    assert [] == httpserver.log


def test_head_object_refused_connection_is_unknown(client):
    """A host that is not there says nothing about the object."""
    place = BucketPlace("examplebucket", "cn-hangzhou", "", "http://127.0.0.1:1/examplebucket")

    with pytest.raises(BucketUnavailable):
        client.head_object(place, "a", seconds=1)


def test_presign_get_signs_for_the_clients_host(place, client):
    """The link goes to the bucket's public host and lives as long as it says."""
    url = client.presign_get(place, "图/a b.jpg", expires=60)
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))

    assert url.startswith(place.host + "/%E5%9B%BE/a%20b.jpg?")
    assert ("60", "token", 64) == (
        query["x-oss-expires"], query["x-oss-security-token"], len(query["x-oss-signature"]),
    )  # fmt: skip


@pytest.mark.parametrize("version", ["v4", "v1"])
def test_presign_get_binds_what_is_made_of_an_image(place, client, version):
    """The operations stand in the URL, and another value or none gives another signature."""
    name = "x-oss-signature" if version == "v4" else "Signature"
    queries = [
        dict(parse_qsl(urlsplit(client.presign_get(place, "a.jpg", expires=60, version=version, process=process)).query))
        for process in ("image/resize,w_200", "image/resize,w_201", "")
    ]  # fmt: skip

    assert ["image/resize,w_200", "image/resize,w_201", None] == [one.get("x-oss-process") for one in queries]
    assert 3 == len({one[name] for one in queries})
