"""Multipart uploads as OSS keeps them: begun, listed, completed, given up.

Rules: *InitiateMultipartUpload*, https://help.aliyun.com/zh/oss/developer-reference/initiatemultipartupload, *ListParts*,
https://help.aliyun.com/zh/oss/developer-reference/listparts, *CompleteMultipartUpload*,
https://help.aliyun.com/zh/oss/developer-reference/completemultipartupload, *AbortMultipartUpload*,
https://help.aliyun.com/zh/oss/developer-reference/abortmultipartupload.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from ossgate.bucket.exchange import BucketRefused, BucketUnavailable, Exchange, parse_document
from signer.places import BucketPlace

PAGE_PARTS = 1000
MAX_ID_LENGTH = 256
NO_SUCH_UPLOAD = "NoSuchUpload"


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One part that the bucket holds; the ETag without quotes, in upper case."""

    part_number: int
    size: int
    etag: str


class MultipartClient:
    """Keeps multipart uploads in buckets. Each call takes at most so many seconds, however many requests it needs."""

    def __init__(self, exchange: Exchange, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._exchange = exchange
        self._clock = clock

    def initiate(
        self, place: BucketPlace, object_key: str, headers: Mapping[str, str], *, seconds: float
    ) -> str:
        """Begin an upload with the headers that its object will have, and return OSS's id of it.

        Raises:
            BucketRefused, BucketUnavailable: Nothing was begun, as far as is known.
        """
        answer = self._exchange.send(
            "POST", place, object_key, seconds=seconds, query=[("uploads", "")], headers=headers
        )
        found = parse_document(answer, "InitiateMultipartUploadResult").findtext("UploadId", "")
        if not 0 < len(found) <= MAX_ID_LENGTH:
            raise BucketUnavailable("the bucket's answer holds no UploadId")
        return found

    def list_parts(
        self, place: BucketPlace, object_key: str, multipart_upload_id: str, *, seconds: float
    ) -> list[StoredPart] | None:
        """Return all parts in the order of their numbers; nothing when OSS knows no such upload any more.

        Raises:
            BucketRefused, BucketUnavailable: They cannot be told.
        """
        end = self._clock() + seconds
        parts: list[StoredPart] = []
        marker = "0"
        while True:
            query = [
                ("uploadId", multipart_upload_id),
                ("max-parts", str(PAGE_PARTS)),
                ("part-number-marker", marker),
            ]
            try:
                answer = self._exchange.send(
                    "GET", place, object_key, seconds=end - self._clock(), query=query
                )
            except BucketRefused as error:
                if error.code == NO_SUCH_UPLOAD:
                    return None
                raise
            document = parse_document(answer, "ListPartsResult")
            parts.extend(map(_parse_part, document.findall("Part")))
            following = document.findtext("NextPartNumberMarker", "")
            if document.findtext("IsTruncated") != "true":
                return parts
            if not following.isdigit() or int(following) <= int(marker):
                raise BucketUnavailable("the bucket's list of parts does not end")
            marker = following

    def complete(
        self,
        place: BucketPlace,
        object_key: str,
        multipart_upload_id: str,
        parts: Iterable[StoredPart],
        headers: Mapping[str, str],
        *,
        seconds: float,
    ) -> bool:
        """Make one object of these parts; false when OSS knows no such upload any more.

        Raises:
            BucketRefused: OSS takes offence at the parts, or at an object that is there.
            BucketUnavailable: It may have been done, or not.
        """
        listed = "".join(
            f"<Part><PartNumber>{part.part_number}</PartNumber><ETag>{escape(part.etag)}</ETag></Part>"
            for part in parts
        )
        return self._is_known(
            "POST",
            place,
            object_key,
            multipart_upload_id,
            seconds=seconds,
            headers={"Content-Type": "application/xml", **headers},
            body=f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode(),
        )

    def abort(self, place: BucketPlace, object_key: str, multipart_upload_id: str, *, seconds: float) -> bool:
        """Give an upload up with all its parts; false when OSS knows no such upload any more.

        Raises:
            BucketRefused, BucketUnavailable: It may be there still.
        """
        return self._is_known("DELETE", place, object_key, multipart_upload_id, seconds=seconds)

    def _is_known(
        self,
        method: str,
        place: BucketPlace,
        object_key: str,
        multipart_upload_id: str,
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> bool:
        try:
            self._exchange.send(
                method,
                place,
                object_key,
                seconds=seconds,
                query=[("uploadId", multipart_upload_id)],
                headers=headers,
                body=body,
            )
        except BucketRefused as error:
            if error.code == NO_SUCH_UPLOAD:
                return False
            raise
        return True


def _parse_part(element: ElementTree.Element) -> StoredPart:
    number, size = element.findtext("PartNumber", ""), element.findtext("Size", "")
    if not number.isdigit() or not size.isdigit():
        raise BucketUnavailable("the bucket's list of parts cannot be read")
    return StoredPart(int(number), int(size), element.findtext("ETag", "").strip('"').upper())
