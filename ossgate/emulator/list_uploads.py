"""ListMultipartUploads: which uploads of a bucket have not ended.

Source: https://help.aliyun.com/zh/oss/developer-reference/listmultipartuploads
"""

from dataclasses import dataclass, field

from ossgate.emulator.credentials import Credentials
from ossgate.emulator.list_arguments import (
    check_encoding,
    encode_name,
    list_encoding,
    read_count,
    read_name,
)
from ossgate.emulator.multipart_store import MultipartStore, Upload
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response
from ossgate.emulator.xml_body import write_time
from ossgate.emulator.xml_document import Members, build_document


@dataclass(slots=True)
class _Page:
    uploads: list[Upload] = field(default_factory=list)
    common_prefixes: list[str] = field(default_factory=list)
    last: tuple[str, str] = ("", "")
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class ListUploads:
    """Answers which uploads are in progress."""

    uploads: MultipartStore

    def handle(self, request: Request, _: Credentials | None) -> Response:
        """List the uploads behind the markers.

        Raises:
            OssError: An argument does not hold.
        """
        check_encoding(request)
        most = read_count(request, "max-uploads", default=1000, lowest=1)
        prefix, delimiter = read_name(request, "prefix"), read_name(request, "delimiter")
        key_marker, id_marker = read_name(request, "key-marker"), read_name(request, "upload-id-marker")
        page = self._read_page(request.bucket, prefix, delimiter, (key_marker, id_marker), most)
        next_key, next_id = page.last if page.truncated else ("", "")
        document = build_document(
            "ListMultipartUploadsResult",
            [
                *list_encoding(request),
                ("Bucket", request.bucket),
                ("KeyMarker", encode_name(request, key_marker)),
                ("UploadIdMarker", id_marker),
                ("NextKeyMarker", encode_name(request, next_key)),
                ("NextUploadIdMarker", next_id),
                ("Delimiter", encode_name(request, delimiter)),
                ("Prefix", encode_name(request, prefix)),
                ("MaxUploads", str(most)),
                ("IsTruncated", "true" if page.truncated else "false"),
                *(("Upload", _describe(request, upload)) for upload in page.uploads),
                *(
                    ("CommonPrefixes", [("Prefix", encode_name(request, common))])
                    for common in page.common_prefixes
                ),
            ],
        )
        return Response(200, [("Content-Type", "application/xml")], document)

    def _read_page(
        self, bucket: str, prefix: str, delimiter: str, marker: tuple[str, str], most: int
    ) -> _Page:
        page = _Page()
        for upload in self.uploads.list_uploads(bucket):
            key, upload_id = upload.metadata.object_key, upload.upload_id
            if not key.startswith(prefix) or not _is_behind(key, upload_id, marker):
                continue
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            common = key[: at + len(delimiter)] if at >= 0 else ""
            if common and (common == marker[0] or common in page.common_prefixes[-1:]):
                continue
            if len(page.uploads) + len(page.common_prefixes) >= most:
                page.truncated = True
                break
            if common:
                page.common_prefixes.append(common)
                page.last = (common, "")
            else:
                page.uploads.append(upload)
                page.last = (key, upload_id)
        return page


def _is_behind(key: str, upload_id: str, marker: tuple[str, str]) -> bool:
    """Tell whether an upload comes after the markers; the ID counts within one key only."""
    key_marker, id_marker = marker
    if key == key_marker and id_marker:
        return upload_id > id_marker
    return not key_marker or key > key_marker


def _describe(request: Request, upload: Upload) -> Members:
    return [
        ("Key", encode_name(request, upload.metadata.object_key)),
        ("UploadId", upload.upload_id),
        ("Initiated", write_time(upload.metadata.modified)),
    ]
