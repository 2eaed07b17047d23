"""One presigned URL as plain text, for the sample page that does a PUT with a Content-Type it has made up its mind about.

Rules: *Obtain a presigned URL from the server*, https://help.aliyun.com/zh/oss/use-cases/uploading-objects-to-oss-directly-from-clients. The page
sends ``image/png`` and no other header, so the URL must carry everything. A client that asks with ``Accept: application/json`` and tells the file's
size gets the headers of one exact upload instead.
"""

from __future__ import annotations

from signer.dialects.contract import (
    TEXT,
    Dialect,
    DialectAnswer,
    DialectRequest,
    Options,
    Refusal,
    Route,
    answer_json,
    refuse_json,
)
from signer.dialects.handed import HandedFile, HandedUrl
from signer.dialects.request_fields import CONTENT_TYPES, FILE_NAMES, read_fields, read_size, read_text
from signer.dialects.wishes import BarePut, OneFile, Wish


def wants_json(request: DialectRequest) -> bool:
    """Tell whether the client asks for JSON by name; ``*/*`` is what every page sends."""
    return "application/json" in request.accept


def read(request: DialectRequest, options: Options) -> Wish:
    """Want one PUT: an exact one for clients that can send headers and know their file, else a bare one."""
    fields = read_fields(request)
    name = read_text(fields, *FILE_NAMES)
    content_type = read_text(fields, *CONTENT_TYPES)
    size = read_size(fields)
    if wants_json(request) and size is not None and name:
        return OneFile(name, content_type, size, via="put")
    return BarePut(name, content_type or options.content_type, size)


def render(handed: HandedUrl | HandedFile, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the URL and nothing else, or an object with what must go with it."""
    if not wants_json(request) and options.envelope is None:
        return DialectAnswer(handed.url.encode(), content_type=TEXT)
    headers = (
        dict(handed.headers) if isinstance(handed, HandedFile) else {"Content-Type": handed.content_type}
    )
    return answer_json({"url": handed.url, "method": "PUT", "headers": headers}, options)


def refuse(refusal: Refusal, request: DialectRequest, options: Options) -> DialectAnswer:
    """Refuse with a real status, in the form that was asked for."""
    if wants_json(request) or options.envelope is not None:
        return refuse_json(refusal, request, options)
    return DialectAnswer(refusal.sentence.encode(), refusal.status, TEXT)


DIALECT = Dialect(
    name="put_text",
    usual_paths=("/get_presigned_url_for_oss_upload",),
    routes=(Route("", ("GET", "POST"), read, render),),
    refuse=refuse,
    defaults=Options(content_type="image/png"),
    choices=frozenset({"content_type", "envelope"}),
    ways=("put",),
    names_keys=True,
)
