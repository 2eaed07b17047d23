"""Refusals of operations on buckets: HTTP status, code, message and EC code.

Sources: the pages of the operations, https://help.aliyun.com/zh/oss/developer-reference/putbucket and its
neighbours.
"""

from ossgate.emulator.errors import ErrorKind

BUCKET_NOT_EMPTY = ErrorKind(
    409, "BucketNotEmpty", "The bucket has objects. Please delete them first.", "0015-00000301"
)
BUCKET_ALREADY_EXISTS = ErrorKind(
    409,
    "BucketAlreadyExists",
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
    "Please select a different name and try again.",
)
BUCKET_ACL_INVALID = ErrorKind(400, "InvalidArgument", "no such bucket access control exists.")
LOCATION_INVALID = ErrorKind(
    400, "InvalidLocationConstraint", "The specified location-constraint is not valid."
)
CORS_NOT_SET = ErrorKind(404, "NoSuchCORSConfiguration", "The CORS Configuration does not exist.")
CORS_INVALID = ErrorKind(400, "InvalidArgument", "The CORS configuration is not valid.")
OVERWRITE_CONFIG_NOT_SET = ErrorKind(
    404, "NoSuchBucketOverwriteConfig", "The bucket has no overwrite configuration."
)
OVERWRITE_CONFIG_INVALID = ErrorKind(400, "InvalidArgument", "The overwrite configuration is not valid.")
PUBLIC_ENDPOINT_FORBIDDEN = ErrorKind(
    400,
    "PublicEndpointForbidden",
    "Data APIs may not be called through the default public endpoint; use a custom domain name of the bucket.",
    "0048-00000401",
)
