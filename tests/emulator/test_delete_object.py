"""DeleteObject."""

from collections.abc import Callable
from typing import Any


def test_delete(client: Any) -> None:
    """A deleted object is gone, from the disk as well, with the folders that held nothing else."""
    client.put("photos/2026/cat.jpg")
    client.put("photos/dog.jpg")
    answer = client.delete("photos/2026/cat.jpg")
    folder = client.emulator.options.data_dir / "buckets/test-bucket"

    assert (204, b"") == (answer.status, answer.body)
    assert 404 == client.head("photos/2026/cat.jpg").status
    assert ["dog.jpg"] == [path.name for path in (folder / "objects/photos").iterdir()]
    assert ["dog.jpg.json"] == [path.name for path in (folder / "metadata/photos").iterdir()]
    assert 200 == client.head("photos/dog.jpg").status


def test_missing_object(client: Any) -> None:
    """What is not there is deleted all the same."""
    assert 204 == client.delete("none.txt").status
    assert 204 == client.delete("none/none.txt").status


def test_key_that_is_none(client: Any) -> None:
    """A key that cannot be is refused."""
    assert (400, "InvalidObjectName") == client.delete("/a").error[:2]


def test_bucket_unknown(client: Any) -> None:
    """The bucket must be there."""
    answer = client.send("DELETE", "a.txt", bucket="other-bucket")

    assert (404, "NoSuchBucket", "The specified bucket does not exist.", "0015-00000101") == answer.error


def test_versioned_bucket(start_emulator: Callable[..., Any]) -> None:
    """Where versions are kept, the answer tells of a delete marker."""
    client = start_emulator(versioned=True)
    client.put()
    answer = client.delete("a.txt")

    assert "true" == answer.headers["x-oss-delete-marker"]
    assert answer.headers["x-oss-version-id"]
    assert 404 == client.head("a.txt").status


def test_anonymous(client: Any) -> None:
    """Deleting needs a signature."""
    client.put()

    assert (403, "AccessDenied") == client.request("DELETE", "/test-bucket/a.txt").error[:2]
    assert 200 == client.head("a.txt").status
