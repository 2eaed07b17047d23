"""Answers of STS, in JSON and in XML.

Source: "AssumeRole", https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from ossgate.emulator.responses import Response
from ossgate.emulator.sts.sts_errors import StsError

_CONTENT_TYPES = {"JSON": "application/json;charset=utf-8", "XML": "text/xml;charset=utf-8"}
_NAMESPACE = uuid.UUID("6894b13b-6d71-4ef5-88fa-f32781734a7f")
_RECOMMEND = "https://api.aliyun.com/troubleshoot?q={code}&product=Sts&requestId={request_id}"
# Characters that XML 1.0 cannot carry, not even escaped.
_FORBIDDEN = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 65534, 65535], "�")


def write_request_id(request_id: str) -> str:
    """Spell a request's id as STS does: the same id always gives the same UUID."""
    return str(uuid.uuid5(_NAMESPACE, request_id)).upper()


def respond(document: Mapping[str, Any], *, answer_format: str, root: str, request_id: str) -> Response:
    """Answer with a document.

    Args:
        root: The root element in XML.
        request_id: As STS spells it.
    """
    return _respond(200, {"RequestId": request_id, **document}, answer_format, root)


def respond_with_sts_error(error: StsError, *, answer_format: str, request_id: str, host_id: str) -> Response:
    """Shape a refusal."""
    document = {
        "RequestId": request_id,
        "HostId": host_id,
        "Code": error.kind.code,
        "Message": error.message,
        "Recommend": _RECOMMEND.format(code=error.kind.code, request_id=request_id),
    }
    response = _respond(error.kind.status, document, answer_format, "Error")
    response.code = error.kind.code
    response.message = error.kind.message
    return response


def _respond(status: int, document: Mapping[str, Any], answer_format: str, root: str) -> Response:
    text = json.dumps(document) if answer_format == "JSON" else _write_xml(root, document)
    headers = [
        ("Content-Type", _CONTENT_TYPES[answer_format]),
        ("Cache-Control", "no-store"),
        ("x-acs-request-id", str(document["RequestId"])),
    ]
    return Response(status, headers, text.encode("utf-8", "replace"))


def _write_xml(root: str, document: Mapping[str, Any]) -> str:
    return f"<?xml version='1.0' encoding='UTF-8'?>{_write_element(root, document)}"


def _write_element(name: str, value: Any) -> str:
    inner = (
        "".join(_write_element(key, member) for key, member in value.items())
        if isinstance(value, Mapping)
        else escape(str(value).translate(_FORBIDDEN))
    )
    return f"<{name}>{inner}</{name}>"
