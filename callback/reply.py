"""The reply to OSS, which OSS hands on to the uploader: the profile's template, filled in.

Rules: *Callback*, https://help.aliyun.com/zh/oss/developer-reference/callback:
exactly 200, JSON, ``Content-Length``, below 1 MB, never chunked or compressed.
Old mobile SDKs lose replies above about 1.3 KB, so ours stay below 1 KB unless the profile says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from signer.errors import ConfigurationError, quote

DEFAULT_REPLY: dict[str, str] = {
    "Status": "OK",
    "upload_id": "{upload_id}",
    "state": "{state}",
    "object_key": "{object_key}",
    "size": "{size}",
    "etag": "{etag}",
    "content_type": "{content_type}",
}
PLACEHOLDERS = frozenset(
    {
        "upload_id", "state", "profile", "subject", "bucket", "object_key", "file_name", "size", "etag",
        "content_type", "crc64", "width", "height", "uploaded_at", "keep_until", "url", "location",
    }
)  # fmt: skip
DEFAULT_LIMIT = 1024
OSS_LIMIT = 1024**2
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.]*)(!s)?\}")

Values = Mapping[str, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class ReplyTemplate:
    """A checked template and the longest reply that it may become, in bytes."""

    template: Mapping[str, Any]
    limit: int = DEFAULT_LIMIT

    def render(self, values: Values) -> bytes:
        """Return the reply as JSON.

        A value that is one placeholder keeps its JSON type, unless it is written ``{size!s}``: then it is text. A reply
        above the limit is replaced by one with the upload's id and state alone, since a reply that a client loses is
        worse than a short one.
        """
        reply = encode_reply(_fill(self.template, values), limit=self.limit)
        return reply or orjson.dumps(
            {"Status": "OK", "upload_id": values["upload_id"](), "state": values["state"]()}
        )


def encode_reply(reply: object, *, limit: int) -> bytes | None:
    """Return a reply as JSON, or nothing when it is above the limit."""
    encoded = orjson.dumps(reply)
    return encoded if len(encoded) <= limit else None


def compile_reply(
    template: Mapping[str, Any],
    *,
    variables: Iterable[str] = (),
    thumbnails: Iterable[str] = (),
    limit: int = DEFAULT_LIMIT,
) -> ReplyTemplate:
    """Check a profile's reply template; an empty one becomes the default.

    Args:
        variables: The client variables that the profile declares, known as ``{vars.NAME}``.
        thumbnails: The names of its thumbnails, known as ``{thumbnails.NAME}``.
        limit: Bytes; OSS takes 1 MB.

    Raises:
        ConfigurationError: An unknown placeholder, a value that JSON cannot say, or a limit that OSS does not take.
    """
    if not 64 <= limit <= OSS_LIMIT:
        raise ConfigurationError(f"a reply of {limit} bytes is not possible", hint="64 bytes to 1 MB")
    known = PLACEHOLDERS.union(
        (f"vars.{name}" for name in variables), (f"thumbnails.{name}" for name in thumbnails)
    )
    chosen = template or DEFAULT_REPLY
    _check(chosen, known)
    return ReplyTemplate(chosen, limit)


def _check(value: object, known: frozenset[str]) -> None:
    if isinstance(value, Mapping):
        for part in value.values():
            _check(part, known)
    elif isinstance(value, list):
        for part in value:
            _check(part, known)
    elif isinstance(value, str):
        for name, _ in _PLACEHOLDER.findall(value):
            if name not in known:
                raise ConfigurationError(
                    f"replies know no placeholder {{{name}}}", hint="known are " + ", ".join(sorted(known))
                )
    elif not isinstance(value, (int, float, bool)) and value is not None:
        raise ConfigurationError(
            f"a reply cannot hold {quote(value)}", hint="use text, numbers, lists and tables"
        )


def _fill(value: Any, values: Values) -> Any:
    if isinstance(value, str):
        if "{" not in value:
            return value
        whole = _PLACEHOLDER.fullmatch(value)
        if whole and not whole.group(2):
            return values[whole.group(1)]()
        return _PLACEHOLDER.sub(lambda match: _as_text(values[match.group(1)]()), value)
    if isinstance(value, Mapping):
        return {name: _fill(part, values) for name, part in value.items()}
    if isinstance(value, list):
        return [_fill(part, values) for part in value]
    return value


def _as_text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
