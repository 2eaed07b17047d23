"""The policy document and its Base64 text."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer import conditions
from signer.errors import ConditionError
from signer.policy import build_policy, encode_policy, format_expiration

known_answers = pytest.mark.known_answers


@known_answers("post-policy-v1.json", "vectors")
def test_v1_policy_text_encodes_to_known_base64(case: dict[str, Any]) -> None:
    """The Base64 text of each published policy comes out, byte for byte."""
    assert encode_policy(case["policy_text"].encode()) == case["policy_base64"]


@known_answers("post-policy-v4.json", "post_vectors")
def test_v4_policy_text_encodes_to_known_base64(case: dict[str, Any]) -> None:
    """Likewise for version 4, a key in Chinese among them."""
    assert encode_policy(case["policy_text"].encode()) == case["form_fields"]["policy"]


def test_built_policy_equals_published_text() -> None:
    """Our conditions, in our JSON, are the very text that a published signature covers."""
    policy = build_policy(
        [
            conditions.exact("bucket", "examplebucket"),
            conditions.exact("x-oss-signature-version", "OSS4-HMAC-SHA256"),
            conditions.exact("x-oss-credential", "AKIDEXAMPLE/20300101/cn-hangzhou/oss/aliyun_v4_request"),
            conditions.exact("x-oss-date", "20300101T110000Z"),
            conditions.content_length_range(1, 1024),
        ],
        expires_at=datetime(2030, 1, 1, 12, tzinfo=UTC),
    )

    assert policy.decode() == (
        '{"expiration":"2030-01-01T12:00:00.000Z","conditions":[{"bucket":"examplebucket"},'
        '{"x-oss-signature-version":"OSS4-HMAC-SHA256"},'
        '{"x-oss-credential":"AKIDEXAMPLE/20300101/cn-hangzhou/oss/aliyun_v4_request"},'
        '{"x-oss-date":"20300101T110000Z"},["content-length-range",1,1024]]}'
    )


def test_policy_with_escaped_file_name_holds_what_the_java_sdk_signs() -> None:
    """Our escaping of `${filename}` decodes to the conditions of the Java SDK's published policy."""
    published = json.loads(
        r'[{"bucket":"gen-post-policy"},["eq","$key","user\/eric\/\\${filename}"],'
        r'["starts-with","$key","user\/eric"],["content-length-range",1,1024]]'
    )
    built = build_policy(
        [
            conditions.exact("bucket", "gen-post-policy"),
            conditions.eq("key", "user/eric/${filename}"),
            conditions.starts_with("key", "user/eric"),
            conditions.content_length_range(1, 1024),
        ],
        expires_at=datetime(2030, 1, 1, tzinfo=UTC),
    )

    assert json.loads(built)["conditions"] == published


def test_expiration_is_cut_to_the_second() -> None:
    """A policy says milliseconds, as the documentation does, and they are zero."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

    assert format_expiration(moment) == "2026-01-02T03:04:05.000Z"


def test_policy_without_conditions_is_refused() -> None:
    """OSS refuses such a policy, so it is never signed."""
    with pytest.raises(ConditionError):
        build_policy([], expires_at=datetime(2030, 1, 1, tzinfo=UTC))


@given(name=st.text(st.characters(codec="utf-8")), value=st.text(st.characters(codec="utf-8")))
def test_policy_of_any_text_is_json_that_reads_back(name: str, value: str) -> None:
    """Control characters, quotes and any script survive JSON and Base64."""
    condition = {name: value}
    encoded = encode_policy(build_policy([condition], expires_at=datetime(2030, 1, 1, tzinfo=UTC)))

    assert json.loads(b64decode(encoded, validate=True))["conditions"] == [condition]
