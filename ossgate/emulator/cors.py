"""Cross-origin requests: preflights, and the headers on every answer.

Sources: "PutBucketCors", "OptionObject", https://help.aliyun.com/zh/oss/developer-reference/options-object
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ossgate.emulator.buckets import Bucket
from ossgate.emulator.errors import (
    CORS_FORBIDDEN,
    CORS_METHOD_MISSING,
    CORS_ORIGIN_MISSING,
    OssError,
)
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response

METHODS = ("GET", "PUT", "DELETE", "POST", "HEAD")
EXPOSED_HEADERS = (
    "ETag",
    "x-oss-request-id",
    "x-oss-hash-crc64ecma",
    "Content-MD5",
    "x-oss-version-id",
    "x-oss-ec",
)


@dataclass(frozen=True, slots=True)
class CorsRule:
    """One rule of a bucket."""

    allowed_origins: tuple[str, ...]
    allowed_methods: tuple[str, ...] = METHODS
    allowed_headers: tuple[str, ...] = ("*",)
    exposed_headers: tuple[str, ...] = EXPOSED_HEADERS
    max_age: int | None = 600

    def admits(self, origin: str, method: str, headers: Iterable[str] = ()) -> bool:
        """Tell whether the rule is for this request."""
        return (
            any(_matches(pattern, origin) for pattern in self.allowed_origins)
            and method in self.allowed_methods
            and all(
                any(_matches(pattern.lower(), name.lower()) for pattern in self.allowed_headers)
                for name in headers
            )
        )

    def build_headers(self, origin: str) -> list[tuple[str, str]]:
        """Write the headers that an answer carries."""
        everybody = "*" in self.allowed_origins
        headers = [("Access-Control-Allow-Origin", "*" if everybody else origin)]
        if self.exposed_headers:
            headers.append(("Access-Control-Expose-Headers", ", ".join(self.exposed_headers)))
        if not everybody:
            headers.append(("Vary", "Origin"))
        return headers


@dataclass(frozen=True, slots=True)
class BucketCors:
    """The rules of each bucket: its own, or the default for those that nobody has set any for."""

    default_rules: tuple[CorsRule, ...]

    def list_rules(self, bucket: Bucket) -> tuple[CorsRule, ...]:
        """Tell a bucket's rules, in order."""
        if bucket.cors is None:
            return self.default_rules
        return tuple(_read_rule(rule) for rule in bucket.cors)

    def build_headers(self, bucket: Bucket, request: Request) -> list[tuple[str, str]]:
        """Write the headers for the answer to a plain request; few or none when no rule admits it."""
        origin = request.header("origin")
        rules = self.list_rules(bucket) if origin else ()
        found = next((rule for rule in rules if rule.admits(origin, request.method)), None)
        headers = found.build_headers(origin) if found is not None else []
        if bucket.vary_always and ("Vary", "Origin") not in headers:
            headers.append(("Vary", "Origin"))
        return headers


def answer_preflight(request: Request, rules: Sequence[CorsRule]) -> Response:
    """Answer OPTIONS.

    Raises:
        OssError: A needed header is missing, or no rule admits the request.
    """
    origin = request.header("origin")
    method = request.header("access-control-request-method")
    if not origin:
        raise OssError(CORS_ORIGIN_MISSING)
    if not method:
        raise OssError(CORS_METHOD_MISSING)
    wanted = [name.strip() for name in request.header("access-control-request-headers").split(",")]
    wanted = [name for name in wanted if name]
    for rule in rules:
        if rule.admits(origin, method, wanted):
            headers = [
                *rule.build_headers(origin),
                ("Access-Control-Allow-Methods", ", ".join(rule.allowed_methods)),
            ]
            if rule.max_age is not None:
                headers.append(("Access-Control-Max-Age", str(rule.max_age)))
            if wanted:
                headers.append(("Access-Control-Allow-Headers", ", ".join(wanted)))
            return Response(200, headers)
    raise OssError(CORS_FORBIDDEN)


def _read_rule(rule: Mapping[str, Any]) -> CorsRule:
    return CorsRule(
        tuple(rule["allowed_origins"]),
        tuple(rule["allowed_methods"]),
        tuple(rule["allowed_headers"]),
        tuple(rule["exposed_headers"]),
        rule["max_age"],
    )


def _matches(pattern: str, text: str) -> bool:
    # One star stands for anything; the other wildcards of file names do not exist here.
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))
