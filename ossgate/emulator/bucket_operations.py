"""Creating, deleting and describing buckets.

Sources: https://help.aliyun.com/zh/oss/developer-reference/putbucket and its neighbours
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ossgate.emulator.bucket_errors import (
    BUCKET_ACL_INVALID,
    BUCKET_ALREADY_EXISTS,
    LOCATION_INVALID,
)
from ossgate.emulator.buckets import Bucket, BucketRegistry, check_bucket_name
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import STORAGE_CLASS_INVALID, OssError
from ossgate.emulator.list_arguments import read_count, read_name
from ossgate.emulator.multipart_store import MultipartStore
from ossgate.emulator.object_errors import MALFORMED_XML
from ossgate.emulator.object_settings import respond_with_acl
from ossgate.emulator.options import BucketAcl
from ossgate.emulator.owner import OWNER
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response
from ossgate.emulator.upload_headers import STORAGE_CLASSES
from ossgate.emulator.xml_body import parse_body, read_body, write_time
from ossgate.emulator.xml_document import Members, build_document, find_text

BUCKET_ACLS: tuple[BucketAcl, ...] = ("private", "public-read", "public-read-write")
_REDUNDANCIES = ("LRS", "ZRS")
_CANNOT_CHANGE_CLASS = "Cannot modify existing bucket's storage class."


@dataclass(frozen=True, slots=True)
class BucketOperations:
    """Answers requests about buckets as a whole."""

    buckets: BucketRegistry
    uploads: MultipartStore
    region: str
    now: Callable[[], datetime]

    def create(self, request: Request, _: Credentials | None) -> Response:
        """Make a bucket; one's own may be made again.

        Raises:
            OssError: Name, ACL, place or class does not hold.
        """
        check_bucket_name(request.bucket)
        acl = _read_acl(request)
        storage_class, redundancy = self._read_configuration(read_body(request))
        old = self.buckets.find(request.bucket)
        if old is None:
            self.buckets.create(
                Bucket(
                    request.bucket,
                    created=self.now().timestamp(),
                    acl=acl or "private",
                    own_acl=True,
                    storage_class=storage_class or "Standard",
                    redundancy=redundancy or "LRS",
                    cors=(),
                )
            )
        elif storage_class and storage_class != old.storage_class:
            raise OssError(
                BUCKET_ALREADY_EXISTS,
                message=_CANNOT_CHANGE_CLASS,
                extras=[("BucketName", request.bucket)],
            )
        elif acl:
            self.buckets.change(request.bucket, acl=acl, own_acl=True)
        return Response(200, [("Location", f"/{request.bucket}")])

    def delete(self, request: Request, _: Credentials | None) -> Response:
        """Remove an empty bucket.

        Raises:
            OssError: It holds objects, or parts of uploads.
        """
        has_uploads = bool(self.uploads.list_uploads(request.bucket))
        self.buckets.delete(request.bucket, has_uploads=has_uploads)
        return Response(204)

    def list_buckets(self, request: Request, _: Credentials | None) -> Response:
        """Tell all buckets; prefix, marker and max-keys narrow them down.

        Raises:
            OssError: An argument does not hold.
        """
        prefix, marker = read_name(request, "prefix"), read_name(request, "marker")
        most = read_count(request, "max-keys", default=100, lowest=1)
        found = [
            bucket
            for bucket in self.buckets.list_buckets()
            if bucket.name.startswith(prefix) and bucket.name > marker
        ]
        page = found[:most]
        members: list[tuple[str, str | Members]] = []
        if len(found) > most or prefix or marker:
            members += [("Prefix", prefix), ("Marker", marker), ("MaxKeys", str(most))]
            members.append(("IsTruncated", "true" if len(found) > most else "false"))
            members.append(("NextMarker", page[-1].name if len(found) > most else ""))
        members.append(("Owner", OWNER))
        members.append(("Buckets", [("Bucket", self._list_facts(bucket)) for bucket in page]))
        return _respond(build_document("ListAllMyBucketsResult", members))

    def get_info(self, request: Request, _: Credentials | None) -> Response:
        """Describe a bucket."""
        bucket = self.buckets.require(request.bucket)
        members: list[tuple[str, str | Members]] = [*self._list_facts(bucket)]
        members += [
            ("Owner", OWNER),
            ("AccessControlList", [("Grant", bucket.acl)]),
            ("DataRedundancyType", bucket.redundancy),
            ("Comment", ""),
            ("AccessMonitor", "Disabled"),
            ("BlockPublicAccess", "false"),
            ("TransferAcceleration", "Disabled"),
            ("CrossRegionReplication", "Disabled"),
            ("ServerSideEncryptionRule", [("SSEAlgorithm", "None")]),
            ("BucketPolicy", [("LogBucket", ""), ("LogPrefix", "")]),
        ]
        if bucket.versioning:
            members.append(("Versioning", bucket.versioning))
        return _respond(build_document("BucketInfo", [("Bucket", members)]))

    def get_location(self, request: Request, _: Credentials | None) -> Response:
        """Tell the region."""
        self.buckets.require(request.bucket)
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint>oss-{self.region}</LocationConstraint>\n'
        return _respond(body.encode())

    def get_stat(self, request: Request, _: Credentials | None) -> Response:
        """Tell how many objects and bytes there are; uploads count by the upload."""
        count, size = self.buckets.store.measure(request.bucket)
        uploads = len(self.uploads.list_uploads(request.bucket))
        members: list[tuple[str, str]] = [
            ("Storage", str(size)),
            ("ObjectCount", str(count)),
            ("MultipartUploadCount", str(uploads)),
            ("LiveChannelCount", "0"),
            ("LastModifiedTime", str(int(self.now().timestamp()))),
            ("StandardStorage", str(size)),
            ("StandardObjectCount", str(count)),
        ]
        return _respond(build_document("BucketStat", members))

    def put_acl(self, request: Request, _: Credentials | None) -> Response:
        """Set the ACL that the header names.

        Raises:
            OssError: It is none.
        """
        read_body(request)
        acl = _read_acl(request)
        if acl is None:
            raise OssError(BUCKET_ACL_INVALID)
        self.buckets.change(request.bucket, acl=acl, own_acl=True)
        return Response(200)

    def get_acl(self, request: Request, _: Credentials | None) -> Response:
        """Tell owner and ACL."""
        return respond_with_acl(self.buckets.require(request.bucket).acl)

    def put_versioning(self, request: Request, _: Credentials | None) -> Response:
        """Begin or stop to name versions.

        Raises:
            OssError: The status is none.
        """
        status = find_text(parse_body(read_body(request), "VersioningConfiguration"), "Status")
        if status not in ("Enabled", "Suspended"):
            raise OssError(MALFORMED_XML)
        self.buckets.change(request.bucket, versioning=status)
        return Response(200)

    def get_versioning(self, request: Request, _: Credentials | None) -> Response:
        """Tell whether versions are named."""
        status = self.buckets.require(request.bucket).versioning
        return _respond(build_document("VersioningConfiguration", [("Status", status)] if status else []))

    def _read_configuration(self, body: bytes) -> tuple[str, str]:
        if not body.strip():
            return "", ""
        root = parse_body(body, "CreateBucketConfiguration")
        location = find_text(root, "LocationConstraint")
        if location and location not in (f"oss-{self.region}", self.region):
            raise OssError(LOCATION_INVALID, extras=[("LocationConstraint", location)])
        storage_class = find_text(root, "StorageClass") or ""
        if storage_class and storage_class not in STORAGE_CLASSES:
            raise OssError(STORAGE_CLASS_INVALID)
        redundancy = find_text(root, "DataRedundancyType") or ""
        if redundancy and redundancy not in _REDUNDANCIES:
            raise OssError(MALFORMED_XML)
        return storage_class, redundancy

    def _list_facts(self, bucket: Bucket) -> list[tuple[str, str]]:
        return [
            ("CreationDate", write_time(bucket.created)),
            ("ExtranetEndpoint", f"oss-{self.region}.aliyuncs.com"),
            ("IntranetEndpoint", f"oss-{self.region}-internal.aliyuncs.com"),
            ("Location", f"oss-{self.region}"),
            ("Name", bucket.name),
            ("Region", self.region),
            ("StorageClass", bucket.storage_class),
        ]


def _read_acl(request: Request) -> BucketAcl | None:
    text = request.header("x-oss-acl")
    for acl in BUCKET_ACLS:
        if acl == text:
            return acl
    if text:
        raise OssError(BUCKET_ACL_INVALID)
    return None


def _respond(document: bytes) -> Response:
    return Response(200, [("Content-Type", "application/xml")], document)
