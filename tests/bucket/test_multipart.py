"""Multipart uploads against a scripted bucket: what is asked, and what each answer means."""

import pytest
from werkzeug import Response

from ossgate.bucket import BucketRefused, BucketUnavailable, StoredPart
from signer import v4

KEY = "a/b c.mp4"
BEGUN = "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>0004B9</UploadId></InitiateMultipartUploadResult>"
PARTS = [StoredPart(1, 102400, "AB12"), StoredPart(3, 7, "CD34")]


def write_list(*numbers, truncated=False, following=""):
    parts = "".join(
        f'<Part><PartNumber>{n}</PartNumber><ETag>"ab{n}"</ETag><Size>{n * 10}</Size></Part>' for n in numbers
    )
    return (
        200,
        f"<ListPartsResult><NextPartNumberMarker>{following}</NextPartNumberMarker>"
        f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{parts}</ListPartsResult>",
    )


@pytest.fixture
def multipart(client):
    return client.multipart


def test_initiate_sends_and_signs_every_header(asked, place, multipart, script, credentials, now):
    """The object's headers go out as given, all signed that can be, and OSS's id comes back."""
    script((200, BEGUN))
    headers = {"Content-Type": "video/mp4", "Content-Disposition": "inline", "x-oss-storage-class": "IA"}

    assert "0004B9" == multipart.initiate(place, KEY, headers, seconds=2)

    request = asked()[0]
    expected = v4.sign_request(
        "POST", "examplebucket", KEY, credentials=credentials, region="cn-hangzhou", now=now,
        query=[("uploads", "")], headers=headers, additional_headers=["content-disposition"],
    )  # fmt: skip
    assert ("POST", b"uploads") == (request.method, request.query_string)
    assert expected.items() <= {name: request.headers.get(name) for name in expected}.items()
    assert "AdditionalHeaders=content-disposition," in request.headers["Authorization"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "<Other/>",
        BEGUN.replace("0004B9", ""),
        BEGUN.replace("0004B9", "A" * 300),
        '<!DOCTYPE a [<!ENTITY x "y">]>' + BEGUN,
    ],
)
def test_initiate_believes_no_other_document(place, multipart, script, body):
    """An answer without an id of ours to use is none."""
    script((200, body))

    with pytest.raises(BucketUnavailable):
        multipart.initiate(place, KEY, {}, seconds=2)


def test_namespace_of_old_documents_is_passed_over(place, multipart, script):
    """Samples carry a namespace, recorded answers none; both are read."""
    tag = "InitiateMultipartUploadResult"
    script((200, BEGUN.replace(tag, f'{tag} xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com"', 1)))

    assert "0004B9" == multipart.initiate(place, KEY, {}, seconds=2)


def test_list_parts_reads_every_page(asked, place, multipart, script):
    """Pages are asked for until there are no more, each from where the last one ended."""
    script(write_list(1, 2, truncated=True, following="2"), write_list(5, following="5"))

    parts = multipart.list_parts(place, KEY, "U/1+", seconds=2)

    assert [StoredPart(1, 10, "AB1"), StoredPart(2, 20, "AB2"), StoredPart(5, 50, "AB5")] == parts
    assert [
        b"uploadId=U%2F1%2B&max-parts=1000&part-number-marker=0",
        b"uploadId=U%2F1%2B&max-parts=1000&part-number-marker=2",
    ] == [request.query_string for request in asked()]


def test_list_of_no_parts_is_empty(place, multipart, script):
    """An upload of which nothing has arrived is known, and has no parts."""
    script(write_list())

    assert [] == multipart.list_parts(place, KEY, "U", seconds=2)


@pytest.mark.parametrize("following", ["", "0", "x"])
def test_list_that_does_not_go_on_is_given_up(place, multipart, script, following):
    """A page that says there is more and not where would else be asked for for ever."""
    script(write_list(1, truncated=True, following=following))

    with pytest.raises(BucketUnavailable, match="does not end"):
        multipart.list_parts(place, KEY, "U", seconds=2)


