"""CopyObject and UploadPartCopy."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

PAST, FUTURE = "Fri, 01 Jan 2010 00:00:00 GMT", "Tue, 01 Jan 2050 00:00:00 GMT"


def copy(client: Any, key: str, source: str = "/test-bucket/a.txt", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.send("PUT", key, headers={"x-oss-copy-source": source, **named})


@pytest.fixture
def source(client: Any) -> str:
    """An object with a type, metadata and a tag; its ETag."""
    answer = client.put(
        Content_Type="text/css", x_oss_meta_a="1", Cache_Control="no-store", x_oss_tagging="t=1"
    )
    return str(answer.headers["ETag"])


def test_copy(client: Any, source: str) -> None:
    """Bytes, type, metadata and tags are the source's; the answer tells ETag and time."""
    answer = copy(client, "b.txt")
    found = client.get("b.txt")

    assert (200, "application/xml", source) == (
        answer.status,
        answer.headers["Content-Type"],
        answer.xml["ETag"],
    )
    assert answer.xml["LastModified"].endswith(".000Z")
    assert "11177612005948864433" == answer.headers["x-oss-hash-crc64ecma"]
    assert (b"hello", "text/css", "1", "no-store", "1") == (
        found.body,
        *(
            found.headers[name]
            for name in ("Content-Type", "x-oss-meta-a", "Cache-Control", "x-oss-tagging-count")
        ),
    )
    assert b"hello" == client.get("a.txt").body


@pytest.mark.parametrize("key", ["图 片+%.png", "a//b", "a?b", "x"])
def test_encoded_source(client: Any, key: str) -> None:
    """The source's key is percent-encoded, its slashes may be too."""
    client.put(key)
    assert 200 == copy(client, "b", f"/test-bucket/{quote(key)}").status
    assert 200 == copy(client, "b", quote(f"/test-bucket/{key}", safe="")).status


def test_across_buckets(start_emulator: Callable[..., Any]) -> None:
    """Source and target may lie in different buckets."""
    client = start_emulator(more_buckets=("other-bucket",))
    client.put()
    answer = client.send(
        "PUT", "b.txt", bucket="other-bucket", headers={"x-oss-copy-source": "/test-bucket/a.txt"}
    )

    assert 200 == answer.status
    assert b"hello" == client.send("GET", "b.txt", bucket="other-bucket").body


def test_new_metadata(client: Any, source: str) -> None:
    """Under REPLACE the request's metadata counts, even where it says nothing; tags have their own directive."""
    copy(client, "b.txt", x_oss_metadata_directive="REPLACE", x_oss_meta_b="2", x_oss_tagging="u=2&v=3")
    copied = client.head("b.txt").headers
    copy(client, "c.txt", x_oss_tagging_directive="Replace", x_oss_tagging="u=2&v=3", x_oss_meta_b="2")
    retagged = client.head("c.txt").headers

    assert (None, "2", "application/octet-stream", "1") == tuple(
        copied[name] for name in ("x-oss-meta-a", "x-oss-meta-b", "Content-Type", "x-oss-tagging-count")
    )
    assert ("1", None, "text/css", "2") == tuple(
        retagged[name] for name in ("x-oss-meta-a", "x-oss-meta-b", "Content-Type", "x-oss-tagging-count")
    )


def test_onto_itself(client: Any, source: str) -> None:
    """Copied onto itself an object keeps its bytes and gets the request's metadata."""
    assert 200 == copy(client, "a.txt", Content_Type="text/plain", x_oss_meta_b="2").status
    found = client.get("a.txt")

    assert (b"hello", "text/plain", None, "2") == (
        found.body,
        *(found.headers[name] for name in ("Content-Type", "x-oss-meta-a", "x-oss-meta-b")),
    )


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("if-match", "{etag}", 200),
        ("if-match", '"other"', 412),
        ("if-none-match", '"other"', 200),
        ("if-none-match", "{etag}", 304),
        ("if-modified-since", PAST, 200),
        ("if-modified-since", FUTURE, 304),
        ("if-unmodified-since", FUTURE, 200),
        ("if-unmodified-since", PAST, 412),
    ],
)
def test_conditions(client: Any, source: str, header: str, value: str, status: int) -> None:
    """Conditions look at the source."""
    answer = copy(client, "b.txt", **{f"x-oss-copy-source-{header}": value.format(etag=source)})

    assert status == answer.status
    assert (b"" if status == 304 else answer.body) == answer.body
    assert (200 if status == 200 else 404) == client.head("b.txt").status
    if status == 412:
        assert "PreconditionFailed" == answer.xml["Code"]


