"""One signed request to a bucket, and OSS's answer: understood, refused, or not to be trusted.

Rules: *Error responses*, https://www.alibabacloud.com/help/en/oss/developer-reference/error-responses. Whatever does not carry OSS's request id
was answered by something else on the way, and says nothing about the bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree import ElementTree

import urllib3
from urllib3.exceptions import HTTPError

from ossgate.bucket.pools import Pools
from signer import v4
from signer.credentials import Credentials, CredentialsUnavailable
from signer.places import BucketPlace

MAX_ANSWER_BYTES = 8 * 1024**2
"""A page of a thousand parts has a quarter of a megabyte."""
_REFUSALS = range(400, 500)


class BucketUnavailable(Exception):
    """The bucket gave no answer that tells whether the object is there."""

    code = "bucket_unavailable"


class BucketRefused(Exception):
    """OSS answered, and refused; ``code`` is its own."""

    def __init__(self, status: int, code: str, ec: str) -> None:
        super().__init__(f"the bucket answered {status} {code}" + (f" ({ec})" if ec else ""))
        self.status = status
        self.code = code
        self.ec = ec


@dataclass(frozen=True, slots=True)
class Answer:
    """What OSS answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Exchange:
    """Sends signed requests; connections are kept, and opened on first use."""

    def __init__(
        self,
        credentials: Callable[[], Credentials],
        *,
        now: Callable[[], datetime],
        pools: Pools,
    ) -> None:
        self._credentials = credentials
        self._now = now
        self._pools = pools

    def send(
        self,
        method: str,
        place: BucketPlace,
        object_key: str,
        *,
        seconds: float,
        query: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Return OSS's answer to one request about an object, when it is a success.

        Args:
            headers: All are signed that can be.

        Raises:
            BucketRefused: OSS refused it by name.
            BucketUnavailable: No answer in time, a fault of OSS, or an answer that is not OSS's.
        """
        if seconds <= 0:
            raise BucketUnavailable("no time is left to ask the bucket")
        query = list(query)
        given = dict(headers or {})
        signed = v4.sign_request(
            method,
            place.bucket,
            object_key,
            credentials=fetch_credentials(self._credentials),
            region=place.region,
            now=self._now(),
            query=query,
            headers=given,
            additional_headers=list(given),
        )
        pool, path = self._pools.find(place.internal)
        target = f"{path}/{v4.encode_object_key(object_key)}"
        try:
            response = pool.urlopen(
                method,
                v4.presign_url(target, query) if query else target,
                body=body,
                headers=signed,
                timeout=urllib3.Timeout(total=seconds),
                redirect=False,
                retries=False,
                preload_content=False,
            )
            data = response.read(MAX_ANSWER_BYTES + 1)
            if len(data) > MAX_ANSWER_BYTES:
                # What follows is not waited for; a connection that was read to its end goes back by itself.
                response.close()
        except HTTPError as error:
            raise BucketUnavailable(f"the bucket did not answer: {type(error).__name__}") from error
        answer = Answer(response.status, response.headers, data)
        _check(answer)
        return answer


def fetch_credentials(credentials: Callable[[], Credentials]) -> Credentials:
    """Return the credentials of the moment.

    Raises:
        BucketUnavailable: There are none, so the bucket cannot be asked.
    """
    try:
        return credentials()
    except CredentialsUnavailable as error:
        raise BucketUnavailable("there are no credentials to ask the bucket with") from error


def parse_document(answer: Answer, root: str) -> ElementTree.Element:
    """Return the XML of an answer, names without their namespace.

    Raises:
        BucketUnavailable: Another document than was asked for.
    """
    document = _parse(answer.body)
    if document is None or document.tag != root:
        raise BucketUnavailable(f"the bucket's answer is no {root}")
    return document


def _check(answer: Answer) -> None:
    if len(answer.body) > MAX_ANSWER_BYTES:
        raise BucketUnavailable("the bucket's answer is too long")
    if "x-oss-request-id" not in answer.headers:
        # A proxy's answer would else pass for the bucket's.
        raise BucketUnavailable(f"something else than the bucket answered {answer.status}")
    if 200 <= answer.status < 203 or answer.status == 204:
        return
    document = _parse(answer.body)
    code = document.findtext("Code", "") if document is not None else ""
    ec = answer.headers.get("x-oss-ec", "")
    if answer.status in _REFUSALS and code:
        raise BucketRefused(answer.status, code[:64], ec[:32])
    raise BucketUnavailable(f"the bucket answered {answer.status}" + (f" ({ec[:32]})" if ec else ""))


def _parse(body: bytes) -> ElementTree.Element | None:
    # OSS's answers define no entities; without any, none can be expanded.
    if b"<!" in body:
        return None
    try:
        document = ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError:
        return None
    for element in document.iter():
        element.tag = element.tag.rpartition("}")[2]
    return document
