"""Environs, tokens, and applications of one's own settings."""

import json
import re
import time
from base64 import urlsafe_b64encode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from ossgate.app import create_app
from ossgate.example_settings import DemoPlace, render_demo
from ossgate.settings import load_settings

ISSUER, AUDIENCE = "https://login.example/", "uploads"


@pytest.fixture
def make_environ():
    """Make what WSGI hands over for a request; keywords add variables."""

    def make(**changes):
        return {"REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.1", "HTTP_HOST": "uploads.example"} | changes

    return make


@pytest.fixture(scope="session")
def keys():
    """One key of each kind; making them is slow."""
    return {
        "RSA": RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"}),
        "RSA-2": RSAKey.generate_key(2048, {"kid": "rsa-2"}),
        "EC": ECKey.generate_key("P-256", {"kid": "ec-1"}),
        "P-384": ECKey.generate_key("P-384", {"kid": "ec-2"}),
        "OKP": OKPKey.generate_key("Ed25519", {"kid": "okp-1"}),
        "HMAC": OctKey.import_key(b"s" * 64),
    }


@pytest.fixture
def make_claims():
    """Make claims that are valid now; keywords change them, None takes one out."""

    def make(**changes):
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 300} | changes
        return {name: value for name, value in claims.items() if value is not None}

    return make


@pytest.fixture
def make_token(keys, make_claims):
    """Make a token; keywords change its claims, `key`, `header` and `claims` the rest."""

    def make(key="RSA", header=None, claims=None, **changes):
        signing = keys[key] if isinstance(key, str) else key
        full = {"alg": "RS256", **({"kid": signing.kid} if signing.kid else {})} | (header or {})
        return jwt.encode(
            {name: value for name, value in full.items() if value is not None},
            make_claims(**changes) if claims is None else claims,
            signing,
            algorithms=[full["alg"]],
        )

    return make


@pytest.fixture(scope="session")
def encode_part():
    """Encode a part of a token as it is, so that anything can stand in it."""

    def encode(value):
        encoded = value if isinstance(value, bytes) else json.dumps(value).encode()
        return urlsafe_b64encode(encoded).rstrip(b"=").decode()

    return encode


@pytest.fixture
def make_app(tmp_path):
    """Make applications of the demo's settings, with a table added and profiles opened to further ways."""
    made = []

    def make(added="", *, allow='["anonymous"]', server="", change=lambda text: text, files=None):
        folder = tmp_path / f"app{len(made)}"
        secrets = folder / "secrets"
        secrets.mkdir(mode=0o700, parents=True)
        contents = {
            "ticket.key": "t" * 43,
            "seal.key": "s" * 43,
            "access-key-id": "test-key-id",
            "access-key-secret": "test-key-secret",
        } | (files or {})
        for name, content in contents.items():
            (secrets / name).touch(mode=0o600)
            (secrets / name).write_text(content)
        text = render_demo(DemoPlace(8000, 1)).replace("[server]\n", "[server]\n" + server)
        text = re.sub(r"\[callback\.public_keys\]\n.*\n", "", text)
        text = text.replace('allow = ["anonymous"]', f"allow = {allow}")
        if "[limits]" in added:
            text = re.sub(r"\[limits\]\n(?:\w.*\n)+", "", text)
        (folder / "ossgate.toml").write_text(change(text) + "\n" + added, encoding="utf-8")
        app = create_app(load_settings(folder / "ossgate.toml", environ={}))
        app.extensions["signer"].ledger.upgrade()
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["signer"].bucket.close()
        app.extensions["signer"].ledger.close()


@pytest.fixture
def ask():
    """Ask for a grant, and return status, code and the answer."""

    def send(client, profile="photo", **options):
        body = {"profile": profile, "filename": "a.jpg"} | options.pop("fields", {})
        response = client.post("/v1/uploads", json=body, **options)
        return response.status_code, response.json.get("error", {}).get("code"), response

    return send
