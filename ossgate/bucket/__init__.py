"""Our OSS client: asks the bucket, signed by the signer, over urllib3."""

from ossgate.bucket.client import BucketClient, BucketUnavailable, ObjectHead

__all__ = ["BucketClient", "BucketUnavailable", "ObjectHead"]
