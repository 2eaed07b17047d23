"""Pages of objects and of unfinished uploads, and every answer that is none."""

from datetime import UTC, datetime

import pytest
from werkzeug import Response

from ossgate.bucket import BucketRefused, BucketUnavailable, ListedMultipart, ListedObject

OSS = {"x-oss-request-id": "5C06A3B67B8B5A3DA422299D"}
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ENTRY = (
    "<Contents><Key>{key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
    '<ETag>"ab12"</ETag><Type>Normal</Type><Size>3</Size><StorageClass>Standard</StorageClass></Contents>'
)
UPLOAD = "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>2026-01-02T03:04:05.000Z</Initiated></Upload>"


@pytest.fixture
def answer(httpserver):
    """Have the bucket give these answers in turn."""

    def write(*answers):
        waiting = [
            one if isinstance(one, Response) else Response(one, 200, OSS, mimetype="application/xml")
            for one in answers
        ]
        httpserver.expect_request("/examplebucket/").respond_with_handler(lambda _: waiting.pop(0))

    return write


def write_objects(*keys, following=None, encoding="<EncodingType>url</EncodingType>"):
    more = (
        f"<IsTruncated>true</IsTruncated><NextContinuationToken>{following}</NextContinuationToken>"
        if following is not None
        else "<IsTruncated>false</IsTruncated>"
    )
    return f"<ListBucketResult>{encoding}{more}{''.join(ENTRY.format(key=key) for key in keys)}</ListBucketResult>"


def write_uploads(*pairs, following=None):
    more = "<IsTruncated>false</IsTruncated>"
    if following is not None:
        more = (
            f"<IsTruncated>true</IsTruncated><NextKeyMarker>{following[0]}</NextKeyMarker>"
            f"<NextUploadIdMarker>{following[1]}</NextUploadIdMarker>"
        )
    listed = "".join(UPLOAD.format(key=key, id=one) for key, one in pairs)
    return f"<ListMultipartUploadsResult><EncodingType>url</EncodingType>{more}{listed}</ListMultipartUploadsResult>"


def test_objects_are_read_with_their_keys_decoded(place, client, answer):
    """Keys come percent-encoded, since XML cannot say every character; a plus is a plus."""
    answer(write_objects("a/%E7%8C%AB%20%01%2B.jpg", "a+b"))

    page = client.listing.list_objects(place, seconds=2)

    assert [ListedObject("a/猫 \x01+.jpg", 3, "AB12", AT), ListedObject("a+b", 3, "AB12", AT)] == page.objects
    assert page.following is None
    assert page.answered_at is not None


def test_keys_that_were_not_encoded_are_left_alone(place, client, answer):
    """A percent sign is no escape where the answer does not say that it is."""
    answer(write_objects("100%25.jpg", encoding=""))

    assert "100%25.jpg" == client.listing.list_objects(place, seconds=2).objects[0].object_key


def test_next_page_is_asked_for_by_its_token(httpserver, place, client, answer):
    """The token of one page asks for the next, decoded as the keys are."""
    answer(write_objects("a", following="Cg%3D%3D"), write_objects("b"))

    first = client.listing.list_objects(place, prefix="a/ b", start_after="a/ b0", seconds=2)
    client.listing.list_objects(place, token=first.following, limit=7, seconds=2)

    assert "Cg==" == first.following
    assert [
        b"list-type=2&max-keys=1000&encoding-type=url&prefix=a%2F%20b&start-after=a%2F%20b0",
        b"list-type=2&max-keys=7&encoding-type=url&continuation-token=Cg%3D%3D",
    ] == [request.query_string for request, _ in httpserver.log]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "<Other/>",
        "<!DOCTYPE a><ListBucketResult/>",
        '<!DOCTYPE a [<!ENTITY x "y">]><ListBucketResult><Name>&x;</Name></ListBucketResult>',
        write_objects(""),
        write_objects("%FF"),
        write_objects("a").replace("<Size>3", "<Size>x"),
        write_objects("a").replace("2026-01-02T03:04:05.000Z", "yesterday"),
        write_objects("a").replace("2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05"),
        write_objects("a", following=""),
    ],
    ids=["empty", "html", "other", "doctype", "entity", "no key", "no UTF-8", "no size", "no time", "no zone", "no end"],
)  # fmt: skip
def test_answer_that_cannot_be_read_is_unknown(place, client, answer, body):
    """No list is guessed at: what cannot be read tells nothing of the bucket."""
    answer(body)

    with pytest.raises(BucketUnavailable):
        client.listing.list_objects(place, seconds=2)


