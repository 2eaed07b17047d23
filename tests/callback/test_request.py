"""A callback is read off the wire as it came, and what of it is kept becomes the same request again."""

import pytest

from callback.body import MAX_BODY_BYTES
from callback.errors import BodyTooLarge
from callback.inbox import (
    KEPT_BODY_BYTES,
    KEPT_HEADER_LENGTH,
    KEPT_TARGET_BYTES,
    keep_request,
    restore_request,
)
from callback.request import CallbackRequest, read_environ

ENVIRON = {
    "RAW_URI": "/callback/a%2Fb?x=%FF\xff",
    "CONTENT_TYPE": "application/json",
    "HTTP_AUTHORIZATION": "c2ln",
    "HTTP_X_OSS_PUB_KEY_URL": "aHR0cA==",
    "HTTP_X_OSS_REQUEST_ID": "5F1E",
    "HTTP_USER_AGENT": "aliyun-oss-callback",
    "HTTP_COOKIE": "session=secret",
    "HTTP_X_OSS_SECURITY_TOKEN": "secret",
    "HTTP_X_FORWARDED_FOR": "192.0.2.9",
    "REMOTE_ADDR": "192.0.2.7",
}


@pytest.fixture
def request_of(now):
    """Keep a request of these parts."""

    def keep(**changes):
        request = CallbackRequest(
            **{
                "raw_target": "/callback",
                "body": b"{}",
                "content_type": "application/json",
                "authorization": "c2ln",
                "public_key_url": "aHR0cA==",
            }
            | changes
        )
        return request, keep_request(request, callback_id="01c", at=now)

    return keep


def test_chosen_headers_alone_are_kept(now):
    """What is verified and what OSS is known to send; never cookies, nor what a stranger calls OSS's."""
    request = read_environ(ENVIRON, b"body")
    kept = keep_request(request, callback_id="01c", at=now)

    assert kept.headers == {
        "content-type": "application/json",
        "authorization": "c2ln",
        "x-oss-pub-key-url": "aHR0cA==",
        "user-agent": "aliyun-oss-callback",
        "x-oss-request-id": "5F1E",
    }
    assert ("192.0.2.7", 4, "") == (kept.remote_addr, kept.body_size, kept.cut)
    assert request == restore_request(kept)


def test_bytes_of_a_target_stay_as_they_are(now):
    """One character a byte, whatever bytes they are."""
    kept = keep_request(read_environ(ENVIRON, b""), callback_id="01c", at=now)

    assert b"/callback/a%2Fb?x=%FF\xff" == kept.raw_target


@pytest.mark.parametrize(
    ("changes", "cut", "size"),
    [
        ({}, "", 2),
        ({"body": b"x" * KEPT_BODY_BYTES}, "", KEPT_BODY_BYTES),
        ({"body": b"x" * (KEPT_BODY_BYTES + 1)}, "body", KEPT_BODY_BYTES + 1),
        ({"body": b"", "body_size": 70_000}, "body", 70_000),
        ({"raw_target": "/" * (KEPT_TARGET_BYTES + 1)}, "target", 2),
        ({"authorization": "A" * (KEPT_HEADER_LENGTH + 1)}, "headers", 2),
        ({"other_headers": {"user-agent": "A" * 9_000}}, "", 2),
    ],
)
def test_what_is_not_kept_whole_is_named(request_of, changes, cut, size):
    """Its true length is told, and each part is bounded."""
    request, kept = request_of(**changes)

    assert (cut, size) == (kept.cut, kept.body_size)
    assert len(kept.body) <= KEPT_BODY_BYTES
    assert len(kept.raw_target) <= KEPT_TARGET_BYTES
    assert all(len(value) <= KEPT_HEADER_LENGTH for value in kept.headers.values())
    if not cut and "other_headers" not in changes:
        assert request == restore_request(kept)


@pytest.mark.parametrize("changes", [{"body_size": 70_000}, {"body": b"x" * (MAX_BODY_BYTES + 1)}])
def test_no_callback_of_ours_is_so_large(request_of, changes):
    """Whether it said so beforehand or not."""
    request, _ = request_of(**changes)

    with pytest.raises(BodyTooLarge):
        request.check_size()
