"""A bucket's own rules against overwriting.

Source: https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketoverwriteconfig
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element  # for its type

from ossgate.emulator.bucket_errors import OVERWRITE_CONFIG_INVALID, OVERWRITE_CONFIG_NOT_SET
from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import OssError
from ossgate.emulator.object_errors import MALFORMED_XML
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response
from ossgate.emulator.xml_body import parse_body, read_body
from ossgate.emulator.xml_document import Members, build_document, find_text

MAX_RULES = 100
MAX_LENGTH = 1023


@dataclass(frozen=True, slots=True)
class OverwriteRules:
    """Answers requests about the rules."""

    buckets: BucketRegistry

    def put(self, request: Request, _: Credentials | None) -> Response:
        """Replace all rules.

        Raises:
            OssError: One of them does not hold.
        """
        root = parse_body(read_body(request), "OverwriteConfiguration")
        rules = [_read_rule(element) for element in root.iterfind("Rule")]
        if not rules:
            raise OssError(MALFORMED_XML)
        if len(rules) > MAX_RULES or len({rule["id"] for rule in rules}) < len(rules):
            raise OssError(OVERWRITE_CONFIG_INVALID)
        self.buckets.change(request.bucket, overwrite_rules=tuple(rules))
        return Response(200)

    def get(self, request: Request, _: Credentials | None) -> Response:
        """Tell the rules.

        Raises:
            OssError: There are none.
        """
        rules = self.buckets.require(request.bucket).overwrite_rules
        if not rules:
            raise OssError(OVERWRITE_CONFIG_NOT_SET, extras=[("BucketName", request.bucket)])
        document = build_document("OverwriteConfiguration", [("Rule", _write_rule(rule)) for rule in rules])
        return Response(200, [("Content-Type", "application/xml")], document)

    def delete(self, request: Request, _: Credentials | None) -> Response:
        """Allow overwriting again."""
        self.buckets.change(request.bucket, overwrite_rules=())
        return Response(204)


def _read_rule(element: Element) -> dict[str, Any]:
    texts = {name: [find.text or "" for find in element.iterfind(name)] for name in ("Prefix", "Suffix")}
    if any(len(found) > 1 for found in texts.values()) or find_text(element, "Action") != "forbid":
        raise OssError(OVERWRITE_CONFIG_INVALID)
    prefix, suffix = ("".join(texts[name]) for name in ("Prefix", "Suffix"))
    if max(len(prefix), len(suffix)) > MAX_LENGTH:
        raise OssError(OVERWRITE_CONFIG_INVALID)
    principals = [(found.text or "").strip() for found in element.iterfind("Principals/Principal")]
    return {
        "id": find_text(element, "ID") or str(uuid.uuid4()),
        "prefix": prefix,
        "suffix": suffix,
        "principals": principals,
    }


def _write_rule(rule: Mapping[str, Any]) -> Members:
    yield "ID", rule["id"]
    yield "Action", "forbid"
    yield "Prefix", rule["prefix"]
    yield "Suffix", rule["suffix"]
    if rule["principals"]:
        yield "Principals", [("Principal", name) for name in rule["principals"]]
