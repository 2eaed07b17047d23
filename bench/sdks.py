"""The official SDKs' presigned URLs, where they are installed: of a PUT, and of many parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from signer.post_form import SignatureVersion

ACCESS_KEY_ID, ACCESS_KEY_SECRET = "bench-access-key-id", "s" * 30
_BUCKET, _KEY, _EXPIRES = "demo-bucket", "photos/user-7/2026-01-02/01KDYAK348000000000000016J.jpg", 460
_ENDPOINT, _REGION = "http://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"
_MULTIPART_ID = "0004B9894A22E5B1888A1E29F8236E2D"


def presign_puts(version: SignatureVersion) -> Mapping[str, Callable[[], object]]:
    """Return what presigns a PUT, by the SDK's name."""
    found: dict[str, Callable[[], object]] = {}
    if (newer := _find_newer(version)) is not None:
        oss, client = newer

        def presign() -> object:
            request = oss.PutObjectRequest(bucket=_BUCKET, key=_KEY, content_type="image/jpeg")
            return client.presign(request, expires=timedelta(seconds=_EXPIRES))

        found["alibabacloud-oss-v2"] = presign
    if (older := _find_older(version)) is not None:
        headers = {"Content-Type": "image/jpeg"}
        found["oss2"] = lambda: older.sign_url("PUT", _KEY, _EXPIRES, headers=headers, slash_safe=True)
    return found


def presign_parts(count: int) -> Mapping[str, Callable[[], object]]:
    """Return what presigns so many parts with V4, by the SDK's name."""
    found: dict[str, Callable[[], object]] = {}
    if (newer := _find_newer("v4")) is not None:
        oss, client = newer

        def presign() -> object:
            return [
                client.presign(
                    oss.UploadPartRequest(
                        bucket=_BUCKET, key=_KEY, upload_id=_MULTIPART_ID, part_number=number
                    ),
                    expires=timedelta(seconds=_EXPIRES),
                )
                for number in range(1, count + 1)
            ]

        found["alibabacloud-oss-v2"] = presign
    if (older := _find_older("v4")) is not None:
        found["oss2"] = lambda: [
            older.sign_url(
                "PUT", _KEY, _EXPIRES, slash_safe=True,
                params={"uploadId": _MULTIPART_ID, "partNumber": str(number)},
            )
            for number in range(1, count + 1)
        ]  # fmt: skip
    return found


def _find_newer(version: SignatureVersion) -> tuple[Any, Any] | None:
    try:
        import alibabacloud_oss_v2 as oss  # type: ignore[import-untyped]
    except ImportError:
        return None
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    config.region, config.endpoint, config.signature_version = _REGION, _ENDPOINT, version
    return oss, oss.Client(config)


def _find_older(version: SignatureVersion) -> Any | None:
    try:
        import oss2  # type: ignore[import-untyped]
    except ImportError:
        return None
    auth = (oss2.AuthV4 if version == "v4" else oss2.Auth)(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    return oss2.Bucket(auth, _ENDPOINT, _BUCKET, region=_REGION)
