"""Valid things that contracts write down, and one call that has a contract write them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from signer.credentials import Credentials
from signer.dialects.contract import Dialect, DialectAnswer, DialectRequest, Options, Refusal
from signer.dialects.handed import HandedCredentials, HandedFile, HandedForm
from signer.dialects.registry import DIALECTS

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
V1_FIELDS = {
    "success_action_status": "200",
    "callback": "Y2FsbGJhY2s=",
    "OSSAccessKeyId": "EXAMPLE-AK",
    "policy": "cG9saWN5",
    "Signature": "c2lnbmF0dXJl",
}
V4_FIELDS = {
    "success_action_status": "200",
    "callback": "Y2FsbGJhY2s=",
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
    "x-oss-credential": "STS.EXAMPLE-AK/20260102/cn-hangzhou/oss/aliyun_v4_request",
    "x-oss-date": "20260102T030405Z",
    "x-oss-security-token": "EXAMPLE-TOKEN",
    "policy": "cG9saWN5",
    "x-oss-signature": "0f3c",
}


@pytest.fixture
def make_form() -> Callable[..., HandedForm]:
    """Make a signed form; the fields are those of a V1 form unless told."""

    def make(version: str = "v1", **changes: Any) -> HandedForm:
        given: dict[str, Any] = {
            "host": "https://demo-bucket.oss-cn-hangzhou.aliyuncs.com",
            "prefix": "user-dir/GRANT.MAC/",
            "fields": V4_FIELDS if version == "v4" else V1_FIELDS,
            "callback_param": "Y2FsbGJhY2s=",
            "expires_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        return HandedForm(**(given | changes))

    return make


@pytest.fixture
def make_temporary() -> Callable[..., HandedCredentials]:
    """Make temporary credentials that live for an hour."""

    def make(**changes: Any) -> HandedCredentials:
        given: dict[str, Any] = {
            "credentials": Credentials("STS.EXAMPLE-AK", "EXAMPLE-SECRET", "EXAMPLE-TOKEN"),
            "prefix": "app/GRANT.MAC/",
            "grant": "HELD",
            "bucket": "demo-bucket",
            "region": "cn-hangzhou",
            "endpoint": "https://oss-cn-hangzhou.aliyuncs.com",
            "callback": {
                "callbackUrl": "https://u.example.com/callback",
                "callbackBody": "{}",
                "callbackBodyType": "application/json",
            },
            "expires_at": datetime(2026, 1, 2, 4, 4, 5, 999_999, tzinfo=UTC),
            "now": NOW,
        }
        return HandedCredentials(**(given | changes))

    return make


@pytest.fixture
def make_file() -> Callable[..., HandedFile]:
    """Make one exact upload, by a form unless told."""

    def make(**changes: Any) -> HandedFile:
        given: dict[str, Any] = {
            "method": "POST",
            "url": "https://demo-bucket.oss-cn-hangzhou.aliyuncs.com",
            "fields": {"key": "photos/a.png", "policy": "cG9saWN5"},
            "headers": {},
            "object_key": "photos/a.png",
            "upload_id": "01KDYBB5M8000000000000TEST",
            "seconds": 460,
        }
        return HandedFile(**(given | changes))

    return make


@pytest.fixture
def speak() -> Callable[..., DialectAnswer]:
    """Have a contract answer: what it was handed, with changed options and request fields."""

    def answer(
        name: str, handed: Any, *, route: int = 0, request: dict[str, Any] | None = None, **options: Any
    ) -> DialectAnswer:
        dialect = DIALECTS[name]
        return dialect.routes[route].render(
            handed, DialectRequest(**(request or {})), choose_options(dialect, **options)
        )

    return answer


@pytest.fixture
def ask() -> Callable[..., Any]:
    """Have a contract read a request; the wish that it comes to."""

    def read(name: str, *, route: int = 0, options: dict[str, Any] | None = None, **request: Any) -> Any:
        dialect = DIALECTS[name]
        return dialect.routes[route].read(
            DialectRequest(**request), choose_options(dialect, **(options or {}))
        )

    return read


@pytest.fixture
def refuse() -> Callable[..., DialectAnswer]:
    """Have a contract refuse."""

    def answer(
        name: str, refusal: Refusal, *, request: dict[str, Any] | None = None, **options: Any
    ) -> DialectAnswer:
        dialect = DIALECTS[name]
        return dialect.refuse(refusal, DialectRequest(**(request or {})), choose_options(dialect, **options))

    return answer


def choose_options(dialect: Dialect, **changes: Any) -> Options:
    return replace(dialect.defaults, **({"variant": dialect.variants[0]} | changes))
