"""PutBucketCors, GetBucketCors, DeleteBucketCors: the rules of a bucket.

Source: https://help.aliyun.com/zh/oss/developer-reference/putbucketcors
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree.ElementTree import Element  # for its type

from ossgate.emulator.bucket_errors import CORS_INVALID, CORS_NOT_SET
from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.cors import METHODS, BucketCors, CorsRule
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import OssError
from ossgate.emulator.object_errors import MALFORMED_XML
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response
from ossgate.emulator.xml_body import parse_body, read_body
from ossgate.emulator.xml_document import Members, build_document, find_text

MAX_RULES = 10
MAX_BODY_BYTES = 16 * 1024
_LONGEST_AGE = 999_999_999


@dataclass(frozen=True, slots=True)
class BucketCorsOperations:
    """Answers requests about the rules."""

    buckets: BucketRegistry
    cors: BucketCors

    def put(self, request: Request, _: Credentials | None) -> Response:
        """Replace all rules.

        Raises:
            OssError: One of them does not hold.
        """
        root = parse_body(read_body(request, limit=MAX_BODY_BYTES), "CORSConfiguration")
        elements = root.findall("CORSRule")
        if not 1 <= len(elements) <= MAX_RULES:
            raise OssError(CORS_INVALID if elements else MALFORMED_XML)
        rules = tuple(asdict(_read_rule(element)) for element in elements)
        vary = (find_text(root, "ResponseVary") or "").lower() == "true"
        self.buckets.change(request.bucket, cors=rules, vary_always=vary)
        return Response(200)

    def get(self, request: Request, _: Credentials | None) -> Response:
        """Tell the rules; those of the options as long as none have been set.

        Raises:
            OssError: There are none.
        """
        bucket = self.buckets.require(request.bucket)
        rules = self.cors.list_rules(bucket)
        if not rules:
            raise OssError(CORS_NOT_SET)
        members: list[tuple[str, str | Members]] = [("CORSRule", _write_rule(rule)) for rule in rules]
        members.append(("ResponseVary", "true" if bucket.vary_always else "false"))
        document = build_document("CORSConfiguration", members)
        return Response(200, [("Content-Type", "application/xml")], document)

    def delete(self, request: Request, _: Credentials | None) -> Response:
        """Switch CORS off."""
        self.buckets.change(request.bucket, cors=(), vary_always=False)
        return Response(204)


def _read_rule(element: Element) -> CorsRule:
    origins, methods, headers, exposed = (
        tuple((child.text or "").strip() for child in element.iterfind(name))
        for name in ("AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader")
    )
    starred = [text for text in (*origins, *headers) if text.count("*") > 1]
    bad_methods = [method for method in methods if method not in METHODS]
    bad_exposed = [name for name in exposed if "*" in name]
    if not origins or not methods or not all((*origins, *headers, *exposed)):
        raise OssError(MALFORMED_XML)
    for wrong in (starred, bad_methods, bad_exposed):
        if wrong:
            raise OssError(CORS_INVALID, extras=[("ArgumentValue", wrong[0])])
    return CorsRule(origins, methods, headers, exposed, _read_age(find_text(element, "MaxAgeSeconds")))


def _read_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 11) or int(text) > _LONGEST_AGE:
        raise OssError(CORS_INVALID, extras=[("ArgumentValue", text)])
    return int(text)


def _write_rule(rule: CorsRule) -> Members:
    lists: Mapping[str, Any] = {
        "AllowedOrigin": rule.allowed_origins,
        "AllowedMethod": rule.allowed_methods,
        "AllowedHeader": rule.allowed_headers,
        "ExposeHeader": rule.exposed_headers,
    }
    for name, texts in lists.items():
        for text in texts:
            yield name, text
    if rule.max_age is not None:
        yield "MaxAgeSeconds", str(rule.max_age)
