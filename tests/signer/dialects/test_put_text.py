"""One presigned URL as plain text, or as JSON for who asks for it by name."""

import pytest

from signer.dialects.contract import Refusal
from signer.dialects.handed import HandedUrl
from signer.dialects.wishes import BarePut, OneFile

URL = "https://demo-bucket.oss-cn-hangzhou.aliyuncs.com/files/a.png?x-oss-signature=0f3c"


@pytest.fixture
def handed():
    return HandedUrl(URL, "files/a.png", "image/png")


def test_reply_is_the_bare_url(speak, handed):
    """``response.text()`` of the sample's page is the URL, without a newline."""
    answer = speak("put_text", handed, request={"accept": "*/*"})

    assert (URL.encode(), "text/plain; charset=utf-8") == (answer.body, answer.content_type)


def test_json_is_for_who_asks_by_name(speak, handed):
    """``Accept: application/json`` gets the header, too."""
    answer = speak("put_text", handed, request={"accept": "application/json, text/plain, */*"})

    assert (
        f'{{"url":"{URL}","method":"PUT","headers":{{"Content-Type":"image/png"}}}}' == answer.body.decode()
    )


def test_exact_upload_tells_all_its_headers(speak, make_file):
    """A client that can send headers sends these."""
    file = make_file(
        method="PUT", url=URL, headers={"Content-Type": "image/png", "x-oss-forbid-overwrite": "true"}
    )
    answer = speak("put_text", file, request={"accept": "application/json"})

    assert b'"headers":{"Content-Type":"image/png","x-oss-forbid-overwrite":"true"}}' in answer.body


@pytest.mark.parametrize(
    ("query", "accept", "wish"),
    [
        ({}, "*/*", BarePut("", "image/png", None)),
        ({"filename": "a.gif"}, "*/*", BarePut("a.gif", "image/png", None)),
        ({"fileName": "a.gif", "fileType": "image/gif"}, "*/*", BarePut("a.gif", "image/gif", None)),
        ({"filename": "a.gif", "size": "7"}, "*/*", BarePut("a.gif", "image/png", 7)),
        ({"filename": "a.gif", "size": "7"}, "application/json", OneFile("a.gif", "", 7, via="put")),
        ({"filename": "a.gif"}, "application/json", BarePut("a.gif", "image/png", None)),
    ],
)
def test_wish_depends_on_what_the_client_can_do(ask, query, accept, wish):
    """The sample's page sends ``image/png`` whatever the file is; who tells size and takes JSON gets every lock."""
    assert wish == ask("put_text", query=query, accept=accept)


def test_refusal_is_text_for_who_reads_text(refuse):
    """The status is real either way."""
    refusal = Refusal(415, "content_type_not_allowed", "no such files here")
    text = refuse("put_text", refusal)
    json = refuse("put_text", refusal, request={"accept": "application/json"})

    assert (415, b"no such files here") == (text.status, text.body)
    assert b'{"error":"content_type_not_allowed","message":"no such files here","hint":""}' == json.body
