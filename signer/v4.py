"""Signature version 4 (OSS4-HMAC-SHA256): policies, request headers and URLs.

Rules: *Signature version 4*, https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend, *Include a V4 signature in the
Authorization header* and *in the URL*, https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4.

The canonical URI always names the bucket (``/bucket/key``), however the request addresses it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from urllib.parse import quote

from signer.credentials import Credentials
from signer.errors import SignerError
from signer.times import format_seconds

ALGORITHM = "OSS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
PRODUCT = "oss"
"""What the scope names; ``oss-cloudbox`` for OSS in a customer's own data centre."""
MAX_EXPIRES = 7 * 24 * 3600
MAX_EXPIRES_STS = 12 * 3600

QueryPairs = Iterable[tuple[str, str]]
_EncodedPairs = list[tuple[str, str, str]]
_text_of = itemgetter(2)

_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")
_RESERVED = re.compile(r"[^A-Za-z0-9_.~-]")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.~/-]*")
_RESERVED_IN_KEY = re.compile(r"[^A-Za-z0-9_.~/-]")
# urllib.parse's quote does the others; it goes through a text letter by letter, several times slower.
_ESCAPES = {chr(code): f"%{code:02X}" for code in range(128)}
_SIGNED_ALWAYS = ("content-type", "content-md5")
"""And every header whose name begins with ``x-oss-``."""


def format_date(moment: datetime) -> str:
    """Return a time as ``x-oss-date`` writes it, such as ``20260102T030405Z``."""
    return format_seconds(moment).replace("-", "").replace(":", "") + "Z"


def build_scope(date: str, region: str, product: str = PRODUCT) -> str:
    """Return ``day/region/oss/aliyun_v4_request`` for an ``x-oss-date``."""
    return f"{date[:8]}/{region}/{product}/aliyun_v4_request"