def test_forbid_overwrite(client: Any, source: str) -> None:
    """A taken key may be protected from a copy too, the source's own included."""
    client.put("b.txt", b"old")
    for key in ("b.txt", "a.txt"):
        answer = copy(client, key, x_oss_forbid_overwrite="true")
        assert (409, "FileAlreadyExists") == answer.error[:2]

    assert b"old" == client.get("b.txt").body


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("test-bucket/a.txt", (400, "InvalidArgument", "")),
        ("/test-bucket", (400, "InvalidArgument", "")),
        ("/test-bucket/", (400, "InvalidArgument", "")),
        ("/test-bucket/none.txt", (404, "NoSuchKey", "0026-00000001")),
        ("/other-bucket/a.txt", (404, "NoSuchBucket", "0015-00000101")),
        ("/test-bucket/%FF", (400, "InvalidObjectName", "")),
        ("/test-bucket/a.txt?versionId=x", (404, "NoSuchVersion", "")),
    ],
)
def test_bad_source(client: Any, source: str, header: str, error: tuple[int, str, str]) -> None:
    """A source that is none is refused."""
    found = copy(client, "b.txt", header).error

    assert error == (found[0], found[1], found[3])


def test_bad_directive(client: Any, source: str) -> None:
    """A directive is COPY or REPLACE."""
    for name in ("x-oss-metadata-directive", "x-oss-tagging-directive"):
        answer = copy(client, "b.txt", **{name: "MOVE"})

        assert (400, "InvalidArgument", "Unknown metadata directive.", "") == answer.error
        assert (name, "MOVE") == (answer.xml["ArgumentName"], answer.xml["ArgumentValue"])


@pytest.mark.parametrize(
    ("header", "expected"),
    [("", b"hello"), ("bytes=1-2", b"el"), ("bytes=3-", b"lo"), ("bytes=9-", b"hello"), ("x", b"hello")],
)
def test_part_copy(client: Any, source: str, header: str, expected: bytes) -> None:
    """A part may be an object or a range of it; a range that is none means everything."""
    upload_id = client.initiate("b.txt")
    headers = {"x-oss-copy-source": "/test-bucket/a.txt"}
    if header:
        headers["x-oss-copy-source-range"] = header
    answer = client.upload_part("b.txt", upload_id, 1, b"", headers=headers)

    assert (200, answer.headers["ETag"]) == (answer.status, answer.xml["ETag"])
    assert answer.xml["LastModified"].endswith(".000Z")
    client.complete("b.txt", upload_id)
    assert expected == client.get("b.txt").body


def test_part_copy_refused(client: Any, source: str) -> None:
    """Upload, number and source are checked as elsewhere."""
    upload_id = client.initiate("b.txt")
    good, bad = {"x-oss-copy-source": "/test-bucket/a.txt"}, {"x-oss-copy-source": "test-bucket/a.txt"}

    assert "0042-00000104" == client.upload_part("b.txt", "0" * 32, 1, b"", headers=good).error[3]
    assert "0017-00000220" == client.upload_part("b.txt", upload_id, 0, b"", headers=good).error[3]
    assert "0042-00000301" == client.upload_part("b.txt", upload_id, 1, b"", headers=bad).error[3]
    unmet = {**good, "x-oss-copy-source-if-match": '"other"'}
    assert 412 == client.upload_part("b.txt", upload_id, 1, b"", headers=unmet).status
