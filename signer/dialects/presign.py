"""``{method, url, fields, headers}``: what shrine's presign endpoint answers, and what Uppy's functions, Dropzone and axios recipes take.

Rules: https://shrinerb.com/docs/plugins/presign_endpoint and https://uppy.io/docs/aws-s3/. The client sends fields or headers as they are, so every
lock holds.
"""

from __future__ import annotations

from typing import Literal

from signer.dialects.contract import (
    Dialect,
    DialectAnswer,
    DialectRequest,
    Options,
    Route,
    answer_json,
    refuse_json,
)
from signer.dialects.handed import HandedFile
from signer.dialects.request_fields import (
    CONTENT_TYPES,
    FILE_NAMES,
    read_fields,
    read_metadata,
    read_size,
    read_text,
)
from signer.dialects.wishes import OneFile, Wish


def read(request: DialectRequest, options: Options) -> Wish:
    """Want one exact file, by a form unless the settings or the request say PUT."""
    return read_one_file(request, via=options.variant)


def read_one_file(request: DialectRequest, via: str = "post") -> OneFile:
    """Return the file that a request describes.

    Raises:
        FieldInvalid, SizeInvalid, RequestMalformed: It describes it in no way that we read.
    """
    fields = read_fields(request)
    asked = read_text(fields, "via").lower() or via
    chosen: Literal["post", "put"] = "put" if asked == "put" else "post"
    return OneFile(
        read_text(fields, *FILE_NAMES),
        read_text(fields, *CONTENT_TYPES),
        read_size(fields),
        via=chosen,
        metadata=read_metadata(fields),
    )


def render(handed: HandedFile, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the request that the client is to send, then how long it lives and how its upload is called."""
    return answer_json(
        {
            "method": handed.method,
            "url": handed.url,
            "fields": dict(handed.fields),
            "headers": dict(handed.headers),
            "expires": handed.seconds,
            "upload_id": handed.upload_id,
        },
        options,
    )


DIALECT = Dialect(
    name="presign",
    usual_paths=("/presign",),
    routes=(Route("", ("GET", "POST"), read, render),),
    refuse=refuse_json,
    variants=("post", "put"),
    choices=frozenset({"envelope"}),
)
