"""HEAD and presigned GET.

Rules: *HeadObject*, https://help.aliyun.com/zh/oss/developer-reference/headobject. Only a 404 that OSS answered means that an object is absent; every
other failure means that we do not know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from signer import v4
from signer.credentials import Credentials
from signer.places import BucketPlace
from signer.seal import METADATA_NAME

MAX_CONNECTIONS = 32


class BucketUnavailable(Exception):
    """The bucket gave no answer that tells whether the object is there."""

    code = "bucket_unavailable"


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """What the bucket says of one object; the ETag without quotes, in upper case."""

    size: int
    etag: str
    content_type: str
    seal: str | None
    crc64: str | None
    last_modified: str = ""


class BucketClient:
    """Asks buckets; connections are kept, and opened on first use."""

    def __init__(self, credentials: Callable[[], Credentials], *, now: Callable[[], datetime]) -> None:
        self._credentials = credentials
        self._now = now
        # One for each bucket of the profiles; a PoolManager would take every URL apart again, for a fifth of the whole cost.
        self._pools: dict[str, tuple[urllib3.HTTPConnectionPool, str]] = {}

    def head_object(self, place: BucketPlace, object_key: str, *, seconds: float) -> ObjectHead | None:
        """Return what the bucket says of an object, or nothing when OSS says that it is absent.

        Raises:
            BucketUnavailable: No answer in time, a refusal, or an answer that is not OSS's.
        """
        if seconds <= 0:
            raise BucketUnavailable("no time is left to ask the bucket")
        headers = v4.sign_request(
            "HEAD",
            place.bucket,
            object_key,
            credentials=self._credentials(),
            region=place.region,
            now=self._now(),
        )
        pool, path = self._find_pool(place.internal)
        try:
            response = pool.urlopen(
                "HEAD",
                f"{path}/{v4.encode_object_key(object_key)}",
                headers=headers,
                timeout=urllib3.Timeout(total=seconds),
                redirect=False,
                retries=False,
            )
        except HTTPError as error:
            raise BucketUnavailable(f"the bucket did not answer: {type(error).__name__}") from error
        return _read_head(response)

    def presign_get(self, place: BucketPlace, object_key: str, *, expires: int) -> str:
        """Return a URL under which anybody may fetch an object for so many seconds."""
        query = v4.presign_query(
            "GET",
            place.bucket,
            object_key,
            credentials=self._credentials(),
            region=place.region,
            now=self._now(),
            expires=expires,
        )
        return v4.presign_url(f"{place.host}/{v4.encode_object_key(object_key)}", query)

    def close(self) -> None:
        """Close all kept connections."""
        while self._pools:
            pool, _ = self._pools.popitem()[1]
            pool.close()

    def _find_pool(self, url: str) -> tuple[urllib3.HTTPConnectionPool, str]:
        """Return the connections to a bucket's URL, and the path that the URL ends with."""
        found = self._pools.get(url)
        if found is None:
            pool = urllib3.connection_from_url(url, maxsize=MAX_CONNECTIONS, retries=False)
            # Another thread may have been here at the same time; the first pool stays.
            found = self._pools.setdefault(url, (pool, urlsplit(url).path))
        return found


def _read_head(response: urllib3.BaseHTTPResponse) -> ObjectHead | None:
    headers = response.headers
    if response.status == 404 and "x-oss-request-id" in headers:
        return None
    if response.status != 200 or "x-oss-request-id" not in headers:
        # A proxy's answer would else pass for the bucket's.
        raise BucketUnavailable(
            f"the bucket answered {response.status}"
            + (f" ({headers['x-oss-ec']})" if "x-oss-ec" in headers else "")
        )
    length = headers.get("Content-Length", "")
    if not length.isdigit():
        raise BucketUnavailable("the bucket's answer has no Content-Length")
    return ObjectHead(
        size=int(length),
        etag=headers.get("ETag", "").strip('"').upper(),
        content_type=headers.get("Content-Type", ""),
        seal=headers.get(METADATA_NAME),
        crc64=headers.get("x-oss-hash-crc64ecma"),
        last_modified=headers.get("Last-Modified", ""),
    )
