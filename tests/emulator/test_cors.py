"""Cross-origin requests."""

from collections.abc import Callable
from typing import Any

import pytest

ORIGIN = {"Origin": "https://app.example.com"}
EXPOSED = "ETag, x-oss-request-id, x-oss-hash-crc64ecma, Content-MD5, x-oss-version-id, x-oss-ec"
FORBIDDEN = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "
    "request method / Access-Control-Request-Method or Access-Control-Requet-Headers are not whitelisted "
    "by the resource's CORS spec."
)


def preflight(client: Any, **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request("OPTIONS", "/test-bucket/a.txt", headers=names)


def test_preflight(client: Any) -> None:
    """A preflight is answered without a signature, with everything that a browser asks for."""
    answer = preflight(
        client,
        Origin="https://app.example.com",
        Access_Control_Request_Method="PUT",
        Access_Control_Request_Headers="x-oss-date, authorization",
    )

    assert (200, "0") == (answer.status, answer.headers["Content-Length"])
    assert "*" == answer.headers["Access-Control-Allow-Origin"]
    assert "GET, PUT, DELETE, POST, HEAD" == answer.headers["Access-Control-Allow-Methods"]
    assert "x-oss-date, authorization" == answer.headers["Access-Control-Allow-Headers"]
    assert EXPOSED == answer.headers["Access-Control-Expose-Headers"]
    assert "600" == answer.headers["Access-Control-Max-Age"]


def test_preflight_incomplete(client: Any) -> None:
    """What is missing is told."""
    no_origin = preflight(client, Access_Control_Request_Method="PUT").error
    no_method = preflight(client, Origin="https://app.example.com").error

    assert (400, "Insufficient information. Origin request header needed.") == (no_origin[0], no_origin[2])
    message = "Insufficient information. Request Access-Control-Request-Method header needed."
    assert (400, message) == (no_method[0], no_method[2])


def test_preflight_refused(start_emulator: Callable[..., Any]) -> None:
    """A foreign origin or an unknown method is refused in OSS's own spelling."""
    client = start_emulator(cors_origins=("https://app.example.com",))
    origin = preflight(client, Origin="https://evil.example", Access_Control_Request_Method="PUT")
    method = preflight(client, Origin="https://app.example.com", Access_Control_Request_Method="PATCH")

    assert (403, "AccessForbidden", FORBIDDEN, "") == origin.error == method.error


def test_exact_origin_is_echoed(start_emulator: Callable[..., Any]) -> None:
    """Named origins are echoed, and caches are told that the answer depends on them."""
    client = start_emulator(cors_origins=("https://other.example", "https://*.example.com"))
    answer = client.post(headers=ORIGIN)
    foreign = client.post(headers={"Origin": "https://evil.example"})

    assert "https://app.example.com" == answer.headers["Access-Control-Allow-Origin"]
    assert "Origin" == answer.headers["Vary"]
    assert (204, None) == (foreign.status, foreign.headers["Access-Control-Allow-Origin"])


def test_switched_off(start_emulator: Callable[..., Any]) -> None:
    """Without a rule there are no headers, and a preflight is refused."""
    client = start_emulator(cors_origins=())

    assert client.post(headers=ORIGIN).headers["Access-Control-Allow-Origin"] is None
    refused = preflight(client, Origin="https://app.example.com", Access_Control_Request_Method="PUT")
    assert "AccessForbidden" == refused.error[1]


@pytest.mark.parametrize("status", [200, 203, 204, 400, 403, 404, 501])
def test_on_every_answer(
    client: Any, receiver: Any, callback: Callable[..., str], make_reply: Any, status: int
) -> None:
    """A page may read successes, 203 and errors alike."""
    encoded = callback(receiver.url)
    if status == 203:
        receiver.answer = lambda _: make_reply(500)
    answers: dict[int, Callable[[], Any]] = {
        200: lambda: client.post(client.make_fields(callback=encoded), headers=ORIGIN),
        203: lambda: client.post(client.make_fields(callback=encoded), headers=ORIGIN),
        204: lambda: client.post(headers=ORIGIN),
        400: lambda: client.post({}, headers=ORIGIN),
        403: lambda: client.post({"key": "a"}, headers=ORIGIN),
        404: lambda: client.get("none", headers=ORIGIN),
        501: lambda: client.send("POST", "a", query={"restore": ""}, headers=ORIGIN),
    }
    answer = answers[status]()

    assert (status, "*") == (answer.status, answer.headers["Access-Control-Allow-Origin"])
    assert EXPOSED == answer.headers["Access-Control-Expose-Headers"]


def test_without_an_origin(client: Any) -> None:
    """Requests that are not cross-origin get no such headers."""
    assert client.post().headers["Access-Control-Allow-Origin"] is None
