"""GetObject: presigned, overridden, conditional, in ranges."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

KEYS = [
    "a.txt",
    "图/片 1.png",
    "a//b",
    "dir/",
    "a/../b",
    "./x",
    "%41",
    "a+b&c=d?e#f",
    "'()*!~",
    "a\\b",
    "k" * 1023,
]


@pytest.mark.parametrize("key", KEYS)
def test_any_key_comes_back(client: Any, key: str) -> None:
    """Whatever the key looks like, it is stored, found and read under that name."""
    assert 204 == client.post(client.make_fields(key=key), key.encode()).status
    assert key.encode() == client.get(key).body
    assert 200 == client.head(key).status


def test_overrides_of_a_signed_request(client: Any) -> None:
    """response-* parameters replace headers when they are signed."""
    client.post()
    overrides = {
        "response-content-type": "text/html",
        "response-content-disposition": "attachment; filename*=UTF-8''%E5%9B%BE.txt",
        "response-cache-control": "no-store",
        "response-expires": "0",
        "response-content-language": "pl",
        "response-content-encoding": "br",
    }
    headers = client.get("a.txt", **overrides).headers

    assert list(overrides.values()) == [
        headers[name]
        for name in (
            "Content-Type",
            "Content-Disposition",
            "Cache-Control",
            "Expires",
            "Content-Language",
            "Content-Encoding",
        )
    ]


def test_overrides_need_a_signature(start_emulator: Callable[..., Any]) -> None:
    """Anonymous readers cannot choose headers, nor can anybody put a line break in one."""
    client = start_emulator(bucket_acl="public-read")
    client.post()
    anonymous = client.request("GET", "/test-bucket/a.txt?response-content-type=text/html")

    assert (400, "InvalidArgument") == anonymous.error[:2]
    assert (400, "InvalidArgument") == client.get("a.txt", **{"response-content-type": "a\r\nb: c"}).error[:2]
    assert 200 == client.request("GET", "/test-bucket/a.txt").status


@pytest.mark.parametrize(
    ("header", "body", "content_range"),
    [
        ("bytes=0-4", b"01234", "bytes 0-4/10"),
        ("bytes=8-", b"89", "bytes 8-9/10"),
        ("bytes=8-100", b"89", "bytes 8-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=9-9", b"9", "bytes 9-9/10"),
    ],
)
def test_range(client: Any, header: str, body: bytes, content_range: str) -> None:
    """A single range is answered with 206."""
    client.post(file=b"0123456789")
    answer = client.get("a.txt", headers={"Range": header})

    assert (206, body, content_range) == (answer.status, answer.body, answer.headers["Content-Range"])
    assert answer.headers["Content-MD5"] is None


@pytest.mark.parametrize(
    "header", ["bytes=10-", "bytes=5-4", "bytes=-0", "bytes=-", "0-4", "bytes=0-1,3-4", "lines=1-2"]
)
def test_invalid_range_is_the_whole_object(client: Any, header: str) -> None:
    """OSS answers an invalid range with everything."""
    client.post(file=b"0123456789")
    answer = client.get("a.txt", headers={"Range": header})

    assert (200, b"0123456789") == (answer.status, answer.body)


def test_invalid_range_under_the_standard(client: Any) -> None:
    """Asked to follow the standard, OSS answers 416."""
    client.post(file=b"0123456789")
    headers = {"Range": "bytes=10-", "x-oss-range-behavior": "standard"}
    target = client.presign("GET", "a.txt", headers={"x-oss-range-behavior": "standard"})
    answer = client.request("GET", target, headers=headers)

    assert (416, "InvalidRange") == answer.error[:2]


def test_conditions(client: Any) -> None:
    """ETag and date conditions answer 304 or 412."""
    etag = client.post().headers["ETag"]
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    earlier = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)

    def get(**headers: str) -> int:
        answer = client.get(
            "a.txt", headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        return int(answer.status)

    assert (304, 304, 304, 200) == (
        get(If_None_Match=etag),
        get(If_None_Match=etag.strip('"')),
        get(If_None_Match=f'"x", {etag}'),
        get(If_None_Match='"x"'),
    )
    assert (200, 412) == (get(If_Match=etag), get(If_Match='"x"'))
    assert (304, 200) == (get(If_Modified_Since=later), get(If_Modified_Since=earlier))
    assert (412, 200) == (get(If_Unmodified_Since=earlier), get(If_Unmodified_Since=later))


def test_unreadable_conditions_are_none(client: Any) -> None:
    """A date that is none conditions nothing."""
    client.post()
    headers = {"If-Modified-Since": "yesterday", "If-Unmodified-Since": "31 Dec 9999 23:59:59 -2359"}

    assert client.get("a.txt", headers=headers).status == 200


def test_missing(client: Any) -> None:
    """A missing object is named."""
    answer = client.get("none.txt")

    assert (404, "NoSuchKey", "The specified key does not exist.", "0026-00000001") == answer.error
    assert "none.txt" == answer.xml["Key"]


def test_anonymous_on_a_private_bucket(client: Any) -> None:
    """Without a signature nothing is told, not even whether the object is there."""
    client.post()
    message = "You have no right to access this object because of bucket acl."
    for key in ("a.txt", "none.txt"):
        answer = client.request("GET", f"/test-bucket/{key}")

        assert (403, "AccessDenied", message, "0003-00000001") == answer.error


def test_path_that_is_not_utf8(client: Any) -> None:
    """A key is UTF-8."""
    assert (400, "InvalidObjectName") == client.request("GET", "/test-bucket/%FF").error[:2]


def test_reader_keeps_the_old_object(client: Any) -> None:
    """An overwrite does not disturb whoever is reading."""
    client.post(file=b"old" * 1000)
    store = client.emulator._server.app.store
    _, file = store.open_object("test-bucket", "a.txt")
    client.post(file=b"new")

    with file:
        assert b"old" * 1000 == file.read()
    assert b"new" == client.get("a.txt").body


def test_large_object_streams(client: Any) -> None:
    """An object of several pieces comes whole."""
    data = bytes(range(256)) * 4096
    client.post(file=data)

    assert data == client.get("a.txt").body


def test_long_query(client: Any) -> None:
    """A signed URL may carry five kilobytes and more."""
    client.post()

    assert 200 == client.get("a.txt", extra="x" * 20_000).status