@lru_cache(maxsize=64)
def derive_signing_key(secret: str, day: str, region: str, product: str = PRODUCT) -> bytes:
    """Return the signing key of one day and region; kept, since it costs four HMACs."""
    key = ("aliyun_v4" + secret).encode()
    for step in (day, region, product, "aliyun_v4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def sign_policy(encoded_policy: str, credentials: Credentials, *, date: str, region: str) -> str:
    """Return the signature of a policy's Base64 text, in lower-case hex."""
    key = derive_signing_key(credentials.access_key_secret, date[:8], region)
    return hmac.digest(key, encoded_policy.encode("ascii"), "sha256").hex()


def encode_component(text: str) -> str:
    """Percent-encode everything but RFC 3986's unreserved characters."""
    return text if _UNRESERVED.fullmatch(text) else _RESERVED.sub(_escape, text)


def encode_object_key(object_key: str) -> str:
    """Percent-encode an object key for a URL path, slashes kept."""
    return object_key if _PLAIN_KEY.fullmatch(object_key) else _RESERVED_IN_KEY.sub(_escape, object_key)


def build_canonical_query(query: QueryPairs) -> str:
    """Return the query sorted by encoded name; an empty value leaves the bare name."""
    return _join_sorted(_encode_pairs(query))


def build_canonical_request(
    method: str,
    bucket: str,
    object_key: str,
    *,
    query: QueryPairs,
    headers: Mapping[str, str],
    additional_headers: Iterable[str] = (),
) -> str:
    """Return the text whose hash is signed.

    Args:
        headers: Names in any case; only ``content-type``, ``content-md5``, ``x-oss-*`` and the additional ones count.
        additional_headers: Names of further headers to sign; those that are absent or signed anyway are left out.
    """
    return (
        _write_request_line(method, bucket, object_key)
        + build_canonical_query(query)
        + _write_headers(headers, keep_additional(additional_headers, headers))
    )


def keep_additional(names: Iterable[str], headers: Mapping[str, str]) -> list[str]:
    """Return those names of headers that are there, and that V4 does not sign anyway: in lower case and order."""
    present = {name.lower() for name in headers}
    return [name for name in _order_additional(names) if name in present]


def build_string_to_sign(canonical_request: str, *, date: str, scope: str) -> str:
    """Return the four lines that are signed."""
    return f"{ALGORITHM}\n{date}\n{scope}\n{sha256(canonical_request.encode()).hexdigest()}"


def sign_request(
    method: str,
    bucket: str,
    object_key: str,
    *,
    credentials: Credentials,
    region: str,
    now: datetime,
    query: QueryPairs = (),
    headers: Mapping[str, str] | None = None,
    additional_headers: Iterable[str] = (),
    product: str = PRODUCT,
) -> dict[str, str]:
    """Return the headers of a signed request, names in lower case: those given, and those that the signature needs."""
    date = format_date(now)
    scope = build_scope(date, region, product)
    # In lower case, so that one given as X-Oss-Date is replaced and not sent twice.
    signed = {name.lower(): value for name, value in (headers or {}).items()}
    signed |= {"x-oss-date": date, "x-oss-content-sha256": UNSIGNED_PAYLOAD}
    if credentials.security_token:
        signed["x-oss-security-token"] = credentials.security_token
    canonical = build_canonical_request(
        method, bucket, object_key, query=query, headers=signed, additional_headers=additional_headers
    )
    signature = _sign(canonical, credentials, date, scope)
    additional = keep_additional(additional_headers, signed)
    listed = f"AdditionalHeaders={';'.join(additional)}," if additional else ""
    signed["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key_id}/{scope},{listed}Signature={signature}"
    )
    return signed


class QuerySigner:
    """Presigns requests for one object, all at one moment: what their URLs share is made once.

    Attributes:
        own: The parameters that each query has beside those given, in their order, and before the signature.
    """

    def __init__(
        self,
        method: str,
        bucket: str,
        object_key: str,
        *,
        credentials: Credentials,
        region: str,
        now: datetime,
        expires: int,
        additional_headers: Iterable[str] = (),
        product: str = PRODUCT,
    ) -> None:
        """Build what is shared.

        Args:
            expires: Seconds from ``now``.
            additional_headers: Names of headers to sign beside V4's own; each request has them.

        Raises:
            SignerError: The lifetime is outside what OSS accepts for this kind of key.
        """
        limit = MAX_EXPIRES_STS if credentials.security_token else MAX_EXPIRES
        if not 1 <= expires <= limit:
            raise SignerError(f"a presigned URL lives 1 to {limit} seconds, not {expires}")
        date = format_date(now)
        scope = build_scope(date, region, product)
        self._additional = _order_additional(additional_headers)
        self.own = [
            ("x-oss-signature-version", ALGORITHM),
            ("x-oss-date", date),
            ("x-oss-expires", str(expires)),
            ("x-oss-credential", f"{credentials.access_key_id}/{scope}"),
        ]
        if credentials.security_token:
            self.own.append(("x-oss-security-token", credentials.security_token))
        if self._additional:
            self.own.append(("x-oss-additional-headers", ";".join(self._additional)))
        self._encoded_own = _encode_pairs(self.own)
        self._written_own = _join(self._encoded_own)
        self._request_line = _write_request_line(method, bucket, object_key)
        self._key = derive_signing_key(credentials.access_key_secret, date[:8], region, product)
        self._date, self._scope = date, scope

    def sign(self, query: QueryPairs, headers: Mapping[str, str]) -> str:
        """Return the signature of one request.

        Args:
            headers: Those that the client will have to send just so.
        """
        return self._sign(_encode_pairs(query), headers)

    def write_query(self, query: QueryPairs, headers: Mapping[str, str]) -> str:
        """Return the whole query of one request as it stands in a URL, the signature last."""
        encoded = _encode_pairs(query)
        signature = f"{self._written_own}&x-oss-signature={self._sign(encoded, headers)}"
        return f"{_join(encoded)}&{signature}" if encoded else signature

    def _sign(self, encoded: _EncodedPairs, headers: Mapping[str, str]) -> str:
        canonical = (
            self._request_line
            + _join_sorted(encoded + self._encoded_own)
            + _write_headers(headers, self._additional)
        )
        text = build_string_to_sign(canonical, date=self._date, scope=self._scope)
        return hmac.digest(self._key, text.encode(), "sha256").hex()


def presign_query(
    method: str,
    bucket: str,
    object_key: str,
    *,
    credentials: Credentials,
    region: str,
    now: datetime,
    expires: int,
    query: QueryPairs = (),
    headers: Mapping[str, str] | None = None,
    additional_headers: Iterable[str] = (),
    product: str = PRODUCT,
) -> list[tuple[str, str]]:
    """Return the whole query of a presigned URL, the signature last.

    Args:
        expires: Seconds from ``now``.
        headers: Those that the client will have to send just so.
        additional_headers: Names of further headers to sign; those that are absent are left out.

    Raises:
        SignerError: The lifetime is outside what OSS accepts for this kind of key.
    """
    sent, given = headers or {}, list(query)
    signer = QuerySigner(
        method,
        bucket,
        object_key,
        credentials=credentials,
        region=region,
        now=now,
        expires=expires,
        additional_headers=keep_additional(additional_headers, sent),
        product=product,
    )
    return [*given, *signer.own, ("x-oss-signature", signer.sign(given, sent))]


def presign_url(url: str, query: QueryPairs) -> str:
    """Return an object's URL with a presigned query."""
    return url + "?" + _join(_encode_pairs(query))


def _sign(canonical: str, credentials: Credentials, date: str, scope: str) -> str:
    day, region, product, _ = scope.split("/")
    key = derive_signing_key(credentials.access_key_secret, day, region, product)
    text = build_string_to_sign(canonical, date=date, scope=scope)
    return hmac.digest(key, text.encode(), "sha256").hex()


def _escape(reserved: re.Match[str]) -> str:
    return _ESCAPES.get(reserved[0]) or quote(reserved[0], safe="")


def _encode_pairs(query: QueryPairs) -> _EncodedPairs:
    """Return names and values encoded, each pair with the text that both make."""
    return [
        (one := encode_component(name), other := encode_component(value), f"{one}={other}" if other else one)
        for name, value in query
    ]


def _join(encoded: _EncodedPairs) -> str:
    return "&".join(map(_text_of, encoded))


def _join_sorted(encoded: _EncodedPairs) -> str:
    return _join(sorted(encoded))


def _write_request_line(method: str, bucket: str, object_key: str) -> str:
    path = f"/{bucket}/{encode_object_key(object_key)}" if bucket else "/"
    return f"{method}\n{path}\n"


def _write_headers(headers: Mapping[str, str], additional: Sequence[str]) -> str:
    lowered = {name.lower(): value.strip() for name, value in headers.items()}
    signed = [
        f"{name}:{value}\n"
        for name, value in sorted(lowered.items())
        if name.startswith("x-oss-") or name in _SIGNED_ALWAYS or name in additional
    ]
    payload = lowered.get("x-oss-content-sha256", UNSIGNED_PAYLOAD)
    return f"\n{''.join(signed)}\n{';'.join(additional)}\n{payload}"


def _order_additional(names: Iterable[str]) -> list[str]:
    lowered = {name.lower() for name in names}
    return sorted(name for name in lowered if name not in _SIGNED_ALWAYS and not name.startswith("x-oss-"))
