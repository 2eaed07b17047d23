"""Where a profile's objects go, and under which URLs clients and we reach them.

Rules: *OSS domain names*, https://www.alibabacloud.com/help/en/oss/user-guide/oss-domain-names: the bucket is the first label of the host,
except on endpoints that are addresses, where it is the first segment of the path. The signature says ``/bucket/key`` either way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from signer.errors import ConfigurationError, quote
from signer.v4 import encode_object_key

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z0-9]+)+")

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]*)*")


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """A bucket and its URLs, without a slash at their ends."""

    bucket: str
    region: str
    host: str
    """The bucket's own URL for clients, to which forms are posted."""
    internal: str
    """The bucket's URL for our own requests."""
    endpoint: str = ""
    """The public endpoint, without the bucket, for clients that have credentials of their own."""

    @property
    def is_cname(self) -> bool:
        """Tell whether clients use a domain of the bucket's own, which SDKs must be told."""
        return bool(self.endpoint) and self.host != build_bucket_url(self.endpoint, self.bucket)

    def build_object_url(self, object_key: str) -> str:
        """Return an object's address for clients, unsigned: good to fetch where the bucket is public, good to name it everywhere."""
        return f"{self.host}/{encode_object_key(object_key)}"


def define_place(bucket: str, region: str, *, endpoint: str = "", host: str = "") -> BucketPlace:
    """Check a bucket's settings and return its URLs.

    Args:
        region: With or without ``oss-`` in front.
        endpoint: Where we ask; by default the region's public endpoint.
        host: The bucket's own domain, for clients; by default the bucket under the endpoint.

    Raises:
        ConfigurationError: With the fix.
    """
    region = region.removeprefix("oss-")
    if not _BUCKET.fullmatch(bucket):
        raise ConfigurationError(
            f"{quote(bucket)} is no bucket name", hint="3 to 63 of a-z, 0-9 and -, no - at either end"
        )
    if not _REGION.fullmatch(region):
        raise ConfigurationError(f"{quote(region)} is no region", hint='write it as "cn-hangzhou"')
    asked = _check_url(endpoint or f"https://oss-{region}.aliyuncs.com", "endpoint")
    if urlsplit(asked).path:
        raise ConfigurationError(
            f"the endpoint {quote(endpoint)} has a path", hint="leave it out: the bucket is added by itself"
        )
    internal = build_bucket_url(asked, bucket)
    # A public client cannot reach an internal endpoint.
    public = asked.replace("-internal.aliyuncs.com", ".aliyuncs.com")
    own = _check_url(host, "host") if host else build_bucket_url(public, bucket)
    return BucketPlace(bucket, region, own, internal, public)


def build_bucket_url(endpoint: str, bucket: str) -> str:
    """Return the URL of a bucket under an endpoint."""
    parts = urlsplit(endpoint)
    if is_local_host(parts.hostname or ""):
        return f"{endpoint}/{bucket}"
    return f"{parts.scheme}://{bucket}.{parts.netloc}"


def is_local_host(host: str) -> bool:
    """Tell whether a host is an address or localhost, which have no subdomain for a bucket."""
    if host == "localhost":
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _check_url(url: str, what: str) -> str:
    written = url if "://" in url else f"https://{url}"
    try:
        parts = urlsplit(written)
        # Pages name these in their Content-Security-Policy, where a blank or a semicolon begins something else.
        usable = bool(_HOST.fullmatch(parts.hostname or "")) and parts.port != 0
    except ValueError:
        usable = False
    # Written as it was read: without user name, query or fragment, and with nothing that the reader passed over.
    plain = usable and written.partition("://")[2] == parts.netloc + parts.path and "@" not in parts.netloc
    if not plain or parts.scheme not in ("http", "https") or not _PATH.fullmatch(parts.path):
        raise ConfigurationError(
            f"the {what} {quote(url)} is no http or https URL",
            hint='write it as "https://upload.example.com"',
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