def test_list_with_unreadable_part_is_unknown(place, multipart, script):
    """A part without a number cannot be counted."""
    script((200, "<ListPartsResult><Part><Size>1</Size></Part></ListPartsResult>"))

    with pytest.raises(BucketUnavailable, match="cannot be read"):
        multipart.list_parts(place, KEY, "U", seconds=2)


def test_complete_sends_numbers_and_etags(asked, place, multipart, script):
    """The very parts that were checked are named, so that one sent since is noticed."""
    script((200, "<CompleteMultipartUploadResult/>"))

    assert multipart.complete(place, KEY, "U", PARTS, {"x-oss-forbid-overwrite": "true"}, seconds=2)

    request = asked()[0]
    assert (
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>AB12</ETag></Part>"
        b"<Part><PartNumber>3</PartNumber><ETag>CD34</ETag></Part></CompleteMultipartUpload>" == request.data
    )
    assert ("application/xml", "true") == (
        request.headers["Content-Type"], request.headers["x-oss-forbid-overwrite"],
    )  # fmt: skip


def test_unknown_upload_is_told_from_every_other_refusal(place, multipart, script, refusal):
    """NoSuchUpload is an answer: completed, aborted, or never begun."""
    script(*[refusal(404, "NoSuchUpload")] * 3)

    assert multipart.list_parts(place, KEY, "U", seconds=2) is None
    assert not multipart.complete(place, KEY, "U", PARTS, {}, seconds=2)
    assert not multipart.abort(place, KEY, "U", seconds=2)


def test_abort_takes_an_empty_answer(asked, place, multipart, script):
    """OSS answers 204."""
    script((204, ""))

    assert multipart.abort(place, KEY, "U", seconds=2)
    assert "DELETE" == asked()[0].method


@pytest.mark.parametrize(
    ("status", "code"), [(400, "InvalidPart"), (400, "EntityTooSmall"), (409, "FileAlreadyExists")]
)
def test_refusal_keeps_the_code_of_oss(place, multipart, script, refusal, status, code):
    """What OSS takes offence at is known by its code."""
    script(refusal(status, code))

    with pytest.raises(BucketRefused) as refused:
        multipart.complete(place, KEY, "U", PARTS, {}, seconds=2)

    assert (status, code) == (refused.value.status, refused.value.code)


@pytest.mark.parametrize(
    "answer",
    [
        (500, "<Error><Code>InternalError</Code></Error>"),
        (503, ""),
        (403, "forbidden"),
        (302, ""),
        (203, "<Error/>"),
        Response("<Error><Code>NoSuchUpload</Code></Error>", 404),
        Response(BEGUN, 200),
    ],
    ids=["fault", "busy", "no document", "redirect", "203", "a proxy's 404", "a proxy's 200"],
)
def test_every_other_answer_is_unknown(place, multipart, script, answer):
    """A fault, a redirect and a proxy's words say nothing about the upload."""
    script(answer)

    with pytest.raises(BucketUnavailable):
        multipart.abort(place, KEY, "U", seconds=2)


def test_no_time_left_asks_nobody(asked, place, multipart):
    """When the time is up nothing is sent."""
    with pytest.raises(BucketUnavailable):
        multipart.list_parts(place, KEY, "U", seconds=0)

    assert [] == asked()


def test_answer_without_end_is_cut(place, multipart, script, monkeypatch):
    """No answer is read beyond what a page of parts can have."""
    monkeypatch.setattr("ossgate.bucket.exchange.MAX_ANSWER_BYTES", 1000)
    script((200, "x" * 2000))

    with pytest.raises(BucketUnavailable, match="too long"):
        multipart.initiate(place, KEY, {}, seconds=2)


def test_refused_connection_is_unknown(multipart, place):
    """A host that is not there says nothing."""
    from dataclasses import replace

    with pytest.raises(BucketUnavailable):
        multipart.abort(replace(place, internal="http://127.0.0.1:1/examplebucket"), KEY, "U", seconds=1)
