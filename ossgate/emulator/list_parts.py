"""ListParts: the parts of one upload, page by page.

Source: https://help.aliyun.com/zh/oss/developer-reference/listparts
"""

from dataclasses import dataclass

from ossgate.emulator.credentials import Credentials
from ossgate.emulator.list_arguments import check_encoding, encode_name, list_encoding, read_count
from ossgate.emulator.multipart import MAX_PARTS
from ossgate.emulator.multipart_store import MultipartStore, Part
from ossgate.emulator.object_errors import NO_SUCH_UPLOAD
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response
from ossgate.emulator.xml_body import write_time
from ossgate.emulator.xml_document import Members, build_document


@dataclass(frozen=True, slots=True)
class ListParts:
    """Answers which parts have arrived."""

    uploads: MultipartStore

    def handle(self, request: Request, _: Credentials | None) -> Response:
        """List the parts behind the marker.

        Raises:
            OssError: There is no such upload, or an argument does not hold.
        """
        check_encoding(request)
        most = read_count(request, "max-parts", default=1000, lowest=1)
        marker = read_count(request, "part-number-marker", default=0, highest=MAX_PARTS)
        upload_id = request.query_value("uploadId") or ""
        upload = self.uploads.find(request.bucket, request.object_key, upload_id, missing=NO_SUCH_UPLOAD)
        found = [part for part in self.uploads.list_parts(upload) if part.number > marker]
        page = found[:most]
        last = page[-1].number if page else 0
        document = build_document(
            "ListPartsResult",
            [
                *list_encoding(request),
                ("Bucket", request.bucket),
                ("Key", encode_name(request, request.object_key)),
                ("UploadId", upload_id),
                ("StorageClass", upload.metadata.storage_class),
                ("PartNumberMarker", str(marker)),
                ("NextPartNumberMarker", str(last)),
                ("MaxParts", str(most)),
                ("IsTruncated", "true" if len(found) > most else "false"),
                *(("Part", _describe(part)) for part in page),
            ],
        )
        return Response(200, [("Content-Type", "application/xml")], document)


def _describe(part: Part) -> Members:
    return [
        ("PartNumber", str(part.number)),
        ("LastModified", write_time(part.modified)),
        ("ETag", f'"{part.etag}"'),
        ("HashCrc64ecma", part.crc64),
        ("Size", str(part.size)),
    ]
