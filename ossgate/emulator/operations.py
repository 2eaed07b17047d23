"""Which operation a request asks for, by OSS's own name of it.

Method, level (service, bucket, object) and the query's sub-resources decide; what else stands in the query does
not. Source: "API overview", https://help.aliyun.com/zh/oss/developer-reference/list-of-operations-by-function
"""

from collections.abc import Mapping

from ossgate.emulator.errors import INVALID_ARGUMENT, NOT_IMPLEMENTED, OssError
from ossgate.emulator.object_errors import METHOD_NOT_ALLOWED
from ossgate.emulator.requests import Request

# Query parameters that make another operation of a request.
SUB_RESOURCES = frozenset(
    """
    accessPoint accessPointPolicy acl append asyncFetch bucketArchiveDirectRead bucketInfo cname comp cors
    delete encryption group httpsConfig img inventory inventoryId lifecycle link list-type live location
    logging metaQuery objectInfo objectMeta overwriteConfig partNumber policy policyStatus
    processConfiguration publicAccessBlock qos qosInfo qosRequester redundancyTransition referer regionList
    rename replication replicationLocation replicationProgress requestPayment requesterQosInfo
    resourceGroup resourcePool resourcePoolBuckets resourcePoolInfo restore seal stat status style symlink
    tagging transferAcceleration uploadId uploads versionId versioning versions vod website worm wormExtend
    wormId x-oss-process x-oss-async-process
    """.split()  # noqa: SIM905
)

# Level and method, then the sub-resources in alphabetical order.
_OPERATIONS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("service", "GET"): {"": "ListBuckets"},
    ("bucket", "PUT"): {
        "": "PutBucket",
        "acl": "PutBucketAcl",
        "cors": "PutBucketCors",
        "overwriteConfig": "PutBucketOverwriteConfig",
        "versioning": "PutBucketVersioning",
    },
    ("bucket", "GET"): {
        "": "ListObjects",
        "acl": "GetBucketAcl",
        "bucketInfo": "GetBucketInfo",
        "cors": "GetBucketCors",
        "list-type": "ListObjectsV2",
        "location": "GetBucketLocation",
        "overwriteConfig": "GetBucketOverwriteConfig",
        "stat": "GetBucketStat",
        "uploads": "ListMultipartUploads",
        "versioning": "GetBucketVersioning",
        "versions": "ListObjectVersions",
    },
    ("bucket", "DELETE"): {
        "": "DeleteBucket",
        "cors": "DeleteBucketCors",
        "overwriteConfig": "DeleteBucketOverwriteConfig",
    },
    ("bucket", "POST"): {"": "PostObject", "delete": "DeleteMultipleObjects"},
    ("object", "PUT"): {
        "": "PutObject",
        "acl": "PutObjectAcl",
        "partNumber uploadId": "UploadPart",
        "tagging": "PutObjectTagging",
    },
    ("object", "GET"): {
        "": "GetObject",
        "acl": "GetObjectAcl",
        "tagging": "GetObjectTagging",
        "uploadId": "ListParts",
        "x-oss-process": "GetObject",
    },
    ("object", "HEAD"): {"": "HeadObject", "objectMeta": "GetObjectMeta"},
    ("object", "DELETE"): {
        "": "DeleteObject",
        "tagging": "DeleteObjectTagging",
        "uploadId": "AbortMultipartUpload",
    },
    ("object", "POST"): {
        "append": "AppendObject",
        "uploadId": "CompleteMultipartUpload",
        "uploads": "InitiateMultipartUpload",
    },
}
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")


def name_operation(request: Request) -> str:
    """Tell what is asked for.

    Raises:
        OssError: OSS has no such operation, or the emulator does not play it.
    """
    level = "object" if request.object_key else "bucket" if request.bucket else "service"
    asked = sorted({name for name, _ in request.query if name in SUB_RESOURCES})
    if level == "object" and asked == ["versionId"] and request.method != "PUT":
        # Whether there is such a version is for the operation to find out.
        asked = []
    operation = _OPERATIONS.get((level, request.method), {}).get(" ".join(asked))
    if operation is None:
        if request.method not in _METHODS or (level == "object" and request.method == "POST" and not asked):
            raise OssError(
                METHOD_NOT_ALLOWED, extras=[("Method", request.method), ("ResourceType", level.title())]
            )
        raise OssError(NOT_IMPLEMENTED)
    if operation == "ListObjectsV2" and request.query_value("list-type") != "2":
        raise OssError(
            INVALID_ARGUMENT,
            extras=[
                ("ArgumentName", "list-type"),
                ("ArgumentValue", request.query_value("list-type") or ""),
            ],
        )
    if request.header("x-oss-copy-source"):
        return _COPIES.get(operation, operation)
    return operation
