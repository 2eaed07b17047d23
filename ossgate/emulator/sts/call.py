"""Reading a call of STS: which requests are meant for it, and their parameters.

Sources: "Request structure", https://www.alibabacloud.com/help/en/ram/developer-reference/request-structure ;
how the official clients differ stands at `is_sts_request`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from ossgate.emulator.requests import Request, split_host
from ossgate.emulator.sts.sts_errors import (
    BODY_TOO_LARGE,
    CONTENT_TYPE_INVALID,
    FORMAT_INVALID,
    METHOD_UNSUPPORTED,
    StsError,
)

FORM_TYPE = "application/x-www-form-urlencoded"
# Longest policy, all of it percent-encoded, is a tenth of this.
_MAX_BODY = 128 * 1024
_MAX_PARAMETERS = 100
# `sts.oss-cn-hangzhou.aliyuncs.com` is a bucket called sts.
_STS_HOST = re.compile(r"sts(-vpc)?\.(?!oss-)")


def is_sts_request(
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    *,
    bucket: str = "",
) -> bool:
    """Tell whether a request is for STS rather than for OSS; both share the emulator's port.

    The new SDKs sign by headers and name the action in `x-acs-action`; the old ones and the credential providers have
    `Action` in the query; ali-oss posts a form to `/`, where path-style OSS has no bucket to post to.

    Args:
        path: Undecoded.
        headers: By lower-case name.
        bucket: The bucket that the Host names, if any: a form posted to it is then the bucket's affair.
    """
    if _STS_HOST.match(split_host(headers.get("host", ""))):
        return True
    if "x-acs-action" in headers:
        return True
    if path not in ("", "/"):
        return False
    if any(name == "Action" for name, _ in query):
        return True
    return method == "POST" and not bucket and _media_type(headers) == FORM_TYPE


@dataclass(frozen=True, slots=True)
class Call:
    """A call with its parameters decoded.

    Args:
        query: Names and values of the query, in order.
        form: Those of a form body.
        body: The body as it came.
    """

    method: str
    raw_path: str
    query: tuple[tuple[str, str], ...]
    form: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    host: str
    body: bytes

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """All parameters; which of the two ways one came makes no difference."""
        return self.query + self.form

    def parameter(self, name: str) -> str:
        """Tell a parameter's value, empty when absent; of a doubled one the first counts."""
        return next((value for key, value in self.parameters if key == name), "")

    def header(self, name: str) -> str:
        """Tell a header's value, empty when absent."""
        return self.headers.get(name, "")


def read_call(request: Request, raw_query: str) -> Call:
    """Read a request's parameters; forms write a blank as `+`, and so do some SDKs in the query.

    Raises:
        StsError: The method is none of STS's, or the body is too large or of another type.
    """
    if request.method not in ("GET", "POST"):
        raise StsError(METHOD_UNSUPPORTED)
    body = _read_body(request) if request.method == "POST" else b""
    form: tuple[tuple[str, str], ...] = ()
    if body:
        if _media_type(request.headers) not in ("", FORM_TYPE):
            raise StsError(CONTENT_TYPE_INVALID)
        form = _decode(body.decode("utf-8", "surrogateescape"))
    return Call(
        method=request.method,
        raw_path=request.raw_path or "/",
        query=_decode(raw_query),
        form=form,
        headers=request.headers,
        host=request.host,
        body=body,
    )


def find_format(query: Iterable[tuple[str, str]], headers: Mapping[str, str]) -> str:
    """Tell the format of the answer: `JSON`, the default, or `XML`.

    Raises:
        StsError: Another format is asked for.
    """
    wanted = next((value for name, value in query if name == "Format"), "")
    if not wanted:
        accept = headers.get("accept", "")
        wanted = "XML" if accept.partition(",")[0].strip() in ("application/xml", "text/xml") else "JSON"
    if wanted.upper() not in ("JSON", "XML"):
        raise StsError(FORMAT_INVALID)
    return wanted.upper()


def _read_body(request: Request) -> bytes:
    body = bytearray()
    for chunk in request.body.iter_chunks():
        body += chunk
        if len(body) > _MAX_BODY:
            raise StsError(BODY_TOO_LARGE)
    return bytes(body)


def _decode(text: str) -> tuple[tuple[str, str], ...]:
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS, errors="surrogateescape"
        )
    except ValueError as error:
        raise StsError(BODY_TOO_LARGE) from error
    return tuple(pairs)


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
