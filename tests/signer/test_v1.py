"""Signature version 1 of policies against published signatures."""

from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer import v1
from signer.credentials import Credentials

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
