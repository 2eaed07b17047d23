"""An object's ACL, tags and short metadata."""

from typing import Any
from xml.etree import ElementTree

import pytest


def put_tags(client: Any, *pairs: tuple[str, str]) -> Any:
    inner = "".join(f"<Tag><Key>{name}</Key><Value>{value}</Value></Tag>" for name, value in pairs)
    body = f"<Tagging><TagSet>{inner}</TagSet></Tagging>".encode()
    return client.send("PUT", "a.txt", query={"tagging": ""}, body=body)


def read_tags(client: Any) -> list[tuple[str, str]]:
    answer = client.send("GET", "a.txt", query={"tagging": ""})
    assert answer.status == 200
    return [
        (tag.findtext("Key") or "", tag.findtext("Value") or "")
        for tag in ElementTree.fromstring(answer.body).iterfind("TagSet/Tag")
    ]


def test_acl(client: Any) -> None:
    """An object's ACL can be set and told; unsigned readers feel it."""
    etag = client.put().headers["ETag"]
    before = client.send("GET", "a.txt", query={"acl": ""})
    changed = client.send("PUT", "a.txt", query={"acl": ""}, headers={"x-oss-object-acl": "public-read"})
    after = client.send("GET", "a.txt", query={"acl": ""})

    assert (200, 200, 200) == (before.status, changed.status, after.status)
    assert (b"<Grant>default</Grant>" in before.body, b"<Grant>public-read</Grant>" in after.body) == (
        True,
        True,
    )
    assert b"<DisplayName>" in after.body
    assert (200, etag) == (
        (found := client.request("GET", "/test-bucket/a.txt")).status,
        found.headers["ETag"],
    )


@pytest.mark.parametrize("acl", ["open", None])
def test_bad_acl(client: Any, acl: str | None) -> None:
    """An ACL that is none is refused."""
    client.put()
    answer = client.send(
        "PUT", "a.txt", query={"acl": ""}, headers={"x-oss-object-acl": acl} if acl else None
    )

    assert (400, "InvalidArgument", "no such object access control exists.", "") == answer.error


def test_tags(client: Any) -> None:
    """Tags are set all anew, told, counted and forgotten."""
    client.put(x_oss_tagging="a=1&b=%E5%9B%BE")
    assert [("a", "1"), ("b", "图")] == read_tags(client)
    assert 200 == put_tags(client, ("c", "2"), ("d/e", "")).status
    assert [("c", "2"), ("d/e", "")] == read_tags(client)
    assert "2" == client.head("a.txt").headers["x-oss-tagging-count"]
    assert 204 == client.send("DELETE", "a.txt", query={"tagging": ""}).status
    assert [] == read_tags(client)
    assert client.head("a.txt").headers["x-oss-tagging-count"] is None


@pytest.mark.parametrize(
    "pairs",
    [
        [("", "1")],
        [("a", "1"), ("a", "2")],
        [("k" * 129, "1")],
        [("a", "v" * 257)],
        [("a", "?")],
        [(str(number), "1") for number in range(11)],
    ],
)
def test_bad_tags(client: Any, pairs: list[tuple[str, str]]) -> None:
    """At most ten tags, each key once, within their lengths and letters."""
    client.put()

    assert (400, "InvalidTag", "The tagging is not valid.", "") == put_tags(client, *pairs).error


@pytest.mark.parametrize("body", [b"", b"<Tagging/>", b"<TagSet/>"])
def test_no_tag_set(client: Any, body: bytes) -> None:
    """A body that is no tag set is refused."""
    client.put()

    assert (400, "MalformedXML") == client.send("PUT", "a.txt", query={"tagging": ""}, body=body).error[:2]


@pytest.mark.parametrize(
    ("method", "query"),
    [("GET", "acl"), ("PUT", "acl"), ("GET", "tagging"), ("DELETE", "tagging"), ("HEAD", "objectMeta")],
)
def test_missing_object(client: Any, method: str, query: str) -> None:
    """Nothing can be set or told of what is not there."""
    headers = {"x-oss-object-acl": "private"}
    answer = client.send(method, "none.txt", query={query: ""}, headers=headers)

    assert (404, "0026-00000001") == (answer.status, answer.headers["x-oss-ec"])


def test_object_meta(client: Any) -> None:
    """The short HEAD tells size, ETag and time, and neither type nor metadata."""
    client.put(x_oss_meta_a="1")
    found = client.send("HEAD", "a.txt", query={"objectMeta": ""})

    assert (200, "5", b"") == (found.status, found.headers["Content-Length"], found.body)
    assert '"5D41402ABC4B2A76B9719D911017C592"' == found.headers["ETag"]
    assert found.headers["Last-Modified"].endswith("GMT")
    assert (None, None) == (found.headers["x-oss-meta-a"], found.headers["x-oss-object-type"])


def test_versions(client: Any) -> None:
    """The only version there is can be named, others are not there."""
    client.put()
    assert b"hello" == client.send("GET", "a.txt", query={"versionId": "null"}).body
    answer = client.send("GET", "a.txt", query={"versionId": "other"})

    assert (404, "NoSuchVersion", "The specified version does not exist.", "") == answer.error
    assert 404 == client.send("DELETE", "a.txt", query={"versionId": "other"}).status
    assert 204 == client.send("DELETE", "a.txt", query={"versionId": "null"}).status
    assert 404 == client.head("a.txt").status
