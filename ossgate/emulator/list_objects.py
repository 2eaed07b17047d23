"""ListObjects and ListObjectsV2.

Sources: https://help.aliyun.com/zh/oss/developer-reference/listobjects ,
https://help.aliyun.com/zh/oss/developer-reference/listobjects-v2
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from ossgate.emulator.credentials import Credentials
from ossgate.emulator.list_arguments import (
    check_encoding,
    encode_name,
    invalid_argument,
    list_encoding,
    read_count,
    read_name,
)
from ossgate.emulator.listing import Page, list_page
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.owner import OWNER
from ossgate.emulator.recent_changes import Keys, StaleKeys
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response
from ossgate.emulator.store import ObjectStore
from ossgate.emulator.xml_body import write_time
from ossgate.emulator.xml_document import Members, build_document

DEFAULT_COUNT = 100


@dataclass(frozen=True, slots=True)
class ListObjects:
    """Answers which objects a bucket holds.

    Args:
        tell_staleness: How many seconds old the answer is; a fault may want it so.
    """

    store: ObjectStore
    tell_staleness: Callable[[], float] = lambda: 0.0

    def list_v1(self, request: Request, _: Credentials | None) -> Response:
        """List by marker.

        Raises:
            OssError: An argument does not hold.
        """
        marker = read_name(request, "marker")
        most, page = self._read_page(request, marker)
        next_marker = [("NextMarker", encode_name(request, page.next_marker))] if page.next_marker else []
        return _answer(
            [
                ("Name", request.bucket),
                ("Prefix", encode_name(request, read_name(request, "prefix"))),
                ("Marker", encode_name(request, marker)),
                ("MaxKeys", str(most)),
                ("Delimiter", encode_name(request, read_name(request, "delimiter"))),
                *list_encoding(request),
                ("IsTruncated", "true" if page.next_marker else "false"),
                *next_marker,
                *_list_entries(request, page, with_owner=True),
            ],
        )

    def list_v2(self, request: Request, _: Credentials | None) -> Response:
        """List by continuation token, or from a key on.

        Raises:
            OssError: An argument does not hold.
        """
        start_after = read_name(request, "start-after")
        token = request.query_value("continuation-token")
        after = start_after if not token else decode_token(token)
        most, page = self._read_page(request, after)
        members: list[tuple[str, str]] = [("Name", request.bucket)]
        members.append(("Prefix", encode_name(request, read_name(request, "prefix"))))
        if start_after:
            members.append(("StartAfter", encode_name(request, start_after)))
        if token:
            members.append(("ContinuationToken", encode_name(request, token)))
        members.append(("MaxKeys", str(most)))
        members.append(("Delimiter", encode_name(request, read_name(request, "delimiter"))))
        members += list_encoding(request)
        members.append(("IsTruncated", "true" if page.next_marker else "false"))
        if page.next_marker:
            members.append(("NextContinuationToken", encode_name(request, encode_token(page.next_marker))))
        with_owner = request.query_value("fetch-owner") == "true"
        entries = _list_entries(request, page, with_owner=with_owner)
        return _answer([*members, *entries, ("KeyCount", str(page.key_count))])

    def list_versions(self, request: Request, _: Credentials | None) -> Response:
        """List versions: each object has one, the current.

        Raises:
            OssError: An argument does not hold.
        """
        marker = read_name(request, "key-marker")
        most, page = self._read_page(request, marker)
        members: list[tuple[str, str | Members]] = [
            ("Name", request.bucket),
            ("Prefix", encode_name(request, read_name(request, "prefix"))),
            ("KeyMarker", encode_name(request, marker)),
            ("VersionIdMarker", read_name(request, "version-id-marker")),
            ("MaxKeys", str(most)),
            ("Delimiter", encode_name(request, read_name(request, "delimiter"))),
            *list_encoding(request),
            ("IsTruncated", "true" if page.next_marker else "false"),
        ]
        if page.next_marker:
            members.append(("NextKeyMarker", encode_name(request, page.next_marker)))
            members.append(("NextVersionIdMarker", ""))
        for metadata in page.objects:
            version = [("VersionId", metadata.version_id or "null"), ("IsLatest", "true")]
            members.append(("Version", [*version, *_describe(request, metadata, with_owner=True)]))
        members += [
            ("CommonPrefixes", [("Prefix", encode_name(request, prefix))]) for prefix in page.common_prefixes
        ]
        document = build_document("ListVersionsResult", members)
        return Response(200, [("Content-Type", "application/xml")], document)

    def _read_page(self, request: Request, after: str) -> tuple[int, Page]:
        check_encoding(request)
        most = read_count(request, "max-keys", default=DEFAULT_COUNT)
        page = Page()
        if most:
            keys: Keys = self.store.index(request.bucket)
            state: dict[str, ObjectMetadata | None] = {}
            if seconds := self.tell_staleness():
                state = self.store.changes.find_state(request.bucket, seconds)
                keys = StaleKeys(keys, state)
            page = list_page(
                keys,
                lambda key: state[key] if key in state else self.store.find(request.bucket, key),
                prefix=read_name(request, "prefix"),
                delimiter=read_name(request, "delimiter"),
                after=after,
                most=most,
            )
        return most, page


def _answer(members: Members) -> Response:
    document = build_document("ListBucketResult", members)
    return Response(200, [("Content-Type", "application/xml")], document)


def encode_token(last: str) -> str:
    """Make a continuation token that looks like the service's: opaque, and harmless in a URL."""
    raw = last.encode()
    size = bytes([len(raw)]) if len(raw) < 128 else bytes([len(raw) & 127 | 128, len(raw) >> 7])
    encoded = base64.b64encode(b"\n" + size + raw).decode()
    return encoded.translate(str.maketrans("+/=", "._-"))


def decode_token(token: str) -> str:
    """Read a continuation token.

    Raises:
        OssError: It is none that the emulator made.
    """
    try:
        raw = base64.b64decode(token.translate(str.maketrans("._-", "+/=")), validate=True)
        last = raw[2 if len(raw) < 130 else 3 :].decode()
    except (binascii.Error, ValueError) as error:
        raise invalid_argument("continuation-token", token) from error
    if encode_token(last) != token:
        raise invalid_argument("continuation-token", token)
    return last


def _list_entries(request: Request, page: Page, *, with_owner: bool) -> Members:
    for metadata in page.objects:
        yield "Contents", _describe(request, metadata, with_owner=with_owner)
    for prefix in page.common_prefixes:
        yield "CommonPrefixes", [("Prefix", encode_name(request, prefix))]


def _describe(request: Request, metadata: ObjectMetadata, *, with_owner: bool) -> Members:
    yield "Key", encode_name(request, metadata.object_key)
    yield "LastModified", write_time(metadata.modified)
    yield "ETag", f'"{metadata.etag}"'
    yield "Type", metadata.object_type
    yield "Size", str(metadata.size)
    yield "StorageClass", metadata.storage_class
    if with_owner:
        yield "Owner", OWNER
