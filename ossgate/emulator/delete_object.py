"""DeleteObject: what is not there is deleted all the same.

Source: "DeleteObject", https://help.aliyun.com/zh/oss/developer-reference/deleteobject
"""

from dataclasses import dataclass

from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.object_read import check_version
from ossgate.emulator.requests import Request, check_object_key
from ossgate.emulator.responses import Response
from ossgate.emulator.store import ObjectStore


@dataclass(frozen=True, slots=True)
class DeleteObject:
    """Answers deletions of one object."""

    store: ObjectStore
    buckets: BucketRegistry

    def handle(self, request: Request, _: Credentials | None) -> Response:
        """Delete the object.

        Raises:
            OssError: The key is none, or another version is asked for.
        """
        check_object_key(request.object_key)
        with self.store.locked(request.bucket, request.object_key):
            metadata = self.store.find(request.bucket, request.object_key)
            if metadata is not None:
                check_version(request.query_value("versionId"), metadata)
            self.store.delete(request.bucket, request.object_key)
        version_id = self.buckets.require(request.bucket).new_version_id()
        if version_id:
            return Response(204, [("x-oss-delete-marker", "true"), ("x-oss-version-id", version_id)])
        return Response(204)
