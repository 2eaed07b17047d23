"""ACS3-HMAC-SHA256 against the published example."""

from datetime import datetime
from typing import Any

import pytest

from signer.acs3 import build_canonical_request, sign_call
from signer.credentials import Credentials

known_answers = pytest.mark.known_answers


def sign(case: dict[str, Any], **changes: Any) -> dict[str, str]:
    given: dict[str, Any] = {
        "action": case["headers"]["x-acs-action"],
        "version": case["headers"]["x-acs-version"],
        "query": case["query"].items(),
        "credentials": Credentials(case["access_key_id"], case["access_key_secret"]),
        "now": datetime.fromisoformat(case["headers"]["x-acs-date"]),
        "nonce": case["headers"]["x-acs-signature-nonce"],
    }
    return sign_call(case["method"], case["headers"]["host"], **(given | changes))


@known_answers("sts.json", "cases")
def test_signature_equals_known_answer(case: dict[str, Any]) -> None:
    """Canonical request and signature of the documentation's example come out; the other cases are of the older scheme."""
    if case["scheme"] != "ACS3-HMAC-SHA256":
        assert "HMAC-SHA1" in case["scheme"]
        return
    headers = case["headers"]
    canonical = build_canonical_request(
        case["method"],
        query=case["query"].items(),
        headers=headers.items(),
        body_hash=headers["x-acs-content-sha256"],
    )
    signed = sign(case)

    assert canonical == case["expected"]["canonical_request"]
    assert signed.pop("Authorization") == (
        f"ACS3-HMAC-SHA256 Credential={case['access_key_id']},SignedHeaders={';'.join(sorted(headers))},"
        f"Signature={case['expected']['signature']}"
    )
    assert signed == headers


@known_answers("sts.json", "cases")
def test_token_is_a_signed_header(case: dict[str, Any]) -> None:
    """A server that runs on a role's credentials signs its token, too."""
    if case["scheme"] != "ACS3-HMAC-SHA256":
        return
    signed = sign(case, credentials=Credentials("id", "secret", "token"))

    assert signed["x-acs-security-token"] == "token"
    assert "x-acs-security-token;x-acs-signature-nonce" in signed["Authorization"]


def test_query_is_sorted_and_encoded() -> None:
    """By encoded name; a space is %20, a star and a slash are encoded."""
    canonical = build_canonical_request(
        "POST", query=[("b", "a b*/~"), ("a", "")], headers=[("host", " h ")], body_hash="x"
    )

    assert canonical == "POST\n/\na=&b=a%20b%2A%2F~\nhost:h\n\nhost\nx"
