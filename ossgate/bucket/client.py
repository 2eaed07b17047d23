"""HEAD, DELETE and presigned GET.

Rules: *HeadObject*, https://help.aliyun.com/zh/oss/developer-reference/headobject. Only a 404 that OSS answered means that an object is absent; every
other failure means that we do not know.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ossgate.bucket.exchange import BucketUnavailable, Exchange, fetch_credentials
from ossgate.bucket.heads import Head, HeadInvalid
from ossgate.bucket.listing import ListingClient
from ossgate.bucket.multipart import MultipartClient
from ossgate.bucket.patience import Patience
from ossgate.bucket.pools import Pools
from signer import v4
from signer.credentials import Credentials
from signer.places import BucketPlace
from signer.post_form import SignatureVersion
from signer.presign import UrlSigner
from signer.seal import METADATA_NAME
from signer.thumbnails import PROCESS_PARAMETER


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """What the bucket says of one object; the ETag without quotes, in upper case, the MD5 of its bytes in Base64 where it is known."""

    size: int
    etag: str
    content_type: str
    seal: str | None
    crc64: str | None
    last_modified: str = ""
    object_type: str = "Normal"
    content_md5: str = ""


class BucketClient:
    """Asks buckets; connections are kept, and opened on first use."""

    def __init__(self, credentials: Callable[[], Credentials], *, now: Callable[[], datetime]) -> None:
        self._credentials = credentials
        self._now = now
        self._pools = Pools()
        self._patience = Patience()
        self._exchange = Exchange(credentials, now=now, pools=self._pools)
        self.multipart = MultipartClient(self._exchange)
        self.listing = ListingClient(self._exchange)

    def head_object(self, place: BucketPlace, object_key: str, *, seconds: float) -> ObjectHead | None:
        """Return what the bucket says of an object, or nothing when OSS says that it is absent.

        Raises:
            BucketUnavailable: No answer in time, a refusal, or an answer that is not OSS's. Or not asked: others have just waited in
                vain for longer than this caller would.
        """
        if seconds <= 0:
            raise BucketUnavailable("no time is left to ask the bucket")
        self._patience.require(place.bucket, seconds=seconds)
        headers = v4.sign_request(
            "HEAD",
            place.bucket,
            object_key,
            credentials=fetch_credentials(self._credentials),
            region=place.region,
            now=self._now(),
        )
        connections, path = self._pools.find_heads(place.internal)
        try:
            answer = connections.ask(f"{path}/{v4.encode_object_key(object_key)}", headers, seconds=seconds)
        except (OSError, HeadInvalid, ValueError) as error:
            if isinstance(error, TimeoutError):
                self._patience.note_silence(place.bucket)
            else:
                self._patience.note_answer(place.bucket)
            raise BucketUnavailable(f"the bucket did not answer: {type(error).__name__}") from error
        self._patience.note_answer(place.bucket)
        return _read_head(answer)

    def delete_object(self, place: BucketPlace, object_key: str, *, seconds: float) -> None:
        """Delete an object; one that is not there is deleted already.

        Raises:
            BucketRefused, BucketUnavailable: It may be there still.
        """
        self._exchange.send("DELETE", place, object_key, seconds=seconds)

    def presign_get(
        self,
        place: BucketPlace,
        object_key: str,
        *,
        expires: int,
        version: SignatureVersion = "v4",
        process: str = "",
    ) -> str:
        """Return a URL under which anybody may fetch an object for so many seconds.

        Args:
            process: What OSS makes of an image on the way; inside the signature of either version, as its absence is.
        """
        signer = UrlSigner(place, version, self._credentials(), self._now())
        query = [(PROCESS_PARAMETER, process)] if process else []
        return signer.sign("GET", object_key, expires=expires, query=query)

    def close(self) -> None:
        """Close all kept connections."""
        self._pools.close()


NO_SUCH_BUCKET_EC = "0015-00000101"
_LENGTH = re.compile(r"[0-9]{1,18}")


def _misses_bucket(headers: Mapping[str, str]) -> bool:
    """Tell whether a 404 is about the bucket: a wrong setting, which says nothing about its objects."""
    if headers.get("x-oss-ec") == NO_SUCH_BUCKET_EC:
        return True
    # A HEAD's error has no body; OSS puts its XML into a header.
    try:
        return b"<Code>NoSuchBucket</Code>" in b64decode(headers.get("x-oss-err", ""))
    except ValueError:
        return False


def _read_head(answer: Head) -> ObjectHead | None:
    headers = answer.headers
    if answer.status == 404 and "x-oss-request-id" in headers and not _misses_bucket(headers):
        return None
    if answer.status != 200 or "x-oss-request-id" not in headers:
        # A proxy's answer would else pass for the bucket's.
        raise BucketUnavailable(
            f"the bucket answered {answer.status}"
            + (f" ({headers['x-oss-ec']})" if "x-oss-ec" in headers else "")
        )
    length = headers.get("content-length", "")
    if not _LENGTH.fullmatch(length):
        raise BucketUnavailable("the bucket's answer has no Content-Length")
    return ObjectHead(
        size=int(length),
        etag=headers.get("etag", "").strip('"').upper(),
        content_type=headers.get("content-type", ""),
        seal=headers.get(METADATA_NAME),
        crc64=headers.get("x-oss-hash-crc64ecma"),
        last_modified=headers.get("last-modified", ""),
        object_type=headers.get("x-oss-object-type", "Normal"),
        content_md5=headers.get("content-md5", ""),
    )
