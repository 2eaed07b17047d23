"""ListObjects, in both versions."""

from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

KEYS = ["a.txt", "dir/b.txt", "dir/c.txt", "dir/sub/d.txt", "z/", "图 片+%.png"]


def list_v2(client: Any, **query: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in query.items()}
    return client.send("GET", query={"list-type": "2", **named})


def list_v1(client: Any, **query: str) -> Any:
    return client.send("GET", query={name.replace("_", "-"): value for name, value in query.items()})


def read_keys(answer: Any) -> list[str]:
    return [key.text or "" for key in ElementTree.fromstring(answer.body).iterfind("Contents/Key")]


def read_prefixes(answer: Any) -> list[str]:
    root = ElementTree.fromstring(answer.body)
    return [prefix.text or "" for prefix in root.iterfind("CommonPrefixes/Prefix")]


@pytest.fixture
def filled(client: Any) -> Any:
    """A bucket with a few objects."""
    for key in KEYS:
        client.put(key, key.encode())
    return client


def test_everything(filled: Any) -> None:
    """All keys come in the order of their bytes, each with what SDKs need."""
    answer = list_v2(filled)
    entry = ElementTree.fromstring(answer.body).find("Contents")
    assert entry is not None
    found = {child.tag: child.text for child in entry}

    assert (200, "application/xml", KEYS) == (
        answer.status,
        answer.headers["Content-Type"],
        read_keys(answer),
    )
    assert found.pop("LastModified", "").endswith(".000Z")
    assert {
        "Key": "a.txt",
        "ETag": '"8C18F35E17D4FD7AF1C3B1D9A2B5F4CE"',
        "Type": "Normal",
        "Size": "5",
        "StorageClass": "Standard",
    }.keys() == found.keys()
    expected = {"Name": "test-bucket", "MaxKeys": "100", "IsTruncated": "false", "KeyCount": "6"}
    assert expected == {name: answer.xml[name] for name in expected}


def test_delimiter(filled: Any) -> None:
    """Keys below a delimiter are rolled up, at any depth."""
    top = list_v2(filled, delimiter="/")
    below = list_v2(filled, delimiter="/", prefix="dir/")

    assert (["a.txt", "图 片+%.png"], ["dir/", "z/"]) == (read_keys(top), read_prefixes(top))
    assert "4" == top.xml["KeyCount"]
    assert (["dir/b.txt", "dir/c.txt"], ["dir/sub/"]) == (read_keys(below), read_prefixes(below))
    assert ("/", "dir/") == (below.xml["Delimiter"], below.xml["Prefix"])


def test_pages_by_token(filled: Any) -> None:
    """Each page names the next one, until the last."""
    found, token = [], ""
    while True:
        answer = list_v2(filled, max_keys="2", **({"continuation-token": token} if token else {}))
        found.append(read_keys(answer))
        if answer.xml["IsTruncated"] == "false":
            break
        token = answer.xml["NextContinuationToken"]

    assert [KEYS[:2], KEYS[2:4], KEYS[4:]] == found
    assert "NextContinuationToken" not in answer.xml


def test_pages_by_marker(filled: Any) -> None:
    """The first version goes on by marker, and names the owner."""
    first = list_v1(filled, max_keys="3", delimiter="/")
    second = list_v1(filled, max_keys="3", delimiter="/", marker=first.xml["NextMarker"])

    assert (["a.txt"], ["dir/", "z/"]) == (read_keys(first), read_prefixes(first))
    assert ("true", "z/") == (first.xml["IsTruncated"], first.xml["NextMarker"])
    assert (["图 片+%.png"], [], "z/") == (read_keys(second), read_prefixes(second), second.xml["Marker"])
    assert "NextMarker" not in second.xml
    assert b"<Owner>\n      <ID>" in first.body


def test_start_after_and_owner(filled: Any) -> None:
    """The second version may begin anywhere, and names the owner when asked."""
    answer = list_v2(filled, start_after="dir/c.txt", fetch_owner="true")

    assert KEYS[3:] == read_keys(answer)
    assert "dir/c.txt" == answer.xml["StartAfter"]
    assert b"<DisplayName>" in answer.body
    assert b"<DisplayName>" not in list_v2(filled).body


def test_encoded_names(filled: Any) -> None:
    """Asked to, every name comes percent-encoded."""
    answer = list_v2(filled, encoding_type="url", prefix="图", delimiter="+", start_after="图")

    assert ["%E5%9B%BE%20%E7%89%87%2B"] == read_prefixes(answer)
    assert ("url", "%E5%9B%BE", "%2B", "%E5%9B%BE") == tuple(
        answer.xml[name] for name in ("EncodingType", "Prefix", "Delimiter", "StartAfter")
    )
    assert KEYS == [unquote(key) for key in read_keys(list_v2(filled, encoding_type="url"))]


def test_nothing(client: Any) -> None:
    """An empty bucket, an empty page."""
    assert ("0", "false") == tuple(list_v2(client).xml[name] for name in ("KeyCount", "IsTruncated"))
    client.put()
    assert ("0", "false") == tuple(
        list_v2(client, max_keys="0").xml[name] for name in ("KeyCount", "IsTruncated")
    )


def test_deleted_and_overwritten(filled: Any) -> None:
    """A listing follows what is written and deleted."""
    filled.delete("dir/b.txt")
    filled.put("a.txt", b"longer than before")
    answer = list_v2(filled, prefix="a")

    assert "18" == ElementTree.fromstring(answer.body).findtext("Contents/Size")
    assert "dir/b.txt" not in read_keys(list_v2(filled))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max-keys", "1001"),
        ("max-keys", "-1"),
        ("max-keys", "x"),
        ("prefix", "k" * 1024),
        ("continuation-token", "!"),
        ("continuation-token", "AAAA"),
        ("encoding-type", "base64"),
        ("list-type", "3"),
    ],
)
def test_bad_arguments(client: Any, name: str, value: str) -> None:
    """An argument that does not hold is named."""
    answer = list_v2(client, **{name: value})

    assert (400, "InvalidArgument", "Invalid Argument.", "") == answer.error
    assert (name, value) == (answer.xml["ArgumentName"], answer.xml["ArgumentValue"])


def test_anonymous(start_emulator: Any) -> None:
    """Listing needs a signature, even where everybody may read."""
    client = start_emulator(bucket_acl="public-read-write")
    answer = client.request("GET", "/test-bucket/")

    assert (403, "AccessDenied", "Anonymous user has no right to access this bucket.", "") == answer.error


def test_keys_are_known_after_a_restart(client: Any, start_emulator: Any) -> None:
    """A restarted emulator knows the keys again, those too whose names the disk holds only a piece of."""
    keys = sorted([*KEYS, "CON", "a/" * 200, "a//b", "\xe9", "e\u0301", "k" * 1023, "A.TXT", "~", "x."])
    for key in keys:
        client.put(key)
    client.emulator.stop()
    again = start_emulator(data_dir=client.emulator.options.data_dir)

    assert keys == read_keys(list_v2(again))
