"""The callback that a PutObject or CompleteMultipartUpload asks for, in headers or in the query.

Source: "Callback", https://help.aliyun.com/zh/oss/developer-reference/callback
"""

import base64
import binascii
import json
from dataclasses import dataclass

from ossgate.emulator.callback_definition import MAX_ENCODED_BYTES, CallbackDefinition, parse_callback
from ossgate.emulator.errors import ErrorKind, OssError
from ossgate.emulator.object_errors import (
    CALLBACK_TWICE,
    CALLBACK_VAR_NOT_BASE64,
    CALLBACK_VAR_NOT_JSON,
    CALLBACK_VAR_NOT_MAP,
    CALLBACK_VAR_TOO_LONG,
    CALLBACK_VAR_TWICE,
)
from ossgate.emulator.requests import Request


@dataclass(frozen=True, slots=True)
class RequestedCallback:
    """A definition with the uploader's own variables, by their full names `x:…`."""

    definition: CallbackDefinition
    variables: dict[str, str]


def read_callback(request: Request, *, allow_private: bool) -> RequestedCallback | None:
    """Read and check the callback of a request; None when it asks for none.

    Raises:
        OssError: It is given twice, or definition or variables do not hold.
    """
    encoded = _find(request, "callback", CALLBACK_TWICE)
    encoded_variables = _find(request, "callback-var", CALLBACK_VAR_TWICE)
    if not encoded:
        return None
    return RequestedCallback(
        parse_callback(encoded, allow_private=allow_private),
        _parse_variables(encoded_variables) if encoded_variables else {},
    )


def _find(request: Request, name: str, twice: ErrorKind) -> str:
    header = request.header(f"x-oss-{name}")
    parameter = request.query_value(name)
    if header and parameter:
        raise OssError(twice)
    return header or parameter or ""


def _parse_variables(encoded: str) -> dict[str, str]:
    if len(encoded.encode("utf-8", "surrogateescape")) > MAX_ENCODED_BYTES:
        raise OssError(CALLBACK_VAR_TOO_LONG)
    try:
        raw = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise OssError(CALLBACK_VAR_NOT_BASE64) from error
    try:
        document = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise OssError(CALLBACK_VAR_NOT_JSON) from error
    if not isinstance(document, dict):
        raise OssError(CALLBACK_VAR_NOT_MAP)
    for name, value in document.items():
        if not name.startswith("x:") or not isinstance(value, str):
            raise OssError(CALLBACK_VAR_NOT_MAP)
    return document
