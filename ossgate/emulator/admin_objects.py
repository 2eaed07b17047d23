"""Buckets and objects as the admin API and the page show them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.json_answers import respond_json
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import FileSlice, Response
from ossgate.emulator.store import ObjectStore

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class AdminObjects:
    """Shows what is stored, whoever may read it.

    Args:
        facts: What else the state tells: region, URL and their like.
    """

    store: ObjectStore
    buckets: BucketRegistry
    facts: Callable[[], Mapping[str, Any]]

    def describe(self) -> dict[str, Any]:
        """Tell the emulator and its buckets."""
        return {
            **self.facts(),
            "buckets": [
                {
                    "name": bucket.name,
                    "acl": bucket.acl,
                    "versioning": bucket.versioning,
                    "objects": len(self.store.index(bucket.name)),
                }
                for bucket in self.buckets.list_buckets()
            ],
        }

    def list_objects(self, request: Request) -> Response:
        """Answer a page of a bucket's objects: `bucket`, `prefix`, `after`, `limit`."""
        bucket = request.query_value("bucket") or ""
        if self.buckets.find(bucket) is None:
            return respond_json(404, {"error": "there is no such bucket"})
        prefix, after = request.query_value("prefix") or "", request.query_value("after") or ""
        text = request.query_value("limit") or ""
        limit = min(int(text), MAX_LIMIT) if text.isdigit() and len(text) < 9 else DEFAULT_LIMIT
        index = self.store.index(bucket)
        found: list[ObjectMetadata] = []
        key = index.find_after(after) if after >= prefix and after else index.find_from(prefix)
        while key is not None and key.startswith(prefix) and len(found) < limit:
            metadata = self.store.find(bucket, key)
            if metadata is not None:
                found.append(metadata)
            key = index.find_after(key)
        more = key is not None and key.startswith(prefix)
        return respond_json(
            200,
            {
                "bucket": bucket,
                "objects": [_describe(metadata) for metadata in found],
                "next": found[-1].object_key if found and more else None,
            },
        )

    def fetch(self, request: Request) -> Response:
        """Answer an object's bytes: `bucket`, `key`, `download=1`.

        What was uploaded is not trusted: opened as a page, it may run nothing on the admin API's own origin.
        """
        bucket, key = request.query_value("bucket") or "", request.query_value("key") or ""
        opened = None if self.buckets.find(bucket) is None else self.store.open_object(bucket, key)
        if opened is None:
            return respond_json(404, {"error": "there is no such object"})
        metadata, file = opened
        headers = [
            ("Content-Type", metadata.content_type),
            (
                "Content-Security-Policy",
                "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'",
            ),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]
        if request.query_value("download"):
            name = quote(key.rpartition("/")[2] or "object", safe="")
            headers.append(("Content-Disposition", f"attachment; filename*=UTF-8''{name}"))
        return Response(
            200, headers, FileSlice(file, 0, metadata.size), content_length=metadata.size, object_key=key
        )


def _describe(metadata: ObjectMetadata) -> dict[str, Any]:
    modified = datetime.fromtimestamp(metadata.modified, UTC)
    return {
        "key": metadata.object_key,
        "size": metadata.size,
        "type": metadata.content_type,
        "etag": metadata.etag,
        "modified": modified.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "object_type": metadata.object_type,
        "acl": metadata.acl,
        "storage_class": metadata.storage_class,
        "user_metadata": sorted(metadata.user_metadata),
    }
