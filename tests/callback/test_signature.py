"""Layer 1 on its known answers, the real OSS's among them."""

import json
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.errors import CallbackRefused, PublicKeyUrlRejected, SignatureInvalid
from callback.public_keys import OSS_KEY_URLS, PinnedKeys, PublicKeyInvalid, load_oss_key, load_public_key
from callback.signature import build_string_to_sign, verify_signature

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "callback-signature.json").read_text())
HEADER_HTTP = b64encode(OSS_KEY_URLS[1].encode()).decode()
REAL = VECTORS["positive"][0]


def verify(raw_target, body, authorization, header=HEADER_HTTP, keys=None):
    verify_signature(
        raw_target, body, authorization=authorization, public_key_url=header, keys=keys or PinnedKeys()
    )


@pytest.mark.parametrize("case", VECTORS["positive"], ids=lambda case: case["name"])
def test_verify_signature_accepts_what_the_real_oss_signed(case):
    """The real service's 512-bit signature verifies; the day cryptography refuses it, this fails."""
    headers = case["headers"]

    assert case["string_signed"].encode() == build_string_to_sign(
        case["request_target"], case["body"].encode()
    )
    verify(
        case["request_target"], case["body"].encode(), headers["authorization"], headers["x-oss-pub-key-url"]
    )


@pytest.mark.parametrize("case", VECTORS["negative"], ids=lambda case: case["name"])
def test_verify_signature_refuses_each_spoiled_copy(case):
    """Each change that a proxy or an attacker makes is refused."""
    with pytest.raises(SignatureInvalid):
        verify(case["request_target"], case["body"].encode(), case["authorization"])


@pytest.mark.parametrize("case", VECTORS["equivalent_targets"], ids=lambda case: case["name"])
def test_verify_signature_decodes_the_path_and_not_the_query(case):
    """The path is signed decoded, the query raw."""
    arguments = (case["request_target"], case["body"].encode(), case["authorization"])
    if case["verifies"]:
        verify(*arguments)
    else:
        with pytest.raises(SignatureInvalid):
            verify(*arguments)


@pytest.mark.parametrize("position", range(0, 88, 7))
def test_verify_signature_refuses_a_flipped_signature_character(position):
    """No character of the real signature can change."""
    authorization = REAL["headers"]["authorization"]
    other = "A" if authorization[position] != "A" else "B"
    spoiled = authorization[:position] + other + authorization[position + 1 :]

    with pytest.raises(SignatureInvalid):
        verify(REAL["request_target"], REAL["body"].encode(), spoiled)


def test_shipped_key_is_the_documented_one():
    """The PEM in the package is OSS's key, 512 bits."""
    key = load_public_key(load_oss_key())

    assert 512 == key.key_size
    assert int(VECTORS["public_key"]["modulus_hex"], 16) == key.public_numbers().n


@pytest.mark.parametrize("case", VECTORS["pub_key_url_header_values"], ids=lambda case: case["decoded"])
def test_find_key_knows_both_urls_of_oss(case):
    """One key stands behind both URLs that OSS sends."""
    assert PinnedKeys().find_key(case["header"]).key_size == 512


@pytest.mark.parametrize("case", VECTORS["pub_key_url_must_reject"], ids=lambda case: case["why"])
def test_find_key_refuses_each_known_trick(case):
    """A URL that only resembles OSS's is refused, and nothing is fetched."""
    with pytest.raises(PublicKeyUrlRejected):
        PinnedKeys().find_key(case["header"])


@pytest.mark.parametrize(
    "header", ["", "not base64!", "////", "é", "A" * 5000, b64encode("键".encode()).decode()]
)
def test_find_key_refuses_a_malformed_header(header):
    """What is no Base64 of an ASCII URL is refused, however long."""
    with pytest.raises(PublicKeyUrlRejected):
        PinnedKeys().find_key(header)


def test_find_key_keeps_extra_keys_apart(rsa_key, public_keys):
    """A key of the settings answers under its own URL only; its signature fails under OSS's."""
    with pytest.raises(PublicKeyUrlRejected):
        PinnedKeys().find_key(b64encode(b"http://127.0.0.1:9000/_emulator/callback.pem").decode())
    assert public_keys.find_key(b64encode(b"http://127.0.0.1:9000/_emulator/callback.pem").decode())


def test_verify_signature_refuses_another_keys_signature(make_callback_request, public_keys):
    """A signature of the emulator's key is refused when the request names OSS's URL."""
    request = make_callback_request()

    with pytest.raises(SignatureInvalid):
        verify(request.raw_target, request.body, request.authorization, HEADER_HTTP, public_keys)


@pytest.mark.parametrize(("authorization", "header"), [("", HEADER_HTTP), ("AAAA", ""), ("", "")])
def test_verify_signature_refuses_an_unsigned_request(authorization, header):
    """Without either header OSS did not send it."""
    with pytest.raises(SignatureInvalid):
        verify("/callback", b"{}", authorization, header)


@pytest.mark.parametrize(
    "pem", [b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"\xff"]
)
def test_load_public_key_refuses_what_is_no_key(pem):
    """A broken PEM in the settings is named when the server starts."""
    with pytest.raises(PublicKeyInvalid):
        load_public_key(pem)


def test_load_public_key_refuses_another_kind_of_key():
    """OSS signs with RSA alone."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = (
        Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )

    with pytest.raises(PublicKeyInvalid, match="another kind"):
        load_public_key(pem)


@given(
    raw_target=st.text(st.characters(max_codepoint=255), max_size=80),
    body=st.binary(max_size=200),
    authorization=st.text(max_size=120),
    header=st.one_of(st.just(HEADER_HTTP), st.text(max_size=120)),
)
def test_verify_signature_ends_only_in_our_errors(raw_target, body, authorization, header):
    """Garbage is refused, never believed and never a crash."""
    with pytest.raises(CallbackRefused):
        verify(raw_target, body, authorization, header)
