"""Grants of a multipart upload, and the requests of it that a client may send: its parts, and its completion.

Rules: *UploadPart*, https://help.aliyun.com/zh/oss/developer-reference/uploadpart, *CompleteMultipartUpload*,
https://help.aliyun.com/zh/oss/developer-reference/completemultipartupload. What the object is, is fixed when the upload is begun, which we do
ourselves; a part's URL is good for one part of one length, which V4 signs and V1 cannot.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from signer.facts import Facts
from signer.part_sizes import CLIENT_SIZED, LARGEST_COMFORTABLE, count_parts, measure_part
from signer.presign import UrlSigner, cap_lifetime
from signer.profiles import BASE_LIFETIME, SLOWEST_CLIENT, Profile
from signer.put_grants import CALLBACK_HEADER, CALLBACK_PARAMETER, LENGTH_HEADER
from signer.times import format_seconds

COMPLETE_LIFETIME = BASE_LIFETIME
"""Seconds that a presigned completion lives: it is sent as soon as it is asked for, and has no body."""


@dataclass(frozen=True, slots=True)
class MultipartGrant:
    """One upload in parts, begun in the bucket."""

    facts: Facts
    multipart_upload_id: str
    part_size: int
    expires_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return the grant in the shape that clients read; the URLs are taken from the address that was asked."""
        here = f"/v1/uploads/{self.facts.upload_id}"
        return {
            "upload_id": self.facts.upload_id,
            "method": "PUT",
            "part_size": self.part_size,
            "part_count": count_parts(self.facts.size_max, self.part_size),
            "parts_url": f"{here}/parts",
            "complete_url": f"{here}/complete",
            "object_key": self.facts.object_key,
            "expires_at": format_seconds(self.expires_at) + "Z",
            "profile": self.facts.profile,
        }


def sign_parts(grant: MultipartGrant, part_numbers: Iterable[int], signer: UrlSigner) -> dict[str, Any]:
    """Return a URL for each part, in the shape that clients read.

    They live as long as a slow client needs for one part, and no longer than the grant.
    """
    left = int((grant.expires_at - signer.now).total_seconds())
    longest = LARGEST_COMFORTABLE if grant.part_size == CLIENT_SIZED else grant.part_size
    wished = min(left, BASE_LIFETIME + longest // SLOWEST_CLIENT)
    expires = cap_lifetime(wished, signer.credentials, signer.now)
    lengths = [(number, _measure(grant, number)) for number in part_numbers]
    urls = signer.sign_each(
        "PUT",
        grant.facts.object_key,
        [
            (
                [("partNumber", str(number)), ("uploadId", grant.multipart_upload_id)],
                {} if length is None else {LENGTH_HEADER: str(length)},
            )
            for number, length in lengths
        ],
        expires=expires,
        additional_headers=() if grant.part_size == CLIENT_SIZED else (LENGTH_HEADER,),
    )
    # A Content-Type that the client adds would break the signature, so none is among the headers.
    parts: list[dict[str, Any]] = [
        {"part_number": number, "url": url, "headers": {}, "content_length": length}
        for (number, length), url in zip(lengths, urls, strict=True)
    ]
    return {"parts": parts, "expires_at": format_seconds(signer.now + timedelta(seconds=expires)) + "Z"}


def _measure(grant: MultipartGrant, number: int) -> int | None:
    """Return how long a part has to be; nothing when the client decides."""
    if grant.part_size == CLIENT_SIZED:
        return None
    return measure_part(grant.facts.size_max, grant.part_size, number)


def sign_complete(
    profile: Profile, grant: MultipartGrant, *, callback_param: str, signer: UrlSigner
) -> dict[str, Any]:
    """Return the request by which a client completes the upload itself: OSS takes all parts and calls us back."""
    expires = cap_lifetime(COMPLETE_LIFETIME, signer.credentials, signer.now)
    headers = {"x-oss-complete-all": "yes", **build_complete_headers(profile)}
    query = [("uploadId", grant.multipart_upload_id)]
    if profile.put_callback == "header":
        headers[CALLBACK_HEADER] = callback_param
    else:
        query.append((CALLBACK_PARAMETER, callback_param))
    url = signer.sign("POST", grant.facts.object_key, expires=expires, query=query, headers=headers)
    return {
        "upload_id": grant.facts.upload_id,
        "method": "POST",
        "url": url,
        "headers": headers,
        "expires_at": format_seconds(signer.now + timedelta(seconds=expires)) + "Z",
    }


def build_complete_headers(profile: Profile) -> dict[str, str]:
    """Return what completion decides anew: who may read the object, and that it replaces none."""
    return {"x-oss-forbid-overwrite": "true", "x-oss-object-acl": profile.object_acl}
