"""Creating, deleting, listing and describing buckets."""

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest


def create(client: Any, name: str, body: bytes | None = None, **headers: str) -> Any:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return client.send("PUT", bucket=name, body=body, headers=named)


def list_names(client: Any, **query: str) -> list[str]:
    answer = client.send("GET", bucket="", query=query)
    assert answer.status == 200
    root = ElementTree.fromstring(answer.body)
    assert root.tag == "ListAllMyBucketsResult"
    return [name.text or "" for name in root.iterfind("Buckets/Bucket/Name")]


def describe(client: Any, name: str) -> ElementTree.Element:
    answer = client.send("GET", bucket=name, query={"bucketInfo": ""})
    assert answer.status == 200
    found = ElementTree.fromstring(answer.body).find("Bucket")
    assert found is not None
    return found


def test_create_use_delete(client: Any) -> None:
    """A new bucket is private, takes objects, and can be deleted once it is empty."""
    answer = create(client, "new-bucket")
    assert (200, "/new-bucket") == (answer.status, answer.headers["Location"])
    assert 200 == client.send("PUT", "a.txt", bucket="new-bucket", body=b"hello").status
    refused = client.send("DELETE", bucket="new-bucket")
    message = "The bucket has objects. Please delete them first."

    assert (409, "BucketNotEmpty", message, "0015-00000301") == refused.error
    assert "new-bucket" == refused.xml["BucketName"]
    client.send("DELETE", "a.txt", bucket="new-bucket")
    assert (204, b"") == (
        (gone := client.send("DELETE", bucket="new-bucket")).status,
        gone.body,
    )
    assert (404, "NoSuchBucket") == client.send("GET", bucket="new-bucket").error[:2]
    assert not (client.emulator.options.data_dir / "buckets/new-bucket").exists()


def test_upload_in_progress(client: Any) -> None:
    """An upload that has not ended keeps its bucket."""
    create(client, "new-bucket")
    begun = client.send("POST", "a.txt", bucket="new-bucket", query={"uploads": ""})

    assert (409, "BucketNotEmpty") == client.send("DELETE", bucket="new-bucket").error[:2]
    client.send("DELETE", "a.txt", bucket="new-bucket", query={"uploadId": begun.xml["UploadId"]})
    assert 204 == client.send("DELETE", bucket="new-bucket").status


def test_configuration(client: Any) -> None:
    """Class, redundancy, place and ACL can be chosen."""
    body = b"""<CreateBucketConfiguration><LocationConstraint>oss-cn-hangzhou</LocationConstraint>
        <StorageClass>IA</StorageClass><DataRedundancyType>ZRS</DataRedundancyType></CreateBucketConfiguration>"""
    assert 200 == create(client, "new-bucket", body, x_oss_acl="public-read").status
    found = describe(client, "new-bucket")

    assert ["IA", "ZRS", "public-read", "oss-cn-hangzhou", "new-bucket"] == [
        found.findtext(name)
        for name in ("StorageClass", "DataRedundancyType", "AccessControlList/Grant", "Location", "Name")
    ]
    assert (found.findtext("CreationDate") or "").endswith(".000Z")
    assert ["oss-cn-hangzhou.aliyuncs.com", "oss-cn-hangzhou-internal.aliyuncs.com"] == [
        found.findtext(name) for name in ("ExtranetEndpoint", "IntranetEndpoint")
    ]


def test_created_again(client: Any) -> None:
    """One's own bucket may be created again: a given ACL counts, the class cannot change."""
    create(client, "new-bucket", x_oss_acl="public-read")
    assert 200 == create(client, "new-bucket").status
    assert "public-read" == describe(client, "new-bucket").findtext("AccessControlList/Grant")
    assert 200 == create(client, "new-bucket", x_oss_acl="private").status
    assert "private" == describe(client, "new-bucket").findtext("AccessControlList/Grant")
    body = b"<CreateBucketConfiguration><StorageClass>IA</StorageClass></CreateBucketConfiguration>"
    message = "Cannot modify existing bucket's storage class."
    assert (409, "BucketAlreadyExists", message, "") == create(client, "new-bucket", body).error


CREATIONS = [
    ("Bad_Name", b"", {}, (400, "InvalidBucketName")),
    ("ab", b"", {}, (400, "InvalidBucketName")),
    ("a" * 64, b"", {}, (400, "InvalidBucketName")),
    ("-ab", b"", {}, (400, "InvalidBucketName")),
    ("new-bucket", b"<Other/>", {}, (400, "MalformedXML")),
    (
        "new-bucket",
        b"<CreateBucketConfiguration><StorageClass>Cold</StorageClass></CreateBucketConfiguration>",
        {},
        (400, "InvalidArgument"),
    ),
    (
        "new-bucket",
        b"<CreateBucketConfiguration><LocationConstraint>oss-cn-beijing</LocationConstraint>"
        b"</CreateBucketConfiguration>",
        {},
        (400, "InvalidLocationConstraint"),
    ),
    ("new-bucket", b"", {"x_oss_acl": "open"}, (400, "InvalidArgument")),
]


