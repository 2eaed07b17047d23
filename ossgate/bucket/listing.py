"""What a bucket holds, page by page: objects, and uploads in parts that nobody has finished.

Rules: *ListObjectsV2*, https://help.aliyun.com/zh/oss/developer-reference/listobjectsv2, *ListMultipartUploads*,
https://help.aliyun.com/zh/oss/developer-reference/listmultipartuploads. Names are asked for percent-encoded, since XML cannot say each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote
from xml.etree import ElementTree

from ossgate.bucket.exchange import BucketUnavailable, Exchange, parse_document
from signer.places import BucketPlace

PAGE_KEYS = 1000
"""The most that OSS gives at once."""


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of a listing; the ETag without quotes, in upper case."""

    object_key: str
    size: int
    etag: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """Objects in the order of their keys; ``following`` asks for the next page, and is nothing on the last.

    ``answered_at`` is the bucket's own clock, where the answer told it.
    """

    objects: list[ListedObject]
    following: str | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedMultipart:
    """One upload in parts that was neither completed nor aborted."""

    object_key: str
    multipart_upload_id: str
    initiated_at: datetime


@dataclass(frozen=True, slots=True)
class MultipartPage:
    """Unfinished uploads in the order of their keys; ``following`` are the two markers of the next page."""

    uploads: list[ListedMultipart]
    following: tuple[str, str] | None
    answered_at: datetime | None


class ListingClient:
    """Lists buckets. Every failure means that we do not know what is there."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def list_objects(
        self,
        place: BucketPlace,
        *,
        prefix: str = "",
        start_after: str = "",
        token: str | None = None,
        limit: int = PAGE_KEYS,
        seconds: float,
    ) -> ObjectPage:
        """Return one page of the objects whose keys begin with a prefix and come after another key.

        Args:
            token: What the page before calls ``following``; it outranks ``start_after``.

        Raises:
            BucketRefused, BucketUnavailable: It cannot be told.
        """
        query = [("list-type", "2"), ("max-keys", str(limit)), ("encoding-type", "url")]
        query += [
            (name, value) for name, value in (("prefix", prefix), ("start-after", start_after)) if value
        ]
        if token is not None:
            query.append(("continuation-token", token))
        answer = self._exchange.send("GET", place, "", seconds=seconds, query=query)
        document = parse_document(answer, "ListBucketResult")
        decode = _choose_decoder(document)
        objects = [_parse_object(element, decode) for element in document.findall("Contents")]
        following = None
        if document.findtext("IsTruncated") == "true":
            following = decode(document.findtext("NextContinuationToken") or "")
            if not following or following == token:
                raise BucketUnavailable("the bucket's list of objects does not end")
        return ObjectPage(objects, following, _read_date(answer.headers.get("Date", "")))

    def list_multipart_uploads(
        self,
        place: BucketPlace,
        *,
        prefix: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int = PAGE_KEYS,
        seconds: float,
    ) -> MultipartPage:
        """Return one page of unfinished uploads in parts.

        Args:
            after: The key and the id that the page before ended with.

        Raises:
            BucketRefused, BucketUnavailable: It cannot be told.
        """
        key_marker, id_marker = after
        query = [("uploads", ""), ("max-uploads", str(limit)), ("encoding-type", "url")]
        given = (("prefix", prefix), ("key-marker", key_marker), ("upload-id-marker", id_marker))
        query += [(name, value) for name, value in given if value]
        answer = self._exchange.send("GET", place, "", seconds=seconds, query=query)
        document = parse_document(answer, "ListMultipartUploadsResult")
        decode = _choose_decoder(document)
        uploads = [_parse_multipart(element, decode) for element in document.findall("Upload")]
        following = None
        if document.findtext("IsTruncated") == "true":
            following = (
                decode(document.findtext("NextKeyMarker") or ""),
                document.findtext("NextUploadIdMarker") or "",
            )
            if following[0] < key_marker or following == after:
                raise BucketUnavailable("the bucket's list of unfinished uploads does not end")
        return MultipartPage(uploads, following, _read_date(answer.headers.get("Date", "")))


def _choose_decoder(document: ElementTree.Element) -> Callable[[str], str]:
    # A bucket that does not say so has not encoded.
    return _decode if document.findtext("EncodingType") == "url" else str


def _decode(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise BucketUnavailable("the bucket's list names a key that is no UTF-8") from error


def _parse_object(element: ElementTree.Element, decode: Callable[[str], str]) -> ListedObject:
    told = {child.tag: child.text or "" for child in element}
    key, size = decode(told.get("Key", "")), told.get("Size", "")
    if not key or not size.isdigit():
        raise BucketUnavailable("the bucket's list of objects cannot be read")
    etag = told.get("ETag", "").strip('"').upper()
    return ListedObject(key, int(size), etag, _parse_time(told.get("LastModified", "")))


def _parse_multipart(element: ElementTree.Element, decode: Callable[[str], str]) -> ListedMultipart:
    key = decode(element.findtext("Key") or "")
    multipart_upload_id = element.findtext("UploadId") or ""
    if not key or not multipart_upload_id:
        raise BucketUnavailable("the bucket's list of unfinished uploads cannot be read")
    return ListedMultipart(key, multipart_upload_id, _parse_time(element.findtext("Initiated") or ""))


def _parse_time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BucketUnavailable("the bucket's list holds a time that cannot be read") from error
    if moment.tzinfo is None:
        raise BucketUnavailable("the bucket's list holds a time without its zone")
    return moment


def _read_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
