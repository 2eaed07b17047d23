"""Asking as an operator, and something to ask about."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

OPERATOR = "ossgate_operator"


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
