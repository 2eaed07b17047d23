"""The two signatures: known answers, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ossgate.emulator.sts.signatures import (
    build_acs3_string_to_sign,
    build_canonical_request,
    build_rpc_string_to_sign,
    compute_acs3_signature,
    compute_rpc_signature,
)

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "sts.json").read_text("utf-8")
)["cases"]
RPC = [case for case in CASES if case["scheme"].startswith("RPC")]
ACS3 = [case for case in CASES if case["scheme"].startswith("ACS3")]


def name(case: dict[str, Any]) -> str:
    return str(case["id"])


def test_every_vector_is_used() -> None:
    """No case of the file belongs to neither scheme."""
    assert 4 == len(CASES) == len(RPC) + len(ACS3)


@pytest.mark.parametrize("case", RPC, ids=name)
def test_rpc_known_answers(case: dict[str, Any]) -> None:
    """String to sign and signature are those that the documentation and SDKs give."""
    text = build_rpc_string_to_sign(case["method"], case["params"].items())

    assert case["expected"]["string_to_sign"] == text
    assert case["expected"]["signature"] == compute_rpc_signature(case["access_key_secret"], text)


@pytest.mark.parametrize("case", ACS3, ids=name)
def test_acs3_known_answers(case: dict[str, Any]) -> None:
    """Canonical request, string to sign and signature are those of the documentation."""
    canonical = build_canonical_request(
        method=case["method"],
        path=case["path"],
        query=case["query"].items(),
        headers=case["headers"],
        signed_headers=sorted(case["headers"]),
        body=case["body"].encode(),
    )
    text = build_acs3_string_to_sign(canonical)

    assert case["expected"]["canonical_request"] == canonical
    assert case["expected"]["string_to_sign"] == text
    assert case["expected"]["signature"] == compute_acs3_signature(case["access_key_secret"], text)


@pytest.mark.parametrize("case", RPC, ids=name)
def test_rpc_signature_of_a_changed_call_is_another(case: dict[str, Any]) -> None:
    """A byte more in any parameter, or the other method, and the signature is no longer the same."""
    changed = [{**case["params"], key: value + "x"} for key, value in case["params"].items()]
    texts = [build_rpc_string_to_sign(case["method"], params.items()) for params in changed]
    texts.append(
        build_rpc_string_to_sign({"GET": "POST", "POST": "GET"}[case["method"]], case["params"].items())
    )

    assert case["expected"]["signature"] not in {
        compute_rpc_signature(case["access_key_secret"], text) for text in texts
    }


def test_signature_mismatch_shows_what_was_signed(caller: Any) -> None:
    """The refusal quotes the string to sign, so that a wrong signer can be found."""
    status, code, message = caller.call(signature="AAAA").error

    assert (400, "SignatureDoesNotMatch") == (status, code)
    assert message.startswith(
        "Specified signature is not matched with our calculation. "
        "server string to sign is:GET&%2F&AccessKeyId%3Dtest-key-id%26Action%3DAssumeRole"
    )


def test_acs3_mismatch_shows_canonical_request(caller: Any) -> None:
    """The refusal quotes both texts of V3."""
    headers = caller.make_acs3("POST", {})
    headers["x-acs-version"] = "2015-04-02"
    status, code, message = caller.send("POST", headers=headers).error

    assert (400, "SignatureDoesNotMatch") == (status, code)
    assert "server StringToSign is [ACS3-HMAC-SHA256\n" in message
    assert "x-acs-version:2015-04-02\n" in message


@pytest.mark.parametrize("shape", ["query", "form"])
def test_mismatch_never_shows_a_token(caller: Any, shape: str) -> None:
    """A security token is masked in the refusal."""
    session = caller.as_session(caller.call().credentials)
    message = session.call(shape, signature="AAAA").error[2]

    assert "SecurityToken%3D***" in message
    assert session.token[:20] not in message
    assert session.token[-20:].rstrip("=") not in message


def test_acs3_mismatch_never_shows_a_token(caller: Any) -> None:
    """Nor does the refusal of a V3 call."""
    session = caller.as_session(caller.call().credentials)
    session.secret = "wrong"
    message = session.call_acs3().error[2]

    assert "x-acs-security-token:***" in message
    assert session.token[-20:] not in message


def test_acs3_host_may_be_signed_without_port(caller: Any) -> None:
    """Some SDKs sign the host without the port that they send."""
    headers = caller.make_acs3("POST", {"RoleArn": "acs:ram::1234567890123456:role/a"}, host="127.0.0.1")
    answer = caller.send(
        "POST",
        query="RoleArn=acs:ram::1234567890123456:role/a",
        headers={**headers, "host": "127.0.0.1:9000"},
    )

    assert "MissingRoleSessionName" == answer.error[1]


ACS3_REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"x_acs_date": None}, "MissingTimestamp"),
    ({"x_acs_version": None}, "MissingVersion"),
    ({"x_acs_signature_nonce": None}, "MissingSignatureNonce"),
    ({"x_acs_action": None}, "MissingAction"),
    ({"x_acs_action": "GetCallerIdentity"}, "InvalidApi.NotFound"),
    ({"x_acs_version": "2014-01-01"}, "InvalidVersion"),
    ({"x_acs_date": "20260102T120000Z"}, "InvalidTimeStamp.Format"),
    ({"x_acs_date": "2026-01-02T11:44:59Z"}, "InvalidTimeStamp.Expired"),
    ({"unsigned": ("x-acs-action",)}, "IncompleteSignature"),
    ({"unsigned": ("x-acs-date",)}, "IncompleteSignature"),
    ({"x_acs_other": "1", "unsigned": ("x-acs-other",)}, "IncompleteSignature"),
]


@pytest.mark.parametrize(("changes", "code"), ACS3_REFUSALS)
def test_acs3_refusals(caller: Any, changes: dict[str, Any], code: str) -> None:
    """Each spoilt part of a V3 call has its refusal."""
    assert code == caller.call_acs3(**changes).error[1]


@pytest.mark.parametrize(
    "authorization",
    [
        "ACS3-HMAC-SHA256",
        "ACS3-HMAC-SHA256 Credential=a",
        "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=",
        "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=b,Extra=c",
        "ACS3-HMAC-SHA256 ,,,,",
    ],
)
def test_acs3_authorization_malformed(caller: Any, authorization: str) -> None:
    """An Authorization header of another shape is refused as such."""
    headers = {**caller.make_acs3("POST", {}), "authorization": authorization}

    assert (400, "IncompleteSignature") == caller.send("POST", headers=headers).error[:2]


def test_acs3_body_is_signed(caller: Any, make_caller: Callable[..., Any]) -> None:
    """Parameters in a form body are covered by the signature: as signed they count, changed they do not."""
    body = b"RoleArn=acs%3Aram%3A%3A1234567890123456%3Arole%2Fa&RoleSessionName=bob"
    form = {"content_type": "application/x-www-form-urlencoded"}
    headers = caller.make_acs3("POST", {}, body=body, **form)

    assert 200 == caller.send("POST", body=body, headers=headers).status
    headers = caller.make_acs3("POST", {}, body=body, **form)
    assert "SignatureDoesNotMatch" == caller.send("POST", body=body + b"x", headers=headers).error[1]