@pytest.mark.parametrize(("name", "body", "headers", "error"), CREATIONS)
def test_creation_refused(
    client: Any, name: str, body: bytes, headers: dict[str, str], error: tuple[int, str]
) -> None:
    """A bucket that cannot be is not made."""
    assert error == create(client, name, body, **headers).error[:2]
    assert ["test-bucket"] == list_names(client)


def test_list(start_emulator: Callable[..., Any]) -> None:
    """Buckets come by name, narrowed down by prefix, marker and count."""
    client = start_emulator(more_buckets=("b-2", "b-1-x", "a-12"))

    assert ["a-12", "b-1-x", "b-2", "test-bucket"] == list_names(client)
    assert ["b-1-x", "b-2"] == list_names(client, prefix="b-")
    assert ["b-2", "test-bucket"] == list_names(client, marker="b-1-x")
    page = client.send("GET", bucket="", query={"max-keys": "1"})
    assert ("true", "a-12") == (page.xml["IsTruncated"], page.xml["NextMarker"])


def test_list_needs_a_signature(client: Any) -> None:
    """Nobody is told whose buckets there are."""
    assert (403, "AccessDenied") == client.request("GET", "/").error[:2]


def test_buckets_survive_a_restart(client: Any, start_emulator: Callable[..., Any]) -> None:
    """Buckets and their settings are kept; what the API has set is not undone by the options."""
    create(client, "new-bucket", x_oss_acl="public-read")
    client.send("PUT", query={"acl": ""}, headers={"x-oss-acl": "public-read-write"})
    client.emulator.stop()
    again = start_emulator(data_dir=client.emulator.options.data_dir, bucket_acl="private")

    assert ["new-bucket", "test-bucket"] == list_names(again)
    assert "public-read" == describe(again, "new-bucket").findtext("AccessControlList/Grant")
    assert "public-read-write" == describe(again, "test-bucket").findtext("AccessControlList/Grant")


def test_options_hold_until_the_api_says_otherwise(client: Any, start_emulator: Callable[..., Any]) -> None:
    """A restart with another ACL option changes the bucket's ACL."""
    client.put()
    client.emulator.stop()
    again = start_emulator(data_dir=client.emulator.options.data_dir, bucket_acl="public-read")

    assert 200 == again.request("GET", "/test-bucket/a.txt").status


def test_acl(client: Any) -> None:
    """The bucket's ACL is what unsigned readers feel."""
    client.put()
    assert 403 == client.request("GET", "/test-bucket/a.txt").status
    assert 200 == client.send("PUT", query={"acl": ""}, headers={"x-oss-acl": "public-read"}).status
    assert 200 == client.request("GET", "/test-bucket/a.txt").status
    assert b"<Grant>public-read</Grant>" in client.send("GET", query={"acl": ""}).body
    for headers in ({"x-oss-acl": "open"}, {}):
        answer = client.send("PUT", query={"acl": ""}, headers=headers)
        assert (400, "InvalidArgument", "no such bucket access control exists.", "") == answer.error


def test_location_and_stat(client: Any) -> None:
    """Where the bucket is, and how much it holds."""
    client.put("a/b.txt")
    client.put("c.txt", b"")
    client.initiate("d.txt")
    location = ElementTree.fromstring(client.send("GET", query={"location": ""}).body)
    stat = client.send("GET", query={"stat": ""}).xml

    assert ("LocationConstraint", "oss-cn-hangzhou") == (location.tag, location.text)
    assert ("5", "2", "1") == tuple(stat[name] for name in ("Storage", "ObjectCount", "MultipartUploadCount"))


def test_versioning(client: Any) -> None:
    """Versioning can be begun; then every write names a version, and each object has its current one."""
    client.put("old.txt")
    assert "Status" not in client.send("GET", query={"versioning": ""}).xml
    body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert 200 == client.send("PUT", query={"versioning": ""}, body=body).status
    assert "Enabled" == client.send("GET", query={"versioning": ""}).xml["Status"]
    assert "Enabled" == describe(client, "test-bucket").findtext("Versioning")
    version_id = client.put().headers["x-oss-version-id"]
    listed = ElementTree.fromstring(client.send("GET", query={"versions": ""}).body)

    assert [("a.txt", version_id), ("old.txt", "null")] == [
        (entry.findtext("Key"), entry.findtext("VersionId")) for entry in listed.iterfind("Version")
    ]
    bad = b"<VersioningConfiguration><Status>On</Status></VersioningConfiguration>"
    assert (400, "MalformedXML") == client.send("PUT", query={"versioning": ""}, body=bad).error[:2]


def test_bucket_unknown(client: Any) -> None:
    """Every request about a bucket needs it, but the one that makes it."""
    for method, query in (
        ("GET", {"bucketInfo": ""}),
        ("GET", {"location": ""}),
        ("GET", {"acl": ""}),
        ("GET", {"cors": ""}),
        ("GET", {"overwriteConfig": ""}),
        ("GET", {"uploads": ""}),
        ("GET", {"list-type": "2"}),
        ("DELETE", {}),
    ):
        answer = client.send(method, bucket="other-bucket", query=query)

        assert (404, "NoSuchBucket", "The specified bucket does not exist.", "0015-00000101") == answer.error
