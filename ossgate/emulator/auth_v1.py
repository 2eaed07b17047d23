"""Signature version 1: HMAC-SHA1 in the Authorization header or the query string.

Sources: "Add a signature to the header", https://help.aliyun.com/document_detail/31951.html ,
"Add a signature to a URL", https://help.aliyun.com/document_detail/31952.html
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from ossgate.emulator.credentials import Credentials, CredentialSet
from ossgate.emulator.errors import (
    AUTHORIZATION_MALFORMED,
    DATE_MALFORMED,
    DATE_MISSING,
    EXPIRES_BLANK_V1,
    EXPIRES_MALFORMED_V1,
    EXPIRES_MISSING_V1,
    QUERY_INCOMPLETE_V1,
    SIGNATURE_MISMATCH,
    TIME_TOO_SKEWED,
    URL_EXPIRED_V1,
    OssError,
)
from ossgate.emulator.requests import Request

MAX_SKEW = timedelta(minutes=15)

# Query parameters that belong to the canonical resource: the documented list with what the official SDKs add.
SIGNED_PARAMETERS = frozenset(
    """
    accessPoint accessPointPolicy acl append asyncFetch bucketArchiveDirectRead bucketInfo callback
    callback-var cloudboxes cname comp continuation-token cors delete dir encryption endTime group
    httpsConfig img inventory inventoryId lifecycle link live location logging metaQuery objectInfo
    objectMeta partNumber policy policyStatus position processConfiguration publicAccessBlock qos
    qosInfo qosRequester redundancyTransition referer regionList rename replication
    replicationLocation replicationProgress requestPayment requesterQosInfo resourceGroup
    resourcePool resourcePoolBuckets resourcePoolInfo response-cache-control
    response-content-disposition response-content-encoding response-content-language
    response-content-type response-expires restore security-token seal sequential startTime stat
    status style styleName symlink tagging transferAcceleration uploadId uploads versionId
    versioning versions vod website worm wormExtend wormId x-oss-process x-oss-async-process
    x-oss-traffic-limit x-oss-request-payer x-oss-sign-origin-only x-oss-ac-source-ip
    x-oss-ac-subnet-mask x-oss-ac-vpc-id x-oss-ac-forward-allow x-oss-write-get-object-response
    x-oss-target-redundancy-type x-oss-redundancy-transition-taskid x-oss-access-point-name
    """.split()  # noqa: SIM905
)


def build_string_to_sign(
    *,
    method: str,
    bucket: str,
    object_key: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    date: str,
    bare_bucket: bool = False,
) -> str:
    """Write the text that is signed.

    Args:
        headers: By lower-case name.
        date: The date line: the header's date, or `Expires` of a URL.
        bare_bucket: Whether a bucket stands without the slash at its end.
    """
    oss_headers = "".join(
        f"{name}:{value.strip()}\n" for name, value in sorted(headers.items()) if name.startswith("x-oss-")
    )
    resource = write_resource(bucket, object_key, bare_bucket=bare_bucket)
    signed = sorted(
        (name, value)
        for name, value in query
        if name in SIGNED_PARAMETERS or name.startswith(("x-oss-", "udf"))
    )
    if signed:
        resource += "?" + "&".join(f"{name}={value}" if value else name for name, value in signed)
    lines = [method, headers.get("content-md5", ""), headers.get("content-type", ""), date]
    return "\n".join(lines) + "\n" + oss_headers + resource


def write_resource(bucket: str, object_key: str, *, bare_bucket: bool = False) -> str:
    """Write the path that is signed, whatever the addressing: service, bucket or object."""
    if not bucket:
        return "/"
    return f"/{bucket}" if bare_bucket and not object_key else f"/{bucket}/{object_key}"


def compute_signature(access_key_secret: str, message: str) -> str:
    """Sign a text: base64 of its HMAC-SHA1."""
    digest = hmac.digest(access_key_secret.encode(), message.encode("utf-8", "surrogateescape"), hashlib.sha1)
    return base64.b64encode(digest).decode()


def check_header(request: Request, credentials: CredentialSet, *, now: datetime) -> Credentials:
    """Verify `Authorization: OSS <id>:<signature>`.

    Raises:
        OssError: The header, date, key or signature does not hold.
    """
    access_key_id, colon, signature = (
        request.header("authorization").removeprefix("OSS ").strip().partition(":")
    )
    if not colon or not access_key_id or not signature:
        raise OssError(AUTHORIZATION_MALFORMED)
    date = request.header("x-oss-date") or request.header("date")
    if not date:
        raise OssError(DATE_MISSING)
    check_skew(parse_http_date(date), now)
    # One official SDK sends the token in a header without the usual prefix, and does not sign it.
    token = request.header("x-oss-security-token") or request.header("security-token")
    found = credentials.find(access_key_id, token, now=now)
    _compare(request, found, date=date, signature=signature)
    return found


def check_query(request: Request, credentials: CredentialSet, *, now: datetime) -> Credentials:
    """Verify a URL signed with `OSSAccessKeyId`, `Expires` and `Signature`.

    Raises:
        OssError: A parameter is missing, the URL has expired, or key or signature does not hold.
    """
    access_key_id = request.query_value("OSSAccessKeyId")
    signature = request.query_value("Signature")
    expires = request.query_value("Expires")
    if expires is None:
        raise OssError(EXPIRES_MISSING_V1)
    if not access_key_id or not signature:
        raise OssError(QUERY_INCOMPLETE_V1)
    if not expires:
        raise OssError(EXPIRES_BLANK_V1)
    if not (expires.isascii() and expires.isdigit() and len(expires) < 20):
        raise OssError(EXPIRES_MALFORMED_V1)
    if now.timestamp() > int(expires):
        raise OssError(URL_EXPIRED_V1)
    found = credentials.find(access_key_id, request.query_value("security-token") or "", now=now)
    _compare(request, found, date=expires, signature=signature)
    return found


def parse_http_date(text: str) -> datetime:
    """Read a date header.

    Raises:
        OssError: It is no RFC 1123 date.
    """
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise OssError(DATE_MALFORMED) from error


def check_skew(moment: datetime, now: datetime) -> None:
    """Refuse a request dated more than 15 minutes from now.

    Raises:
        OssError: The clocks differ too much; the answer carries the server's time, which clients adjust to.
    """
    if abs(now - moment) > MAX_SKEW:
        raise OssError(
            TIME_TOO_SKEWED,
            extras=[
                ("MaxAllowedSkewMilliseconds", str(int(MAX_SKEW.total_seconds() * 1000))),
                ("RequestTime", f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"),
                ("ServerTime", f"{now:%Y-%m-%dT%H:%M:%S}.000Z"),
            ],
        )


def _compare(request: Request, found: Credentials, *, date: str, signature: str) -> None:
    string_to_sign = ""
    for bare_bucket in request.bucket_readings:
        string_to_sign = build_string_to_sign(
            method=request.method,
            bucket=request.bucket,
            object_key=request.object_key,
            query=request.query,
            headers=request.headers,
            date=date,
            bare_bucket=bare_bucket,
        )
        if same_text(compute_signature(found.access_key_secret, string_to_sign), signature):
            return
    raise signature_mismatch(found, signature, string_to_sign)


def same_text(left: str, right: str) -> bool:
    """Compare two signatures in constant time."""
    return hmac.compare_digest(
        left.encode("utf-8", "surrogateescape"), right.encode("utf-8", "surrogateescape")
    )


def signature_mismatch(
    found: Credentials, signature: str, string_to_sign: str, *, canonical_request: str | None = None
) -> OssError:
    """Say what was signed here, as OSS does; a token in it is masked."""
    if found.security_token:
        for token in (found.security_token, quote(found.security_token, safe="~")):
            string_to_sign = string_to_sign.replace(token, "***")
            canonical_request = canonical_request and canonical_request.replace(token, "***")
    octets = string_to_sign.encode("utf-8", "replace")
    extras = [
        ("OSSAccessKeyId", found.access_key_id),
        ("SignatureProvided", signature),
        ("StringToSign", string_to_sign),
        ("StringToSignBytes", "".join(f"{octet:02X} " for octet in octets)),
    ]
    if canonical_request is not None:
        extras.append(("CanonicalRequest", canonical_request))
    return OssError(SIGNATURE_MISMATCH, extras=extras)
