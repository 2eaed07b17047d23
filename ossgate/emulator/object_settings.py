"""What can be set of an object without its bytes: ACL and tags.

Sources: https://help.aliyun.com/zh/oss/developer-reference/putobjectacl ,
https://help.aliyun.com/zh/oss/developer-reference/putobjecttagging
"""

from dataclasses import dataclass, replace
from typing import Any

from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import NO_SUCH_KEY, OBJECT_ACL_INVALID, OssError
from ossgate.emulator.object_errors import MALFORMED_XML
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.owner import OWNER
from ossgate.emulator.requests import Request, check_object_key
from ossgate.emulator.responses import Response
from ossgate.emulator.store import ObjectStore
from ossgate.emulator.tag_set import check_tags
from ossgate.emulator.upload_headers import OBJECT_ACLS
from ossgate.emulator.xml_body import parse_body, read_body
from ossgate.emulator.xml_document import Members, build_document, find_text


@dataclass(frozen=True, slots=True)
class ObjectSettings:
    """Answers requests about one object's ACL and tags."""

    store: ObjectStore

    def put_acl(self, request: Request, _: Credentials | None) -> Response:
        """Set the ACL that the header names.

        Raises:
            OssError: It is none, or the object is missing.
        """
        read_body(request)
        acl = request.header("x-oss-object-acl")
        if acl not in OBJECT_ACLS:
            raise OssError(OBJECT_ACL_INVALID)
        return self._change(request, acl=acl)

    def get_acl(self, request: Request, _: Credentials | None) -> Response:
        """Tell owner and ACL.

        Raises:
            OssError: The object is missing.
        """
        metadata = self._require(request)
        return respond_with_acl(metadata.acl, metadata.version_id)

    def put_tags(self, request: Request, _: Credentials | None) -> Response:
        """Set the tags, all anew.

        Raises:
            OssError: They are no tag set, or the object is missing.
        """
        root = parse_body(read_body(request), "Tagging")
        tag_set = root.find("TagSet")
        if tag_set is None:
            raise OssError(MALFORMED_XML)
        pairs = [
            (find_text(tag, "Key") or "", find_text(tag, "Value") or "") for tag in tag_set.iterfind("Tag")
        ]
        return self._change(request, tags=check_tags(pairs))

    def get_tags(self, request: Request, _: Credentials | None) -> Response:
        """Tell the tags.

        Raises:
            OssError: The object is missing.
        """
        metadata = self._require(request)
        tags: list[tuple[str, Members]] = [
            ("Tag", [("Key", name), ("Value", value)]) for name, value in metadata.tags.items()
        ]
        document = build_document("Tagging", [("TagSet", tags)])
        return Response(200, [("Content-Type", "application/xml"), *_version(metadata)], document)

    def delete_tags(self, request: Request, _: Credentials | None) -> Response:
        """Forget the tags.

        Raises:
            OssError: The object is missing.
        """
        response = self._change(request, tags={})
        response.status = 204
        return response

    def _change(self, request: Request, **settings: Any) -> Response:
        with self.store.locked(request.bucket, request.object_key):
            metadata = self._require(request)
            self.store.change(replace(metadata, **settings))
        return Response(200, _version(metadata))

    def _require(self, request: Request) -> ObjectMetadata:
        check_object_key(request.object_key)
        metadata = self.store.find(request.bucket, request.object_key)
        if metadata is None:
            raise OssError(NO_SUCH_KEY, extras=[("Key", request.object_key)])
        return metadata


def respond_with_acl(acl: str, version_id: str = "") -> Response:
    """Answer with an ACL document, of an object or a bucket."""
    document = build_document(
        "AccessControlPolicy", [("Owner", OWNER), ("AccessControlList", [("Grant", acl)])]
    )
    headers = [("Content-Type", "application/xml")]
    if version_id:
        headers.append(("x-oss-version-id", version_id))
    return Response(200, headers, document)


def _version(metadata: ObjectMetadata) -> list[tuple[str, str]]:
    return [("x-oss-version-id", metadata.version_id)] if metadata.version_id else []
