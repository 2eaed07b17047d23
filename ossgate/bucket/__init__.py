"""Our OSS client: asks the bucket, signed by the signer, over urllib3."""

from ossgate.bucket.client import BucketClient, ObjectHead
from ossgate.bucket.exchange import BucketRefused, BucketUnavailable
from ossgate.bucket.listing import ListedMultipart, ListedObject, ListingClient, MultipartPage, ObjectPage
from ossgate.bucket.multipart import MultipartClient, StoredPart

__all__ = [
    "BucketClient",
    "BucketRefused",
    "BucketUnavailable",
    "ListedMultipart",
    "ListedObject",
    "ListingClient",
    "MultipartClient",
    "MultipartPage",
    "ObjectHead",
    "ObjectPage",
    "StoredPart",
]
