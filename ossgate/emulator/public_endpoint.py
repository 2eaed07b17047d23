"""A trap of real accounts: mainland regions take no data requests of new accounts by their public endpoint.

Source: "Access OSS through a custom domain name", https://www.alibabacloud.com/help/doc-detail/31836.htm
"""

from dataclasses import dataclass

from ossgate.emulator.bucket_errors import PUBLIC_ENDPOINT_FORBIDDEN
from ossgate.emulator.errors import OssError
from ossgate.emulator.requests import Request

_OUTSIDE = ("cn-hongkong",)
_LISTINGS = frozenset({"ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads"})
_DATA_OF_BUCKETS = frozenset({"PostObject", "DeleteMultipleObjects"}) | _LISTINGS


@dataclass(frozen=True, slots=True)
class PublicEndpoints:
    """Knows the region's public endpoint.

    Args:
        refused: Whether the trap is set.
    """

    region: str
    refused: bool

    def check(self, request: Request, operation: str) -> None:
        """Refuse what asks for objects by the public endpoint; a bucket's settings may be asked for.

        Raises:
            OssError: The trap has closed.
        """
        mainland = self.region.startswith("cn-") and self.region not in _OUTSIDE
        if not self.refused or not mainland:
            return
        endpoint = f"oss-{self.region}.aliyuncs.com"
        asks_for_data = bool(request.object_key) or operation in _DATA_OF_BUCKETS
        if asks_for_data and (request.host == endpoint or request.host.endswith("." + endpoint)):
            raise OssError(PUBLIC_ENDPOINT_FORBIDDEN)
