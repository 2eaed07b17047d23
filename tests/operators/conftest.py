"""An application with a demo's settings, one key of an operator and one of somebody else."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ossgate.access.keys import hash_api_key
from ossgate.app import create_app
from ossgate.example_settings import DemoPlace, render_demo
from ossgate.settings import load_settings

OPERATOR, BACKEND = "ossgate_operator", "ossgate_backend"
SECRETS = {
    "ticket.key": "t" * 43,
    "seal.key": "s" * 43,
    "access-key-id": "test-key-id",
    "access-key-secret": "test-key-secret",
}


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Make applications of the demo's settings, changed by a function from text to text."""
    made: list[Flask] = []

    def make(change: Callable[[str], str] = lambda text: text) -> Flask:
        secrets = tmp_path / "secrets"
        secrets.mkdir(mode=0o700, exist_ok=True)
        for name, content in SECRETS.items():
            (secrets / name).touch(mode=0o600)
            (secrets / name).write_text(content)
        text = re.sub(r"\[callback\.public_keys\]\n.*\n", "", render_demo(DemoPlace(8000, 1)))
        text += (
            f'\n[access.api_keys.ops]\nhash = "{hash_api_key(OPERATOR)}"\noperator = true\n'
            f'[access.api_keys.shop]\nhash = "{hash_api_key(BACKEND)}"\n'
        )
        (tmp_path / "ossgate.toml").write_text(change(text), encoding="utf-8")
        app = create_app(load_settings(tmp_path / "ossgate.toml", environ={}))
        app.extensions["signer"].ledger.upgrade()
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["signer"].bucket.close()
        app.extensions["signer"].ledger.close()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """Make the usual application."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Make a client of it."""
    return app.test_client()


@pytest.fixture
def ask(client: FlaskClient) -> Callable[..., Any]:
    """Ask as the operator; keywords become the query."""

    def get(path: str, *, key: str | None = OPERATOR, **query: Any) -> Any:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return client.get(path, headers=headers, query_string=query)

    return get


@pytest.fixture
def issue(client: FlaskClient) -> Callable[..., str]:
    """Ask for a grant and return its id."""

    def post(filename: str = "cat.jpg", profile: str = "photo") -> str:
        response = client.post("/v1/uploads", json={"profile": profile, "filename": filename})
        assert response.status_code == 201
        upload_id: str = response.json["upload_id"]
        return upload_id

    return post
