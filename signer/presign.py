"""A presigned URL of either signature version: one request that a client may send, and until when.

Rules: *Add signatures to URLs*, https://help.aliyun.com/zh/oss/developer-reference/add-signatures-to-urls. A URL dies with the token that signed
it, and one of V4 lives seven days at most, twelve hours when a token signed it; for V1 no limit is documented, and ours are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from signer import v1, v4
from signer.credentials import Credentials
from signer.places import BucketPlace
from signer.post_form import SignatureVersion


@dataclass(frozen=True, slots=True)
class UrlSigner:
    """Signs URLs under a bucket's public host, all at one moment with one set of credentials."""

    place: BucketPlace
    version: SignatureVersion
    credentials: Credentials
    now: datetime

    def sign(
        self,
        method: str,
        object_key: str,
        *,
        expires: int,
        query: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        additional_headers: Iterable[str] = (),
    ) -> str:
        """Return the URL of one request.

        Args:
            expires: Seconds from now; see `cap_lifetime`.
            headers: Those that the client will have to send just so.
            additional_headers: Names of headers that V4 signs besides its own; V1 cannot sign any, and leaves them open.
        """
        [url] = self.sign_each(
            method,
            object_key,
            [(query, headers or {})],
            expires=expires,
            additional_headers=()
            if self.version == "v1"
            else v4.keep_additional(additional_headers, headers or {}),
        )
        return url

    def sign_each(
        self,
        method: str,
        object_key: str,
        requests: Iterable[tuple[Iterable[tuple[str, str]], Mapping[str, str]]],
        *,
        expires: int,
        additional_headers: Iterable[str] = (),
    ) -> list[str]:
        """Return a URL for each of several requests for one object, in less time than one by one.

        Args:
            requests: The query and the headers of each, as for `sign`.
            additional_headers: As for `sign`; each request has them.
        """
        url = f"{self.place.host}/{v4.encode_object_key(object_key)}"
        if self.version == "v1":
            return [
                v4.presign_url(
                    url,
                    v1.presign_query(
                        method,
                        self.place.bucket,
                        object_key,
                        credentials=self.credentials,
                        now=self.now,
                        expires=expires,
                        query=query,
                        headers=headers,
                    ),
                )
                for query, headers in requests
            ]
        signer = v4.QuerySigner(
            method,
            self.place.bucket,
            object_key,
            credentials=self.credentials,
            region=self.place.region,
            now=self.now,
            expires=expires,
            additional_headers=additional_headers,
        )
        return [f"{url}?{signer.write_query(query, headers)}" for query, headers in requests]


def cap_lifetime(seconds: int, credentials: Credentials, now: datetime, *, in_url: bool = True) -> int:
    """Return how long something signed with these credentials can live: as wished, but no longer than OSS honours it.

    Args:
        in_url: Whether it is a presigned URL; a policy has no limit of its own, but dies with the token, too.
    """
    if in_url:
        seconds = min(seconds, v4.MAX_EXPIRES_STS if credentials.security_token else v4.MAX_EXPIRES)
    if credentials.expires_at is not None:
        seconds = min(seconds, int((credentials.expires_at - now).total_seconds()))
    return max(1, seconds)
