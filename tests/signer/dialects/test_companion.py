"""Companion's ``/s3`` routes: a transcript of both plugins' requests and replies."""

import json

import pytest

from signer.dialects.companion import DIALECT
from signer.dialects.contract import Refusal
from signer.dialects.handed import CompletedUpload, FoundPart, HandedParts, HandedUpload
from signer.dialects.wishes import (
    AbortParts,
    BeginParts,
    CompleteParts,
    Explain,
    ListParts,
    OneFile,
    SignParts,
)
from signer.stored_parts import NamedPart

ROUTES = {(route.suffix, route.methods[0]): at for at, route in enumerate(DIALECT.routes)}
PARAMS = ROUTES["/params", "GET"]
BEGIN = ROUTES["/multipart", "POST"]
LIST = ROUTES["/multipart/<upload_id>", "GET"]
ABORT = ROUTES["/multipart/<upload_id>", "DELETE"]
BATCH = ROUTES["/multipart/<upload_id>/batch", "GET"]
PART = ROUTES["/multipart/<upload_id>/<part_number>", "GET"]
COMPLETE = ROUTES["/multipart/<upload_id>/complete", "POST"]
STS = ROUTES["/sts", "GET"]
ONE = {"upload_id": "UPLOAD"}


def test_params_are_a_form_whose_url_ends_with_a_slash(speak, make_file):
    """The newer plugin makes the object's address of ``url`` and ``key``."""
    answer = speak("companion", make_file(), route=PARAMS)

    assert (
        b'{"method":"POST","url":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com/",'
        b'"fields":{"key":"photos/a.png","policy":"cG9saWN5"},"expires":460}'
    ) == answer.body


def test_params_are_asked_for_with_metadata(ask):
    """``metadata[NAME]`` is what the page says of the file."""
    query = {"filename": "a.png", "type": "image/png", "metadata[album]": "x"}

    assert OneFile("a.png", "image/png", metadata={"album": "x"}) == ask(
        "companion", route=PARAMS, query=query
    )


def test_upload_in_parts_is_begun(ask, speak):
    """JSON in, key and id out; the id is ours."""
    body = b'{"filename":"a.bin","type":"application/octet-stream","metadata":{"album":"x","n":1}}'
    wish = ask("companion", route=BEGIN, method="POST", body=body, content_type="application/json")
    answer = speak("companion", HandedUpload("UPLOAD", "files/a.bin", "demo-bucket"), route=BEGIN)

    assert BeginParts("a.bin", "application/octet-stream", {"album": "x"}) == wish
    assert b'{"key":"files/a.bin","uploadId":"UPLOAD","bucket":"demo-bucket"}' == answer.body


def test_part_is_signed(ask, speak):
    """One URL, and how long it lives: without ``expires`` the older plugin waits for ever."""
    wish = ask("companion", route=PART, query={"key": "files/a.bin"}, arguments={**ONE, "part_number": "7"})
    answer = speak("companion", HandedParts({7: "https://x/7"}, 300), route=PART)

    assert SignParts("UPLOAD", "files/a.bin", (7,)) == wish
    assert b'{"url":"https://x/7","expires":300}' == answer.body


def test_batch_of_parts_is_signed(ask, speak):
    """URLs by number, as text."""
    query = {"key": "files/a.bin", "partNumbers": "1,2,10000"}
    wish = ask("companion", route=BATCH, query=query, arguments=ONE)
    answer = speak("companion", HandedParts({1: "https://x/1", 2: "https://x/2"}, 300), route=BATCH)

    assert SignParts("UPLOAD", "files/a.bin", (1, 2, 10000)) == wish
    assert b'{"presignedUrls":{"1":"https://x/1","2":"https://x/2"}}' == answer.body


def test_parts_are_listed(ask, speak):
    """A bare list; the ETag in quotes, as S3 has it."""
    wish = ask("companion", route=LIST, query={"key": "files/a.bin"}, arguments=ONE)
    answer = speak("companion", [FoundPart(1, "AB", 5)], route=LIST)

    assert ListParts("UPLOAD", "files/a.bin") == wish
    assert b'[{"PartNumber":1,"ETag":"\\"AB\\"","Size":5}]' == answer.body


@pytest.mark.parametrize("etag", ["AB", '"AB"'])
def test_upload_is_completed(ask, speak, etag):
    """One plugin sends ETags with their quotes, the other without; the reply tells where the object is."""
    body = json.dumps({"parts": [{"PartNumber": 1, "ETag": etag}]}).encode()
    wish = ask("companion", route=COMPLETE, body=body, query={"key": "files/a.bin"}, arguments=ONE)
    answer = speak(
        "companion", CompletedUpload("files/a.bin", "demo-bucket", "https://x/files/a.bin"), route=COMPLETE
    )

    assert CompleteParts("UPLOAD", "files/a.bin", (NamedPart(1, etag),)) == wish
    assert b'{"location":"https://x/files/a.bin","key":"files/a.bin","bucket":"demo-bucket"}' == answer.body


def test_upload_is_aborted(ask, speak):
    """An empty object."""
    wish = ask("companion", route=ABORT, query={"key": "files/a.bin"}, arguments=ONE)

    assert AbortParts("UPLOAD", "files/a.bin") == wish
    assert b"{}" == speak("companion", None, route=ABORT).body


@pytest.mark.parametrize(
    ("route", "request_"),
    [
        (PARAMS, {}),
        (BEGIN, {"body": b"{}"}),
        (LIST, {"arguments": ONE}),
        (ABORT, {"arguments": ONE}),
        (PART, {"arguments": {**ONE, "part_number": "1"}}),
        *[
            (PART, {"arguments": {**ONE, "part_number": number}, "query": {"key": "k"}})
            for number in ("0", "10001", "-1", "1.5", "x", "９", "1" * 99)
        ],
        *[
            (BATCH, {"arguments": ONE, "query": {"key": "k", "partNumbers": numbers}})
            for numbers in ("", "1,", "0", "1,x", ",".join(map(str, range(1, 102))))
        ],
        *[
            (COMPLETE, {"arguments": ONE, "query": {"key": "k"}, "body": body})
            for body in (
                b"{}",
                b'{"parts":[]}',
                b'{"parts":{}}',
                b'{"parts":[1]}',
                b'{"parts":[{"PartNumber":"1","ETag":"x"}]}',
                b'{"parts":[{"PartNumber":0,"ETag":"x"}]}',
                b'{"parts":[{"PartNumber":1}]}',
            )
        ],
        (COMPLETE, {"arguments": ONE, "body": b'{"parts":[{"PartNumber":1,"ETag":"x"}]}'}),
        (STS, {}),
    ],
)
def test_bad_requests_are_explained(ask, route, request_):
    """400 with the reason, as Companion does; ``/s3/sts`` always, for Uppy would sign for Amazon's hosts."""
    wish = ask("companion", route=route, **request_)

    assert isinstance(wish, Explain)
    assert 400 == wish.status
    assert wish.message.startswith("s3: ")


def test_refusal_has_both_names(refuse):
    """The older plugin shows ``message``, Companion's own clients ``error``."""
    answer = refuse("companion", Refusal(403, "origin_forbidden", "foreign page"))

    assert (403, b'{"error":"foreign page","message":"foreign page","code":"origin_forbidden"}') == (
        answer.status,
        answer.body,
    )
