"""DeleteMultipleObjects: up to a thousand keys at once.

Source: https://help.aliyun.com/zh/oss/developer-reference/deletemultipleobjects
"""

from dataclasses import dataclass

from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import OssError
from ossgate.emulator.list_arguments import check_encoding, encode_name, list_encoding
from ossgate.emulator.object_errors import MALFORMED_XML
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response
from ossgate.emulator.sts import Sts
from ossgate.emulator.xml_body import parse_body, read_body
from ossgate.emulator.xml_document import Members, build_document, find_text

MAX_KEYS = 1000
MAX_BODY_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DeleteObjects:
    """Answers deletions of several objects."""

    buckets: BucketRegistry
    sts: Sts

    def handle(self, request: Request, caller: Credentials | None) -> Response:
        """Delete every key; those that are not there are told as deleted too.

        Raises:
            OssError: The body has no digest, is no list of keys, lists too many, or one that may not be deleted.
        """
        check_encoding(request)
        keys, quiet = read_keys(read_body(request, limit=MAX_BODY_BYTES, needs_digest=True))
        facts = self.sts.read_facts(request)
        for key in keys:
            self.sts.authorize(caller, "DeleteMultipleObjects", request.bucket, key, facts)
        bucket = self.buckets.require(request.bucket)
        entries: list[tuple[str, Members]] = []
        for key in keys:
            self.buckets.store.delete(request.bucket, key)
            members = [("Key", encode_name(request, key))]
            version_id = bucket.new_version_id()
            if version_id:
                members += [("DeleteMarker", "true"), ("DeleteMarkerVersionId", version_id)]
            entries.append(("Deleted", members))
        if quiet:
            return Response(200)
        document = build_document("DeleteResult", [*list_encoding(request), *entries])
        return Response(200, [("Content-Type", "application/xml")], document)


def read_keys(body: bytes) -> tuple[list[str], bool]:
    """Read the keys, and whether the answer is to be empty.

    Raises:
        OssError: It is no list of one to a thousand keys.
    """
    root = parse_body(body, "Delete")
    # Blanks may be part of a key: its text is not trimmed.
    keys = [element.findtext("Key") or "" for element in root.iterfind("Object")]
    if not 1 <= len(keys) <= MAX_KEYS or not all(keys):
        raise OssError(MALFORMED_XML)
    return keys, (find_text(root, "Quiet") or "").lower() == "true"
