"""UploadPartCopy: a part made of an object, or of a range of it.

Source: https://help.aliyun.com/zh/oss/developer-reference/uploadpartcopy
"""

from dataclasses import dataclass

from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.byte_range import find_range
from ossgate.emulator.copy_source import open_source
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.multipart import Multipart, read_part_number
from ossgate.emulator.object_errors import SOURCE_INVALID_FOR_PART
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import FileSlice, Response
from ossgate.emulator.xml_body import read_body, write_time
from ossgate.emulator.xml_document import build_document


@dataclass(frozen=True, slots=True)
class PartCopy:
    """Answers copies into uploads."""

    buckets: BucketRegistry
    multipart: Multipart

    def handle(self, request: Request, _: Credentials | None) -> Response:
        """Copy one part.

        Raises:
            OssError: Number, upload, source or conditions do not hold.
        """
        number = read_part_number(request)
        read_body(request)
        upload = self.multipart.find(request)
        with open_source(request, self.buckets, malformed=SOURCE_INVALID_FOR_PART) as (source, file):
            # A range that is none is not looked at: everything is copied.
            start, end = find_range(request.header("x-oss-copy-source-range"), source.size)
            with self.multipart.uploads.store.stage() as staged:
                for piece in FileSlice(file, start, end):
                    staged.write(memoryview(piece))
                part = self.multipart.uploads.add_part(upload, number, staged)
        document = build_document(
            "CopyPartResult",
            [("LastModified", write_time(part.modified)), ("ETag", f'"{part.etag}"')],
        )
        headers = [
            ("ETag", f'"{part.etag}"'),
            ("x-oss-hash-crc64ecma", part.crc64),
            ("Content-Type", "application/xml"),
        ]
        return Response(200, headers, document)
