"""A bucket whose answers a test writes."""

from datetime import UTC, datetime

import pytest
from werkzeug import Response

from ossgate.bucket import BucketClient
from signer.credentials import Credentials
from signer.places import BucketPlace

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REQUEST_ID = {"x-oss-request-id": "5C06A3B67B8B5A3DA422299D"}


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def credentials():
    return Credentials("id", "secret", "token")


@pytest.fixture
def place(httpserver):
    url = httpserver.url_for("/examplebucket")
    return BucketPlace("examplebucket", "cn-hangzhou", url, url)


@pytest.fixture
def client(credentials):
    made = BucketClient(lambda: credentials, now=lambda: NOW)
    yield made
    made.close()


@pytest.fixture
def script(httpserver):
    """Have the bucket give these answers in turn: each a status and a body, or a whole response."""

    def write(*answers):
        waiting = [
            answer
            if isinstance(answer, Response)
            else Response(answer[1], answer[0], REQUEST_ID, mimetype="application/xml")
            for answer in answers
        ]
        httpserver.expect_request("/examplebucket/a/b c.mp4").respond_with_handler(lambda _: waiting.pop(0))

    return write


@pytest.fixture
def asked(httpserver):
    """Return what the bucket was asked about the object of `script`; another test's slow request may end late."""
    return lambda: [request for request, _ in httpserver.log if request.path.endswith("/b c.mp4")]


@pytest.fixture
def refusal():
    """An answer with OSS's error of this code."""

    def make(status, code):
        return status, f"<Error><Code>{code}</Code><Message>no</Message><EC>0042-00000104</EC></Error>"

    return make
