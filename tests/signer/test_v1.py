"""Signature version 1 of policies, headers and URLs against published signatures."""

from base64 import b64decode
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer import v1
from signer.credentials import Credentials
from signer.errors import SignerError

known_answers = pytest.mark.known_answers


@known_answers("post-policy-v1.json", "vectors")
def test_policy_signature_equals_known_answer(case: dict[str, Any]) -> None:
    """Each published policy text gives its published signature."""
    credentials = Credentials(case["access_key_id"], case["access_key_secret"])

    assert b64decode(case["policy_base64"]).decode() == case["policy_text"]
    assert v1.sign_policy(case["policy_base64"], credentials) == case["signature"]


@known_answers("post-policy-v1.json", "flagged_not_verifiable")
def test_unverifiable_sample_does_not_verify(case: dict[str, Any]) -> None:
    """The PostObject page's example does not follow from its example secret; the other two print none."""
    documented = case.get("with_documented_example_secret")
    if documented is None:
        assert "dropped" in case["status"]
        return
    signature = v1.sign_policy(case["policy_base64"], Credentials("id", documented["secret"]))

    assert signature == documented["gives"]
    assert signature != case["printed_signature"]


def test_security_token_is_no_part_of_the_signature() -> None:
    """V1 signs the policy's text alone; a token is signed only as a condition inside it."""
    plain, temporary = Credentials("id", "secret"), Credentials("id", "secret", "token")

    assert v1.sign_policy("e30=", plain) == v1.sign_policy("e30=", temporary)


@given(secret=st.text(st.characters(codec="utf-8"), max_size=40), policy=st.binary(max_size=60))
def test_signature_is_always_twenty_bytes(secret: str, policy: bytes) -> None:
    """Whatever the secret holds, the signature is the Base64 text of one SHA-1."""
    signature = v1.sign_policy(policy.hex(), Credentials("id", secret))

    assert len(b64decode(signature, validate=True)) == 20


def read_text(case: dict[str, Any]) -> str:
    request = case["request"]
    return v1.build_string_to_sign(
        request["method"],
        request["bucket"],
        request["key"],
        query=[(name, value) for name, value in request["query"]],
        headers=dict(request["headers"]),
        date=case["date_or_expires"],
    )


@known_answers("v1.json", "cases")
def test_string_to_sign_and_signature_equal_known_answer(case: dict[str, Any]) -> None:
    """Each published header or URL signature comes out, text and all."""
    text = read_text(case)
    secret = Credentials(**case["credentials"])

    assert text == case["expected"]["string_to_sign"]
    assert v1.sign_policy(text, secret) == case["expected"]["signature"]


@known_answers("v1.json", "cases")
def test_signed_request_or_url_equals_known_answer(case: dict[str, Any]) -> None:
    """What is sent for each published case carries its signature, at its time, with its token."""
    request, credentials = case["request"], Credentials(**case["credentials"])
    if case["kind"] == "query":
        # The token is ours to add.
        pairs = [(name, value) for name, value in request["query"] if name != "security-token"]
        query = v1.presign_query(
            request["method"],
            request["bucket"],
            request["key"],
            credentials=credentials,
            now=datetime.fromtimestamp(int(case["date_or_expires"]) - 60, UTC),
            expires=60,
            query=pairs,
            headers=dict(request["headers"]),
        )
        assert query[-1] == ("Signature", case["expected"]["signature"])
        assert (dict(query).get("security-token")) == credentials.security_token
        return
    now = parsedate_to_datetime(case["date_or_expires"])
    sent = v1.sign_request(
        request["method"],
        request["bucket"],
        request["key"],
        credentials=credentials,
        now=now,
        query=[(name, value) for name, value in request["query"]],
        headers=dict(request["headers"]),
    )
    assert sent["x-oss-date"] == case["date_or_expires"]
    # Ruby's requests carry the time in Date, which is no header that is signed again beside x-oss-date.
    if "x-oss-date" in dict(request["headers"]):
        assert sent["Authorization"] == case["expected"]["authorization"]


def test_query_signs_what_a_put_binds() -> None:
    """Callback, part and upload are signed values; what is no sub-resource is not in the text."""
    text = v1.build_string_to_sign(
        "PUT",
        "bucket",
        "图 a.jpg",
        query=[("uploadId", "U"), ("callback", "e30="), ("max-parts", "5"), ("partNumber", "2")],
        headers={"Content-Length": "5", "X-Oss-Forbid-Overwrite": " true "},
        date="1",
    )

    assert (
        text
        == "PUT\n\n\n1\nx-oss-forbid-overwrite:true\n/bucket/图 a.jpg?callback=e30=&partNumber=2&uploadId=U"
    )


def test_lifetime_of_none_is_refused() -> None:
    """A URL that is over before it is handed out helps nobody."""
    with pytest.raises(SignerError, match="at least a second"):
        v1.presign_query("PUT", "b", "k", credentials=Credentials("i", "s"), now=datetime.now(UTC), expires=0)
