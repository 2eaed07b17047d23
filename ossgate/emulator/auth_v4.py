"""Signature version 4: OSS4-HMAC-SHA256 in the Authorization header or the query string.

Sources: https://help.aliyun.com/zh/oss/developer-reference/recommend-to-use-signature-version-4 ,
https://help.aliyun.com/zh/oss/developer-reference/add-signatures-to-urls
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from urllib.parse import quote

from ossgate.emulator.auth_v1 import (
    MAX_SKEW,
    check_skew,
    parse_http_date,
    same_text,
    signature_mismatch,
    write_resource,
)
from ossgate.emulator.credentials import Credentials, CredentialSet
from ossgate.emulator.errors import (
    ADDITIONAL_HEADERS_EMPTY,
    ADDITIONAL_HEADERS_ITEM_EMPTY,
    AUTHORIZATION_MALFORMED,
    CONTENT_SHA256_UNSUPPORTED,
    CREDENTIAL_MALFORMED_HEADER,
    CREDENTIAL_MALFORMED_QUERY,
    DATE_MALFORMED,
    DATE_MISSING,
    EXPIRES_MISSING_V4,
    EXPIRES_OUT_OF_RANGE_V4,
    HEADER_QUERY_DIFFER,
    PRODUCT_WRONG,
    REGION_WRONG_HEADER,
    REGION_WRONG_QUERY,
    TOKEN_TWICE,
    URL_EXPIRED_V4,
    ErrorKind,
    OssError,
)
from ossgate.emulator.requests import Request

ALGORITHM = "OSS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
TERMINATOR = "aliyun_v4_request"
MAX_EXPIRES = 604_800
MAX_EXPIRES_TEMPORARY = 43_200


@dataclass(frozen=True, slots=True)
class Scope:
    """A parsed credential: AccessKey ID, day, region, product."""

    access_key_id: str
    day: str
    region: str
    product: str

    def __str__(self) -> str:
        return f"{self.day}/{self.region}/{self.product}/{TERMINATOR}"


def parse_credential(text: str) -> Scope | None:
    """Read `<id>/<day>/<region>/oss/aliyun_v4_request`; None when it has another shape."""
    parts = text.rsplit("/", 4)
    if len(parts) != 5 or parts[4] != TERMINATOR or not re.fullmatch(r"[0-9]{8}", parts[1], re.ASCII):
        return None
    return Scope(*parts[:4])


def parse_stamp(text: str) -> datetime | None:
    """Read `YYYYMMDDThhmmssZ`; None when it has another shape."""
    if not re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", text, re.ASCII):
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def derive_signing_key(access_key_secret: str, day: str, region: str, product: str) -> bytes:
    """Derive the key of one day, region and product."""
    key = ("aliyun_v4" + access_key_secret).encode()
    for step in (day, region, product, TERMINATOR):
        key = hmac.digest(key, step.encode(), hashlib.sha256)
    return key


def compute_signature(access_key_secret: str, scope: Scope, message: str) -> str:
    """Sign a text: lower-case hex of its HMAC-SHA256 under the derived key."""
    key = derive_signing_key(access_key_secret, scope.day, scope.region, scope.product)
    return hmac.digest(key, message.encode("utf-8", "surrogateescape"), hashlib.sha256).hex()


def build_canonical_request(
    *,
    method: str,
    bucket: str,
    object_key: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    additional: Sequence[str],
    hashed_payload: str = UNSIGNED_PAYLOAD,
    bare_bucket: bool = False,
) -> str:
    """Write the canonical request.

    Args:
        headers: By lower-case name.
        additional: Lower-case names of further signed headers, sorted.
        bare_bucket: Whether a bucket stands without the slash at its end.
    """
    path = write_resource(bucket, object_key, bare_bucket=bare_bucket)
    pairs = sorted((_encode(name), _encode(value)) for name, value in query if name != "x-oss-signature")
    canonical_query = "&".join(f"{name}={value}" if value else name for name, value in pairs)
    canonical_headers = "".join(
        f"{name}:{value.strip()}\n"
        for name, value in sorted(headers.items())
        if name in ("content-type", "content-md5") or name.startswith("x-oss-") or name in additional
    )
    return "\n".join(
        [
            method,
            quote(path, safe="/~", errors="surrogateescape"),
            canonical_query,
            canonical_headers,
            ";".join(additional),
            hashed_payload,
        ]
    )


def build_string_to_sign(stamp: str, scope: Scope, canonical_request: str) -> str:
    """Write the four lines that are signed."""
    digest = hashlib.sha256(canonical_request.encode("utf-8", "surrogateescape")).hexdigest()
    return "\n".join([ALGORITHM, stamp, str(scope), digest])


def check_header(request: Request, credentials: CredentialSet, *, region: str, now: datetime) -> Credentials:
    """Verify `Authorization: OSS4-HMAC-SHA256 Credential=…,Signature=…`.

    Raises:
        OssError: The header, scope, date, key or signature does not hold.
    """
    fields = _parse_authorization(request.header("authorization"))
    additional = _parse_additional(fields.get("AdditionalHeaders"))
    scope = parse_credential(fields["Credential"])
    if scope is None:
        raise OssError(CREDENTIAL_MALFORMED_HEADER)
    payload = request.header("x-oss-content-sha256")
    if payload != UNSIGNED_PAYLOAD:
        raise OssError(CONTENT_SHA256_UNSUPPORTED)
    _check_scope(scope, region, REGION_WRONG_HEADER)
    # Some SDKs send the stamp in Date alone.
    stamp = request.header("x-oss-date") or request.header("date")
    if not stamp:
        raise OssError(DATE_MISSING)
    stamps = [stamp]
    moment = parse_stamp(stamp)
    if moment is None:
        # Two SDKs send the date of HTTP alone, and sign it as it stands.
        moment = parse_http_date(stamp)
        stamps.append(f"{moment:%Y%m%dT%H%M%SZ}")
    if stamps[-1][:8] != scope.day:
        raise OssError(CREDENTIAL_MALFORMED_HEADER)
    check_skew(moment, now)
    if request.query_value("x-oss-security-token") is not None and request.header("x-oss-security-token"):
        raise OssError(TOKEN_TWICE)
    found = credentials.find(scope.access_key_id, request.header("x-oss-security-token"), now=now)
    _compare(request, found, scope, stamps, additional, payload, fields["Signature"])
    return found


def check_query(request: Request, credentials: CredentialSet, *, region: str, now: datetime) -> Credentials:
    """Verify a URL signed with `x-oss-signature` and its companions.

    Raises:
        OssError: A parameter is missing or malformed, the URL has expired, or key or signature does not hold.
    """
    scope = parse_credential(request.query_value("x-oss-credential") or "")
    if scope is None:
        raise OssError(CREDENTIAL_MALFORMED_QUERY)
    _check_scope(scope, region, REGION_WRONG_QUERY)
    stamp = request.query_value("x-oss-date")
    if stamp is None:
        raise OssError(DATE_MISSING)
    moment = parse_stamp(stamp)
    if moment is None:
        raise OssError(DATE_MALFORMED)
    if stamp[:8] != scope.day:
        raise OssError(CREDENTIAL_MALFORMED_QUERY)
    header_token = request.header("x-oss-security-token")
    query_token = request.query_value("x-oss-security-token")
    if header_token and query_token is not None:
        raise OssError(TOKEN_TWICE)
    found = credentials.find(scope.access_key_id, query_token or header_token, now=now)
    expires = request.query_value("x-oss-expires")
    if expires is None:
        raise OssError(EXPIRES_MISSING_V4)
    longest = MAX_EXPIRES_TEMPORARY if found.security_token else MAX_EXPIRES
    if not re.fullmatch(r"[0-9]{1,9}", expires, re.ASCII) or not 1 <= int(expires) <= longest:
        raise OssError(EXPIRES_OUT_OF_RANGE_V4)
    if moment > now + MAX_SKEW:
        check_skew(moment, now)
    if now > moment + timedelta(seconds=int(expires)):
        raise OssError(
            URL_EXPIRED_V4,
            extras=[("Expires", f"{moment + timedelta(seconds=int(expires)):%Y-%m-%dT%H:%M:%S}.000Z")],
        )
    for name, value in request.query:
        if name.startswith("x-oss-") and request.headers.get(name, value) != value:
            raise OssError(HEADER_QUERY_DIFFER)
    additional = _parse_additional(request.query_value("x-oss-additional-headers") or None)
    payload = request.header("x-oss-content-sha256") or UNSIGNED_PAYLOAD
    signature = request.query_value("x-oss-signature") or ""
    _compare(request, found, scope, [stamp], additional, payload, signature)
    return found


def _parse_authorization(header: str) -> dict[str, str]:
    items = header.removeprefix(ALGORITHM).strip().split(",")
    pairs = [item.strip().partition("=") for item in items]
    fields = {name: value for name, equals, value in pairs if equals}
    known = {"Credential", "AdditionalHeaders", "Signature"}
    if (
        len(fields) != len(items)
        or not set(fields) <= known
        or not {"Credential", "Signature"} <= set(fields)
    ):
        raise OssError(AUTHORIZATION_MALFORMED)
    return fields


def _parse_additional(text: str | None) -> list[str]:
    if text is None:
        return []
    if not text.strip():
        raise OssError(ADDITIONAL_HEADERS_EMPTY)
    names = [name.strip().lower() for name in text.split(";")]
    if not all(names):
        raise OssError(ADDITIONAL_HEADERS_ITEM_EMPTY)
    return sorted(set(names))


def _check_scope(scope: Scope, region: str, region_error: ErrorKind) -> None:
    if scope.region != region:
        raise OssError(region_error)
    if scope.product != "oss":
        raise OssError(PRODUCT_WRONG)


def _compare(
    request: Request,
    found: Credentials,
    scope: Scope,
    stamps: Sequence[str],
    additional: list[str],
    payload: str,
    signature: str,
) -> None:
    canonical = ""
    string_to_sign = ""
    # A header that is listed and absent was not there to be signed.
    complete = all(name in request.headers for name in additional)
    readings = product(stamps, _header_readings(request, additional), request.bucket_readings)
    for stamp, headers, bare_bucket in readings:
        canonical = build_canonical_request(
            method=request.method,
            bucket=request.bucket,
            object_key=request.object_key,
            query=request.query,
            headers=headers,
            additional=additional,
            hashed_payload=payload,
            bare_bucket=bare_bucket,
        )
        string_to_sign = build_string_to_sign(stamp, scope, canonical)
        expected = compute_signature(found.access_key_secret, scope, string_to_sign)
        if complete and same_text(expected, signature):
            return
    raise signature_mismatch(found, signature, string_to_sign, canonical_request=canonical)


def _header_readings(request: Request, additional: list[str]) -> list[Mapping[str, str]]:
    # When Host is signed, some SDKs sign it without the port that they send.
    readings: list[Mapping[str, str]] = [request.headers]
    if "host" in additional:
        readings.insert(0, {**request.headers, "host": request.host})
    return readings


def _encode(text: str) -> str:
    return quote(text, safe="~", errors="surrogateescape")
