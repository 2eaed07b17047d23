"""CopyObject: an object made of another, or its metadata written anew.

Source: https://help.aliyun.com/zh/oss/developer-reference/copyobject
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ossgate.emulator.buckets import Bucket, BucketRegistry
from ossgate.emulator.copy_source import open_source
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import FILE_ALREADY_EXISTS, OssError
from ossgate.emulator.object_errors import DIRECTIVE_INVALID, SOURCE_INVALID
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.requests import Request, check_object_key
from ossgate.emulator.responses import Response
from ossgate.emulator.upload_headers import DEFAULT_CONTENT_TYPE, UploadHeaders, read_upload_headers
from ossgate.emulator.write_request import build_write_headers
from ossgate.emulator.xml_body import read_body, write_time
from ossgate.emulator.xml_document import build_document


@dataclass(frozen=True, slots=True)
class CopyObject:
    """Answers copies."""

    buckets: BucketRegistry
    now: Callable[[], datetime]

    def handle(self, request: Request, _: Credentials | None) -> Response:
        """Copy one object.

        Raises:
            OssError: Source, conditions or headers do not hold, or the key may not be overwritten.
        """
        check_object_key(request.object_key)
        headers = read_upload_headers(request.headers)
        new_metadata = _read_directive(request, "x-oss-metadata-directive")
        new_tags = _read_directive(request, "x-oss-tagging-directive")
        read_body(request)
        bucket = self.buckets.require(request.bucket)
        forbid = bucket.forbids_overwrite(request.object_key, asked=headers.forbid_overwrite)
        with open_source(request, self.buckets, malformed=SOURCE_INVALID) as (source, file):
            same = (source.bucket, source.object_key) == (request.bucket, request.object_key)
            if forbid and (same or self.buckets.store.exists(request.bucket, request.object_key)):
                raise OssError(FILE_ALREADY_EXISTS)
            metadata = self._describe(request, bucket, headers, source)
            if new_metadata or same:
                # Copied onto itself, an object gets the request's metadata whatever the directive says.
                metadata = replace(
                    metadata,
                    content_type=headers.content_type or DEFAULT_CONTENT_TYPE,
                    http_headers=headers.http_headers,
                    user_metadata=headers.user_metadata,
                )
            if new_tags:
                metadata = replace(metadata, tags=headers.tags)
            with self.buckets.store.stage_copy(file, source.size) as path:
                self.buckets.store.commit_file(path, metadata, forbid_overwrite=forbid)
        return _respond(metadata)

    def _describe(
        self, request: Request, bucket: Bucket, headers: UploadHeaders, source: ObjectMetadata
    ) -> ObjectMetadata:
        return replace(
            source,
            bucket=request.bucket,
            object_key=request.object_key,
            modified=self.now().timestamp(),
            acl=headers.acl,
            storage_class=headers.storage_class,
            encryption=headers.encryption,
            version_id=bucket.new_version_id(),
        )


def _read_directive(request: Request, name: str) -> bool:
    """Tell whether the request's own values replace the source's."""
    directive = request.header(name).upper()
    if directive not in ("", "COPY", "REPLACE"):
        raise OssError(
            DIRECTIVE_INVALID, extras=[("ArgumentName", name), ("ArgumentValue", request.header(name))]
        )
    return directive == "REPLACE"


def _respond(metadata: ObjectMetadata) -> Response:
    document = build_document(
        "CopyObjectResult",
        [("ETag", f'"{metadata.etag}"'), ("LastModified", write_time(metadata.modified))],
    )
    headers = [pair for pair in build_write_headers(metadata) if pair[0] != "Content-MD5"]
    return Response(200, [*headers, ("Content-Type", "application/xml")], document)
