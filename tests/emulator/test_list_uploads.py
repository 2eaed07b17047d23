"""ListMultipartUploads."""

from typing import Any
from xml.etree import ElementTree

import pytest


def list_uploads(client: Any, **query: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in query.items()}
    return client.send("GET", query={"uploads": "", **named})


def read_uploads(answer: Any) -> list[tuple[str, str]]:
    return [
        (upload.findtext("Key") or "", upload.findtext("UploadId") or "")
        for upload in ElementTree.fromstring(answer.body).iterfind("Upload")
    ]


def test_uploads_in_order(client: Any) -> None:
    """Uploads come by key and ID, until they are aborted or completed."""
    ids = {(key, client.initiate(key)) for key in ("b", "a", "b", "c/d")}
    answer = list_uploads(client)

    assert sorted(ids) == read_uploads(answer)
    assert b"<Initiated>" in answer.body
    expected = {"Bucket": "test-bucket", "MaxUploads": "1000", "IsTruncated": "false", "NextKeyMarker": ""}
    assert expected == {name: answer.xml[name] for name in expected}
    for key, upload_id in ids:
        client.send("DELETE", key, query={"uploadId": upload_id})
    assert [] == read_uploads(list_uploads(client))


def test_pages(client: Any) -> None:
    """Pages go on behind key and ID, several uploads of one key included."""
    expected = sorted((key, client.initiate(key)) for key in ("a", "b", "b", "b", "c"))
    found, markers = [], {}
    for _ in range(3):
        answer = list_uploads(client, **{"max-uploads": "2"}, **markers)
        found += read_uploads(answer)
        markers = {
            "key-marker": answer.xml["NextKeyMarker"],
            "upload-id-marker": answer.xml["NextUploadIdMarker"],
        }

    assert expected == found
    assert "false" == answer.xml["IsTruncated"]
    behind = list_uploads(client, **{"key-marker": "b"})
    assert expected[-1:] == read_uploads(behind)


def test_prefix_and_delimiter(client: Any) -> None:
    """Keys are rolled up as in a listing of objects, and encoded when asked."""
    for key in ("a", "d/1", "d/2", "e/1", "图/1"):
        client.initiate(key)
    answer = list_uploads(client, delimiter="/", **{"encoding-type": "url"})
    prefixes = [
        prefix.text for prefix in ElementTree.fromstring(answer.body).iterfind("CommonPrefixes/Prefix")
    ]
    page = list_uploads(client, delimiter="/", **{"max-uploads": "2"})
    after = list_uploads(client, delimiter="/", **{"key-marker": page.xml["NextKeyMarker"]})

    assert (["a"], ["d%2F", "e%2F", "%E5%9B%BE%2F"]) == ([key for key, _ in read_uploads(answer)], prefixes)
    assert ["d/1", "d/2"] == [key for key, _ in read_uploads(list_uploads(client, prefix="d/"))]
    assert ("d/", b"<Prefix>d/</Prefix>" in after.body) == (page.xml["NextKeyMarker"], False)


@pytest.mark.parametrize("value", ["0", "1001", "x"])
def test_bad_count(client: Any, value: str) -> None:
    """A page has 1 to 1000 uploads."""
    answer = list_uploads(client, **{"max-uploads": value})

    assert (400, "InvalidArgument", "Invalid Argument.", "") == answer.error
    assert ("max-uploads", value) == (answer.xml["ArgumentName"], answer.xml["ArgumentValue"])
