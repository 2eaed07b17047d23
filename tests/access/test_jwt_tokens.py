"""JSON Web Tokens: what is accepted, and the code of each refusal."""

import contextlib
import hmac
import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws

from ossgate.access import AccessDenied
from ossgate.access.jwt_keys import FixedKeys
from ossgate.access.jwt_tokens import MAX_TOKEN_LENGTH, JwtRules, JwtVerifier

RULES = {
    "algorithms": ("RS256", "ES256", "EdDSA"),
    "issuer": "https://login.example/",
    "audience": ("uploads", "x"),
}


@pytest.fixture
def make_verifier(keys):
    def make(key_names=("RSA", "RSA-2", "EC", "P-384", "OKP"), clock=time.time, **changes):
        return JwtVerifier(
            JwtRules(**(RULES | changes)), FixedKeys([keys[name] for name in key_names]), clock=clock
        )

    return make


@pytest.fixture
def refusal(make_verifier):
    """Return the code that a token is refused with."""

    def judge(token, **changes):
        with pytest.raises(AccessDenied) as denied:
            make_verifier(**changes).identify(token, "192.0.2.1")
        assert denied.value.authenticate
        assert token[:40] not in denied.value.message + denied.value.hint or len(token) < 10
        return denied.value.code

    return judge


@pytest.mark.parametrize(
    ("key", "algorithm"), [("RSA", "RS256"), ("RSA-2", "RS256"), ("EC", "ES256"), ("OKP", "EdDSA")]
)
def test_a_token_names_its_subject(make_verifier, make_token, key, algorithm):
    """A token of each listed algorithm is believed."""
    caller = make_verifier().identify(make_token(key, {"alg": algorithm}), "192.0.2.1")

    assert ("jwt", "alice", "jwt:alice", "192.0.2.1", False) == (
        caller.way, caller.subject, caller.issuer, caller.address, caller.operator,
    )  # fmt: skip


def test_a_token_of_a_shared_secret(make_verifier, make_token):
    """With a secret, HMAC is believed."""
    verifier = make_verifier(("HMAC",), algorithms=("HS256", "HS512"))

    assert "alice" == verifier.identify(make_token("HMAC", {"alg": "HS512"}), "").subject


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1}, "jwt_expired"),
        ({"exp": None}, "jwt_claim_missing"),
        ({"exp": "soon"}, "jwt_claim_wrong"),
        ({"exp": True}, "jwt_claim_wrong"),
        ({"exp": [1]}, "jwt_claim_wrong"),
        ({"nbf": 9_999_999_999}, "jwt_not_yet_valid"),
        ({"nbf": "x"}, "jwt_claim_wrong"),
        ({"iat": 9_999_999_999}, "jwt_not_yet_valid"),
        ({"iss": "https://evil.example/"}, "jwt_issuer_wrong"),
        ({"iss": "https://login.example"}, "jwt_issuer_wrong"),
        ({"iss": ["https://login.example/"]}, "jwt_issuer_wrong"),
        ({"iss": None}, "jwt_claim_missing"),
        ({"aud": "other"}, "jwt_audience_wrong"),
        ({"aud": ["other", "another"]}, "jwt_audience_wrong"),
        ({"aud": []}, "jwt_audience_wrong"),
        ({"aud": {"uploads": 1}}, "jwt_audience_wrong"),
        ({"aud": 7}, "jwt_audience_wrong"),
        ({"aud": None}, "jwt_claim_missing"),
        ({"sub": None}, "jwt_subject_invalid"),
        ({"sub": ""}, "jwt_subject_invalid"),
        ({"sub": " alice"}, "jwt_subject_invalid"),
        ({"sub": "a\u202eb"}, "jwt_subject_invalid"),
        ({"sub": "a\x00"}, "jwt_subject_invalid"),
        ({"sub": "\ud800"}, "jwt_subject_invalid"),
        ({"sub": "图" * 41}, "jwt_subject_invalid"),
        ({"sub": ["alice"]}, "jwt_subject_invalid"),
        ({"sub": True}, "jwt_subject_invalid"),
        ({"sub": 1.5}, "jwt_subject_invalid"),
    ],
    ids=str,
)
def test_wrong_claims_are_refused(refusal, keys, make_claims, claims, code):
    """Each claim that is missing, of another type or of another value has its code."""
    payload = json.dumps(make_claims(**claims)).encode()
    token = jws.serialize_compact({"alg": "RS256"}, payload, keys["RSA"])

    assert code == refusal(token)


