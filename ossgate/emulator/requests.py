"""A request as OSS sees it: which bucket, which object, which query.

Addressing: path style for IP addresses and unknown hosts, `<bucket>.<endpoint>` under the region's endpoints,
own domains by the CNAME map; https://help.aliyun.com/zh/oss/user-guide/regions-and-endpoints
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, unquote_to_bytes

from ossgate.emulator.errors import INVALID_OBJECT_NAME, OssError

MAX_KEY_BYTES = 1023
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", re.ASCII)


class Body(Protocol):
    """The bytes that follow the headers."""

    length: int | None
    received: int

    def add_mark(self, position: int, effect: Callable[[], None]) -> None:
        """Have something happen once so many bytes have been received."""

    def iter_chunks(self) -> Iterator[bytes | bytearray]:
        """Yield the body in large pieces; a piece is overwritten by the next but one."""


@dataclass(frozen=True, slots=True)
class Request:
    """One parsed request.

    Args:
        raw_path: Path of the request line, still percent-encoded.
        query: Decoded names and values in order; a bare name has an empty value.
        headers: By lower-case name.
        host: The Host header without its port, lower-case.
        bucket: Empty for requests to the service itself.
        path_style: Whether the path names the bucket, not the host.
        raw_query: The query as it came, still percent-encoded.
    """

    method: str
    raw_path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    host: str
    bucket: str
    object_key: str
    remote_addr: str
    request_id: str
    body: Body
    path_style: bool = True
    raw_query: str = ""

    def header(self, name: str) -> str:
        """Tell a header's value, empty when absent."""
        return self.headers.get(name, "")

    def query_value(self, name: str) -> str | None:
        """Tell the first value of a query parameter, None when absent."""
        return next((value for key, value in self.query if key == name), None)

    @property
    def host_id(self) -> str:
        """What error documents name as HostId."""
        return self.header("host")

    @property
    def bucket_readings(self) -> tuple[bool, ...]:
        """Whether the signed path may name the bucket without a slash: so does one SDK that asks for it so.

        The usual reading comes last: it is the one that a refusal shows.
        """
        without_slash = self.path_style and not self.object_key and not self.raw_path.endswith("/")
        return (True, False) if without_slash else (False,)

    @property
    def bucket_url(self) -> str:
        """The bucket's own URL, by the host and addressing of this request."""
        return f"http://{self.header('host')}" + (f"/{self.bucket}" if self.path_style else "")

    def locate_object(self, object_key: str) -> str:
        """Tell an object's URL, by the host and addressing of this request."""
        return f"{self.bucket_url}/{quote(object_key, safe='/')}"


@dataclass(frozen=True, slots=True)
class Addressing:
    """How hosts name buckets."""

    suffixes: tuple[str, ...]
    cname_buckets: Mapping[str, str]

    def is_path_style(self, host: str) -> bool:
        """Tell whether a host leaves it to the path to name the bucket."""
        return host not in self.cname_buckets and not any(
            host.endswith("." + suffix) for suffix in self.suffixes
        )

    def locate(self, host: str, path: str) -> tuple[str, str]:
        """Tell bucket and object key of a decoded path."""
        if host in self.cname_buckets:
            return self.cname_buckets[host], path[1:]
        for suffix in self.suffixes:
            if host.endswith("." + suffix):
                return host.removesuffix("." + suffix), path[1:]
        bucket, _, object_key = path[1:].partition("/")
        return bucket, object_key


def split_host(header: str) -> str:
    """Tell the name in a Host header: without port, lower-case, IPv6 brackets kept off."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower().rstrip(".")


def is_bucket_name(name: str) -> bool:
    """Tell whether a bucket may be called so."""
    return _BUCKET_NAME.fullmatch(name) is not None


def is_ip_address(host: str) -> bool:
    """Tell whether a host is a literal address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def decode_path(raw_path: str) -> str:
    """Decode a path's percent signs.

    Raises:
        OssError: The result is not UTF-8.
    """
    try:
        return unquote_to_bytes(raw_path.encode("utf-8", "surrogateescape")).decode()
    except UnicodeDecodeError as error:
        raise OssError(INVALID_OBJECT_NAME) from error


def decode_query(raw_query: str) -> tuple[tuple[str, str], ...]:
    """Split and decode a query; `+` is a blank: so one SDK writes blanks and signs them as `%20`, and none writes a plus so."""
    pairs = []
    for item in raw_query.split("&"):
        if item:
            name, _, value = item.partition("=")
            pairs.append((_decode_component(name), _decode_component(value)))
    return tuple(pairs)


def _decode_component(text: str) -> str:
    raw = text.replace("+", " ").encode("utf-8", "surrogateescape")
    return unquote_to_bytes(raw).decode("utf-8", "surrogateescape")


def check_object_key(object_key: str) -> None:
    """Refuse keys that OSS refuses.

    Raises:
        OssError: The key is empty, too long, or begins with a slash or backslash.
    """
    try:
        size = len(object_key.encode())
    except UnicodeEncodeError as error:
        raise OssError(INVALID_OBJECT_NAME) from error
    if not 1 <= size <= MAX_KEY_BYTES or object_key[0] in "/\\":
        raise OssError(INVALID_OBJECT_NAME)
