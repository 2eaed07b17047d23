"""Session policies: cut to one key or one prefix, and never wider."""

import json

import pytest

from signer.errors import GrantTooLarge, SignerError
from signer.session_policy import build_session_policy


def test_policy_of_one_key() -> None:
    """Three actions on one object, over TLS alone."""
    policy = json.loads(build_session_policy("bucket", "a/照片.jpg", is_prefix=False, secure=True))

    assert policy == {
        "Version": "1",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["oss:PutObject", "oss:AbortMultipartUpload", "oss:ListParts"],
                "Resource": ["acs:oss:*:*:bucket/a/照片.jpg"],
                "Condition": {"Bool": {"acs:SecureTransport": "true"}},
            }
        ],
    }


def test_policy_of_a_prefix_for_an_emulator() -> None:
    """All keys below it; plain http where nothing else is spoken."""
    statement = json.loads(build_session_policy("bucket", "a/", is_prefix=True, secure=False))["Statement"][0]

    assert statement["Resource"] == ["acs:oss:*:*:bucket/a/*"]
    assert "Condition" not in statement


@pytest.mark.parametrize("key", ["a*", "a?", "${oss:x}"])
def test_key_that_is_a_pattern_is_refused(key: str) -> None:
    """It would open more than itself."""
    with pytest.raises(SignerError, match="session policy"):
        build_session_policy("bucket", key, is_prefix=False, secure=True)


def test_longest_key_fits_and_a_longer_policy_is_refused() -> None:
    """STS takes 2,048 characters."""
    assert len(build_session_policy("b" * 63, "k" * 1023, is_prefix=True, secure=True)) <= 2048
    with pytest.raises(GrantTooLarge):
        build_session_policy("b" * 63, "k" * 1900, is_prefix=True, secure=True)