@pytest.mark.parametrize(
    "payload", [b"", b"x", b"[]", b"7", b"null", b'"a"', b"[" * 20_000, b"\xff"], ids=repr
)
def test_payloads_that_are_no_objects_are_refused(refusal, keys, payload):
    """A signature over something else than claims helps nothing."""
    token = jws.serialize_compact({"alg": "RS256"}, payload[:5000], keys["RSA"])

    assert "jwt_malformed" == refusal(token)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"alg": "none"}, "jwt_algorithm_forbidden"),
        ({"alg": "HS256"}, "jwt_algorithm_forbidden"),
        ({"alg": "RS512"}, "jwt_algorithm_forbidden"),
        ({"alg": "rs256"}, "jwt_algorithm_forbidden"),
        ({"alg": ["RS256"]}, "jwt_algorithm_forbidden"),
        ({"alg": {"RS256": 1}}, "jwt_algorithm_forbidden"),
        ({"alg": None}, "jwt_algorithm_forbidden"),
        ({}, "jwt_algorithm_forbidden"),
        ({"alg": "RS256", "crit": ["exp"]}, "jwt_crit_unsupported"),
        ({"alg": "RS256", "crit": 7}, "jwt_crit_unsupported"),
        ({"alg": "RS256", "crit": ["b64"], "b64": False}, "jwt_crit_unsupported"),
        ({"alg": "RS256", "kid": 7}, "jwt_malformed"),
        ({"alg": "RS256", "kid": ["a"]}, "jwt_malformed"),
        ({"alg": "RS256", "typ": 7}, "jwt_signature_invalid"),
        ({"alg": "RS256"}, "jwt_signature_invalid"),
        ([], "jwt_malformed"),
        ("RS256", "jwt_malformed"),
        (b"\xff\xfe", "jwt_malformed"),
        (b"[" * 1500, "jwt_malformed"),
        ({"alg": "RS256", "x5c": ["x" * 3000]}, "jwt_malformed"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_headers_are_refused(refusal, encode_part, make_claims, header, code):
    """No header widens what the operator listed, and none is a crash."""
    assert code == refusal(f"{encode_part(header)}.{encode_part(make_claims())}.{encode_part(b'x' * 256)}")


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b", "a.b.c.d", "a.b.c.d.e", "é.b.c", "a b.c.d", "a.b.", "=.=.=", "\ud800.b.c"]
)
def test_what_is_no_token_is_refused(refusal, token):
    """Anything but three parts of Base64 is malformed."""
    assert "jwt_malformed" == refusal(token)


def test_a_token_of_any_length_is_refused_before_it_is_read(refusal, make_token):
    """A bearer of megabytes costs nothing."""
    assert "jwt_malformed" == refusal(make_token(claims={"x": "y" * MAX_TOKEN_LENGTH}))


def test_changed_and_foreign_tokens_are_refused(refusal, make_token, make_verifier):
    """A token that was changed, or that a key of somebody else's signed, is not believed."""
    head, payload, signature = make_token().split(".")
    other = make_token(sub="bob").split(".")[1]

    assert "jwt_signature_invalid" == refusal(f"{head}.{other}.{signature}")
    assert "jwt_signature_invalid" == refusal(f"{head}.{payload}.{signature[:-8]}AAAAAAAA")
    assert "jwt_signature_invalid" == refusal(make_token("RSA-2"), key_names=("RSA",))
    assert "jwt_key_unknown" == refusal(make_token(), key_names=("EC",))


def test_a_public_key_is_never_taken_for_a_secret(refusal, keys, make_token, make_claims, encode_part):
    """The oldest trick: HMAC with the public key's text, which everybody has."""
    signed = f"{encode_part({'alg': 'HS256'})}.{encode_part(make_claims())}"
    mac = hmac.digest(keys["RSA"].as_pem(private=False), signed.encode(), "sha256")
    forged = f"{signed}.{encode_part(mac)}"

    assert "jwt_algorithm_forbidden" == refusal(forged)
    assert "jwt_key_unknown" == refusal(forged, algorithms=("RS256", "HS256"))


def test_leeway_bounds_both_ends(make_verifier, make_token):
    """Clocks may differ by the leeway and by no more."""
    token = make_token(exp=1000, nbf=900, iat=900)

    for moment, code in ((869, "jwt_not_yet_valid"), (871, None), (1029, None), (1030, "jwt_expired")):
        verifier = make_verifier(clock=lambda moment=moment: moment, leeway=30)
        if code is None:
            verifier.identify(token, "")
            continue
        with pytest.raises(AccessDenied) as denied:
            verifier.identify(token, "")
        assert code == denied.value.code


def test_subject_may_be_another_claim_and_a_number(make_verifier, make_token):
    """Databases count people."""
    verifier = make_verifier(subject_claim="user_id")

    assert "jwt:42" == verifier.identify(make_token(user_id=42, sub=7), "").issuer


@pytest.mark.parametrize(
    ("claims", "operator"),
    [
        ({"realm": {"roles": ["user", "ops"]}}, True),
        ({"realm": {"roles": "user ops"}}, True),
        ({"realm": {"roles": ["user", "ops2"]}}, False),
        ({"realm": {"roles": "opsy"}}, False),
        ({"realm": {"roles": {"ops": True}}}, False),
        ({"realm": ["ops"]}, False),
        ({"realm": "ops"}, False),
        ({"realm": {"roles": True}}, False),
        ({}, False),
    ],
    ids=str,
)
def test_operators_by_claim(make_verifier, make_token, claims, operator):
    """The claim and value of the settings make an operator, and nothing that looks like them."""
    verifier = make_verifier(operator_claim="realm.roles", operator_value="ops")

    assert operator == verifier.identify(make_token(**claims), "").operator


@given(st.text(max_size=200) | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}"))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_denied(make_verifier, garbage):
    """Whatever is sent for a token ends in a refusal."""
    with pytest.raises(AccessDenied):
        make_verifier().identify(garbage, "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(
    name=st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "realm"]), value=JSON, header=JSON
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_signed_garbage_is_believed_or_denied(
    make_verifier, make_claims, keys, encode_part, name, value, header
):
    """Even who holds the key cannot make a crash of a claim or a header."""
    verifier = make_verifier(
        ("HMAC",), algorithms=("HS256",), operator_claim="realm.roles", operator_value="x"
    )
    payload = json.dumps(make_claims() | {name: value}).encode()
    signed = jws.serialize_compact({"alg": "HS256"}, payload, keys["HMAC"])
    _, rest = signed.split(".", 1)

    for token in (signed, f"{encode_part({'alg': 'HS256', 'kid': header, 'typ': header})}.{rest}"):
        with contextlib.suppress(AccessDenied):
            verifier.identify(token, "")
