"""A callback as it comes over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from callback.body import MAX_BODY_BYTES
from callback.errors import BodyTooLarge

# What OSS sends beside what is verified; a fixed list, so that nothing else is kept, such as cookies.
OTHER_HEADERS = (
    "user-agent",
    "x-oss-additional-headers",
    "x-oss-bucket",
    "x-oss-owner",
    "x-oss-request-id",
    "x-oss-requester",
    "x-oss-signature-version",
    "x-oss-tag",
)
_OTHERS = tuple((name, "HTTP_" + name.upper().replace("-", "_")) for name in OTHER_HEADERS)


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """What OSS posted, as it came over the wire.

    Attributes:
        raw_target: The request line's path and query, undecoded; one character a byte.
        body_size: The body's own length, when it was not read because it is too large.
        other_headers: Headers that are kept and decide nothing, by their names in small letters.
    """

    raw_target: str
    body: bytes
    content_type: str
    authorization: str
    public_key_url: str
    remote_addr: str = ""
    body_size: int | None = None
    other_headers: Mapping[str, str] = field(default_factory=dict)

    def check_size(self) -> None:
        """Refuse what is larger than any callback of ours.

        Raises:
            BodyTooLarge: Answered with 413.
        """
        if self.body_size is not None or len(self.body) > MAX_BODY_BYTES:
            raise BodyTooLarge("no callback of ours has so large a body")


def read_environ(environ: Mapping[str, Any], body: bytes, *, body_size: int | None = None) -> CallbackRequest:
    """Return the request of a WSGI environment.

    Args:
        body_size: The Content-Length of a body that was not read.
    """
    return CallbackRequest(
        # PATH_INFO is decoded already, and what it was decoded from is what OSS signed.
        raw_target=environ["RAW_URI"],
        body=body,
        content_type=environ.get("CONTENT_TYPE", ""),
        # Not request.authorization, which takes the signature for a scheme's name and changes its case.
        authorization=environ.get("HTTP_AUTHORIZATION", ""),
        public_key_url=environ.get("HTTP_X_OSS_PUB_KEY_URL", ""),
        remote_addr=environ.get("REMOTE_ADDR") or "",
        body_size=body_size,
        other_headers={name: environ[key] for name, key in _OTHERS if key in environ},
    )
