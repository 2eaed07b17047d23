"""What the tests of the signing core build upon: valid things, one part of which a test spoils."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from signer.callback_body import DEFAULT_JSON, compile_body
from signer.callback_param import CallbackDefinition, define_callback
from signer.credentials import Credentials
from signer.facts import Facts
from signer.grants import Grant, GrantIssuer, GrantRequest
from signer.object_keys import compile_key_template
from signer.places import define_place
from signer.profiles import Profile
from signer.seal import SealKeys
from signer.ticket import TicketKeys

settings.register_profile("quick", max_examples=100, deadline=None, database=None)
settings.load_profile("quick")

VECTORS = Path(__file__).parents[1] / "vectors"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UPLOAD_ID = "01KDYBB5M8000000000000TEST"
TICKET_KEY = b"t" * 32
SEAL_KEY = b"s" * 32


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each entry of a list in a file of known answers: `@pytest.mark.known_answers(file, list)`."""
    for mark in metafunc.definition.iter_markers("known_answers"):
        file_name, key = mark.args
        cases = json.loads((VECTORS / file_name).read_text("utf-8"))[key]
        names = [case.get("id") or case.get("name") or case.get("where") for case in cases]
        metafunc.parametrize("case", cases, ids=names)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "known_answers(file, list): run once for each known answer")


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def make_credentials() -> Callable[..., Credentials]:
    def make(**changes: Any) -> Credentials:
        given: dict[str, Any] = {
            "access_key_id": "AKIDEXAMPLE",
            "access_key_secret": "example-secret-not-real",
        } | changes
        return Credentials(**given)

    return make


@pytest.fixture
def make_callback() -> Callable[..., CallbackDefinition]:
    def make(
        *, body: str = DEFAULT_JSON, body_type: Any = "json", urls: Any = None, **options: Any
    ) -> CallbackDefinition:
        urls = ["https://uploads.example.com/callback"] if urls is None else urls
        return define_callback(urls, compile_body(body, body_type), **options)

    return make


@pytest.fixture
def make_profile(make_callback: Callable[..., CallbackDefinition]) -> Callable[..., Profile]:
    def make(**changes: Any) -> Profile:
        if isinstance(changes.get("object_key"), str):
            changes["object_key"] = compile_key_template(changes["object_key"])
        given: dict[str, Any] = {
            "name": "photo",
            "place": define_place("examplebucket", "cn-hangzhou"),
            "object_key": compile_key_template("photos/{subject}/{date}/{upload_id}{ext}"),
            "callback": make_callback(),
            "allow": ("anonymous",),
        } | changes
        return Profile(**given)

    return make


@pytest.fixture
def make_grant_request() -> Callable[..., GrantRequest]:
    def make(**changes: Any) -> GrantRequest:
        given: dict[str, Any] = {
            "filename": "photo.jpg",
            "size": 1234,
            "content_type": "image/jpeg",
        } | changes
        return GrantRequest(**given)

    return make


@pytest.fixture
def make_facts() -> Callable[..., Facts]:
    def make(**changes: Any) -> Facts:
        given: dict[str, Any] = {
            "use": "once",
            "upload_id": UPLOAD_ID,
            "profile": "photo",
            "issuer": "anonymous",
            "subject": "anonymous",
            "bucket": "examplebucket",
            "object_key": f"photos/{UPLOAD_ID}.jpg",
            "size_min": 1,
            "size_max": 1234,
            "content_type": "image/jpeg",
            "file_name": "照片.jpg",
            "variables": {"album": "猫", "order": 7, "public": True},
            "issued_at": 1767323045,
            "expires_at": 1767323505,
        }
        return Facts(**(given | changes))

    return make


@pytest.fixture
def ticket_keys() -> TicketKeys:
    return TicketKeys([TICKET_KEY])


@pytest.fixture
def seal_keys() -> SealKeys:
    return SealKeys([SEAL_KEY])


@pytest.fixture
def make_issuer(
    ticket_keys: TicketKeys, seal_keys: SealKeys, make_credentials: Callable[..., Credentials]
) -> Callable[..., GrantIssuer]:
    def make(**changes: Any) -> GrantIssuer:
        credentials = make_credentials(**changes.pop("credentials", {}))
        given: dict[str, Any] = {
            "ticket_keys": ticket_keys,
            "seal_keys": seal_keys,
            "credentials": lambda: credentials,
            "new_upload_id": lambda now: UPLOAD_ID,
        }
        return GrantIssuer(**(given | changes))

    return make


@pytest.fixture
def make_grant(
    make_issuer: Callable[..., GrantIssuer],
    make_profile: Callable[..., Profile],
    make_grant_request: Callable[..., GrantRequest],
) -> Callable[..., Grant]:
    """Issue a grant; keywords change the request, `profile`, `issuer` and `caller` the rest."""

    def make(
        *,
        profile: dict[str, Any] | None = None,
        issuer: dict[str, Any] | None = None,
        caller: str = "anonymous",
        subject: str = "anonymous",
        now: datetime = NOW,
        **request: Any,
    ) -> Grant:
        return make_issuer(**(issuer or {})).issue_grant(
            make_profile(**(profile or {})),
            make_grant_request(**request),
            issuer=caller,
            subject=subject,
            now=now,
        )

    return make
