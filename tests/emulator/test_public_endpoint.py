"""The trap of mainland regions: no data by the public endpoint."""

from collections.abc import Callable
from typing import Any

import pytest

PUBLIC = "test-bucket.oss-cn-hangzhou.aliyuncs.com"
INTERNAL = "test-bucket.oss-cn-hangzhou-internal.aliyuncs.com"


def get(client: Any, host: str, key: str = "a.txt", query: str = "") -> Any:
    named = {query: ""} if query else None
    headers = {**client.make_headers_v4("GET", key, query=named), "Host": host}
    return client.request("GET", f"/{key}" + (f"?{query}" if query else ""), headers=headers)


def test_data_is_refused(start_emulator: Callable[..., Any]) -> None:
    """Objects and listings are refused by the public endpoint, and by no other name."""
    client = start_emulator(refuse_public_endpoint=True, cname_buckets={"img.example.com": "test-bucket"})
    client.put()
    for answer in (get(client, PUBLIC), get(client, PUBLIC, key="")):
        assert (400, "PublicEndpointForbidden", "0048-00000401") == (
            answer.error[0],
            answer.error[1],
            answer.error[3],
        )
    assert b"hello" == get(client, INTERNAL).body
    assert b"hello" == get(client, "img.example.com").body


def test_forms_are_refused(start_emulator: Callable[..., Any]) -> None:
    """A form by the public endpoint is refused before it is read."""
    client = start_emulator(refuse_public_endpoint=True)
    answer = client.post(target="/", headers={"Host": PUBLIC})

    assert (400, "PublicEndpointForbidden") == answer.error[:2]
    assert 204 == client.post().status


def test_settings_of_the_bucket_are_told(start_emulator: Callable[..., Any]) -> None:
    """What manages buckets may still be asked for."""
    client = start_emulator(refuse_public_endpoint=True)

    assert 200 == get(client, PUBLIC, key="", query="bucketInfo").status


@pytest.mark.parametrize(
    "options", [{}, {"refuse_public_endpoint": True, "region": "eu-central-1"}, {"region": "cn-hongkong"}]
)
def test_open_trap(start_emulator: Callable[..., Any], options: dict[str, Any]) -> None:
    """Without the option, and outside the mainland, the public endpoint serves data."""
    client = start_emulator(**options)
    client.region = options.get("region", client.region)
    client.put()

    assert b"hello" == get(client, f"test-bucket.oss-{client.region}.aliyuncs.com").body
