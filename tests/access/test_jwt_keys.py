"""Keys that tokens are verified with: which are taken, and which serve which algorithm."""

import pytest
from joserfc.jwk import OctKey, RSAKey

from ossgate.access.jwt_keys import read_public_key, read_published_key, read_secret_key, select_keys, suits


@pytest.mark.parametrize(
    ("name", "algorithm", "fits"),
    [
        ("RSA", "RS256", True), ("RSA", "PS512", True), ("RSA", "ES256", False), ("RSA", "HS256", False),
        ("EC", "ES256", True), ("EC", "ES384", False), ("P-384", "ES384", True), ("EC", "RS256", False),
        ("OKP", "EdDSA", True), ("OKP", "Ed25519", True), ("OKP", "ES256", False),
        ("HMAC", "HS256", True), ("HMAC", "RS256", False),
    ],
)  # fmt: skip
def test_a_key_serves_the_algorithms_of_its_kind(keys, name, algorithm, fits):
    """Kind and curve decide; no key of one kind is used as another."""
    assert fits == suits(keys[name], algorithm)


def test_a_key_serves_what_it_says_of_itself():
    """A key for encryption, or for one algorithm, is for nothing else."""
    assert not suits(RSAKey.generate_key(2048, {"use": "enc"}), "RS256")
    assert not suits(RSAKey.generate_key(2048, {"alg": "RS512"}), "RS256")


def test_select_by_id(keys):
    """A token that names a key id is judged by that key alone; one that names none, by all that fit."""
    pool = [keys["RSA"], keys["RSA-2"], keys["EC"]]

    assert [keys["RSA-2"]] == select_keys(pool, "rsa-2", "RS256")
    assert pool[:2] == select_keys(pool, None, "RS256")
    assert [] == select_keys(pool, "ec-1", "RS256")
    assert [] == select_keys(pool, "", "RS256")


@pytest.mark.parametrize(("algorithm", "least"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_secrets_are_as_long_as_their_hash(algorithm, least):
    """RFC 7518 demands it, since shorter ones can be searched."""
    assert read_secret_key(b"s" * least, (algorithm,))
    with pytest.raises(ValueError, match=f"at least {least} bytes"):
        read_secret_key(b"s" * (least - 1), ("HS256", algorithm))


@pytest.mark.parametrize("name", ["RSA", "EC", "OKP"])
def test_public_keys_are_read(keys, name):
    """Public keys of each kind are read from PEM; private ones do not belong here."""
    assert type(keys[name]) is type(read_public_key(keys[name].as_pem(private=False)))
    with pytest.raises(ValueError, match="private key"):
        read_public_key(keys[name].as_pem(private=True))


@pytest.mark.parametrize("pem", [b"", b"x", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_what_is_no_public_key_is_refused(pem):
    """Anything else in the file stops the start."""
    with pytest.raises(ValueError, match="no RSA, EC or Ed25519 public key"):
        read_public_key(pem)


def test_a_public_key_is_no_secret(keys):
    """A PEM file that was named as a secret stops the start."""
    with pytest.raises(ValueError, match="PEM"):
        read_secret_key(keys["RSA"].as_pem(private=False), ("HS256",))


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_weak_and_shared_keys_of_a_set_are_refused():
    """A published key that could be broken, or that is a secret, verifies nothing."""
    weak = RSAKey.generate_key(1024)
    with pytest.raises(ValueError, match="1024 bits"):
        read_published_key(weak.as_dict(private=False))
    with pytest.raises(ValueError, match="no kind"):
        read_published_key(OctKey.generate_key(256).as_dict())
