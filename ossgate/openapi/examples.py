"""One example of each body, as the page shows them; a test holds them against the schemas."""

from __future__ import annotations

from typing import Any

UPLOAD_ID = "01KE0Z5M6QW8T3B9H2J4N7R5XC"
_KEY = f"photos/2026/01/02/{UPLOAD_ID}.jpg"
_BUCKET = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com"
_TIMES = {"created_at": "2026-01-02T03:04:05Z", "expires_at": "2026-01-02T03:11:45Z"}

ERROR: dict[str, Any] = {
    "error": {
        "code": "size_over_limit",
        "message": "30,000,000 bytes are more than 20 MB",
        "hint": "send a smaller file",
        "request_id": "9f86d081884c7d65",
    }
}
FILE_REQUEST = {"profile": "photo", "filename": "sunset.jpg", "size": 2473901}
FILES_REQUEST = {
    "profile": "photo",
    "files": [{"filename": "sunset.jpg"}, {"filename": "beach.png", "size": 733}],
}
_GRANTED = {
    "upload_id": UPLOAD_ID,
    "object_key": _KEY,
    "expires_at": "2026-01-02T03:11:45Z",
    "profile": "photo",
}
FORM_GRANT = {
    "method": "POST",
    "url": _BUCKET,
    "fields": {
        "key": _KEY,
        "x-oss-content-type": "image/jpeg",
        "callback": "eyJjYWxsYmFja1VybCI6…",
        "policy": "eyJleHBpcmF0aW9uIjoi…",
        "x-oss-signature": "0b2c5f…",
    },
} | _GRANTED
ONE_FILE_CREDENTIALS = {"profile": "photo", "filename": "sunset.jpg"}
PREFIX_CREDENTIALS = {"profile": "photo", "use": "prefix"}
TEMPORARY_CREDENTIALS = {
    "upload_id": UPLOAD_ID,
    "credentials": {
        "access_key_id": "STS.NUgYrLnoC37mZZCNnAbez…",
        "access_key_secret": "CVwjCkNzTMupZ8NbTCxCBRq3K16jtcWFTJAyBEv2…",
        "security_token": "CAIShwJ1q6Ft5B2yfSjIr5bSEsj4g7BihPWG…",
        "expiration": "2026-01-02T04:04:05Z",
    },
    "bucket": "examplebucket",
    "region": "cn-hangzhou",
    "endpoint": "https://oss-cn-hangzhou.aliyuncs.com",
    "host": _BUCKET,
    "cname": False,
    "object_key": _KEY,
    "headers": {
        "Content-Type": "image/jpeg",
        "x-oss-forbid-overwrite": "true",
        "x-oss-meta-ossgate-seal": "nZ3l…",
    },
    "callback": {
        "callbackUrl": "https://uploads.example.com/callback",
        "callbackBody": '{"bucket":${bucket},"object":${object},…}',
        "callbackBodyType": "application/json",
        "callbackSNI": True,
    },
    "callback_vars": {},
    "callback_param": "eyJjYWxsYmFja1VybCI6…",
    "min_size": 1,
    "max_size": 20971520,
    "expires_at": "2026-01-02T04:04:05Z",
    "profile": "photo",
}
CONFIRM_REQUEST = {
    "object_key": "files/2026-01-02/01KE0Z5M6QW8T3B9H2M4N7R5XC.b3Vyc2VsdmVzb25seWhlcg/hello.txt"
}
UPLOAD = {
    "upload_id": UPLOAD_ID,
    "state": "uploaded",
    "via": "post",
    "profile": "photo",
    "subject": "alice",
    "object_key": _KEY,
    "file_name": "sunset.jpg",
    "size": 2473901,
    "etag": "9E107D9D372BB6826BD81D3542A419D6",
    "content_type": "image/jpeg",
    **_TIMES,
    "uploaded_at": "2026-01-02T03:04:09Z",
    "keep_until": None,
    "vars": {"album": "July"},
}
OPERATOR_UPLOAD = UPLOAD | {
    "issuer": "api_key:shop",
    "arrived_via": "callback",
    "bucket": "examplebucket",
    "crc64": None,
    "changed_at": "2026-01-02T03:04:09Z",
}
OPERATOR_UPLOADS = {"uploads": [OPERATOR_UPLOAD], "next_cursor": "MTAxS0UwWjVNNlFXOFQzQjlIMko0TjdSNVhD"}
HISTORY = {
    "upload": OPERATOR_UPLOAD,
    "changes": [
        {"claim": "issued", "at": "2026-01-02T03:04:05Z", "via": None, "facts": {}},
        {"claim": "uploaded", "at": "2026-01-02T03:04:09Z", "via": "callback", "facts": {"width": 4032}},
    ],
    "truncated": False,
}
CALLBACK_ID = "01KE0Z5T8C3F7M1P5S9V2X4Z6A"
_CALLBACK = {
    "callback_id": CALLBACK_ID,
    "at": "2026-01-02T03:04:09Z",
    "verdict": "believed",
    "layer": None,
    "code": None,
    "detail": None,
    "upload_id": UPLOAD_ID,
    "remote_addr": "192.0.2.7",
    "took_ms": 12,
    "raw_target": "/callback",
    "body_size": 511,
    "replayable": True,
}
CALLBACKS = {"callbacks": [_CALLBACK], "next_cursor": None}
WHOLE_CALLBACK = _CALLBACK | {
    "headers": {"content-type": "application/json", "authorization": "[redacted]", "x-oss-tag": "CALLBACK"},
    "body": '{"bucket":"examplebucket","ticket":"[redacted]"}',
    "cut": None,
}
COUNTS = {
    "created_from": "2026-01-01T03:04:05Z",
    "states": {"issued": 3, "expired": 1, "unconfirmed": 0, "uploaded": 512, "aborted": 2, "deleted": 0},
    "refusals": 1,
}
PART_NUMBERS = {"part_numbers": [1, 2]}
SIGNED_PARTS = {
    "parts": [
        {
            "part_number": 1,
            "url": f"{_BUCKET}/{_KEY}?partNumber=1&uploadId=0004B9894A22E5B1&x-oss-signature=0b2c5f",
            "headers": {},
            "content_length": 2097152,
        }
    ],
    "expires_at": "2026-01-02T03:10:09Z",
}
STORED_PARTS = {
    "parts": [{"part_number": 1, "size": 2097152, "etag": "0CC175B9C0F1B6A831C399E269772661"}],
    "part_size": 2097152,
    "part_count": 30,
    "size": 62914560,
    "expires_at": "2026-01-03T03:04:05Z",
}
COMPLETE_REQUEST: dict[str, Any] = {}
REPLY = {"Status": "OK", "upload_id": UPLOAD_ID, "state": "uploaded", "size": 2473901}
PROFILES = {
    "profiles": [
        {
            "name": "photo",
            "title": "Photos",
            "titles": {"zh": "照片"},
            "min_size": 1,
            "max_size": 20971520,
            "content_types": ["image/jpeg", "image/png"],
            "via": ["post", "put", "multipart"],
            "keep_days": None,
            "extensions": [".jpg", ".png"],
        }
    ]
}
CALLBACK_BODY = {
    "bucket": "examplebucket",
    "object": _KEY,
    "etag": "9E107D9D372BB6826BD81D3542A419D6",
    "size": 2473901,
    "mimeType": "image/jpeg",
    "ticket": "…",
}
BEARER_REQUEST = {"profile": "photo", "subject": "alice", "expires_in": 600}
BEARER = {
    "token": "b1.…",
    "profile": "photo",
    "subject": "alice",
    "expires_in": 600,
    "expires_at": "2026-01-02T03:14:05Z",
}
HEALTH = {"status": "ok"}
NOT_READY = {
    "status": "not ready",
    "problem": "the ledger cannot be written (schema_outdated)",
    "fix": "run `ossgate db upgrade`, and look at the database",
}
METRICS = """\
# HELP ossgate_grants_issued_total Grants that were issued.
# TYPE ossgate_grants_issued_total counter
ossgate_grants_issued_total{profile="photo"} 512.0
"""