@pytest.mark.parametrize(
    "response",
    [
        Response("<Error/>", 500, OSS),
        Response("", 503, OSS),
        Response(write_objects(), 200),
        Response("<Error><Code>NoSuchBucket</Code></Error>", 404),
        Response("", 302, OSS | {"Location": "/"}),
    ],
    ids=["fault", "busy", "a proxy's 200", "a proxy's 404", "redirect"],
)
def test_failure_is_unknown(place, client, answer, response):
    """A fault, a redirect and a proxy's words say nothing about what is there."""
    answer(response, response)

    with pytest.raises(BucketUnavailable):
        client.listing.list_objects(place, seconds=2)
    with pytest.raises(BucketUnavailable):
        client.listing.list_multipart_uploads(place, seconds=2)


def test_refusal_keeps_the_code_of_oss(place, client, answer):
    """A bucket that may not be listed is told from one that does not answer."""
    answer(Response("<Error><Code>AccessDenied</Code></Error>", 403, OSS))

    with pytest.raises(BucketRefused) as refused:
        client.listing.list_objects(place, seconds=2)

    assert (403, "AccessDenied") == (refused.value.status, refused.value.code)


def test_unfinished_uploads_are_read_page_by_page(httpserver, place, client, answer):
    """A page tells the two markers of the next, since a key may have several uploads."""
    answer(write_uploads(("a%20b", "U1"), following=("a%20b", "U1")), write_uploads(("a%20b", "U2")))

    first = client.listing.list_multipart_uploads(place, seconds=2)
    second = client.listing.list_multipart_uploads(place, prefix="a", after=first.following, seconds=2)

    assert [ListedMultipart("a b", "U1", AT)] == first.uploads
    assert ([ListedMultipart("a b", "U2", AT)], None) == (second.uploads, second.following)
    assert (
        b"uploads&max-uploads=1000&encoding-type=url&prefix=a&key-marker=a%20b&upload-id-marker=U1"
        == httpserver.log[1][0].query_string
    )


@pytest.mark.parametrize("following", [("", ""), ("a", "U1"), ("0", "U9")])
def test_list_of_uploads_that_does_not_go_on_is_given_up(place, client, answer, following):
    """A page that leads nowhere would else be asked for for ever."""
    answer(write_uploads(following=following))

    with pytest.raises(BucketUnavailable, match="does not end"):
        client.listing.list_multipart_uploads(
            place, after=("a", "U1") if following[0] else ("", ""), seconds=2
        )


def test_deletion_is_one_signed_request(httpserver, place, client):
    """OSS answers 204 whether or not there was an object."""
    httpserver.expect_request("/examplebucket/a/b", method="DELETE").respond_with_response(
        Response("", 204, OSS)
    )
    client.delete_object(place, "a/b", seconds=2)

    assert "OSS4-HMAC-SHA256" in httpserver.log[0][0].headers["Authorization"]


def test_page_of_a_thousand_long_keys_is_read(place, client, answer):
    """A page with a thousand of the longest keys stays within what an answer may have."""
    answer(write_objects(*["%E7%8C%AB" * 340 + f"{n:03d}" for n in range(1000)]))

    page = client.listing.list_objects(place, seconds=10)

    assert (1000, 1023) == (len(page.objects), len(page.objects[0].object_key.encode()))
