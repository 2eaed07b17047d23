"""A form under both pairs of names that upload components bind: ``action`` and ``data``, ``url`` and ``fields``.

Rules: https://element-plus.org/en-US/component/upload.html, https://ant.design/components/upload. Element, Ant Design, TDesign and Naive UI post
``data`` in its order and the file last, under the name that the component is given, which must be ``file``.
"""

from __future__ import annotations

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
from signer.dialects.presign import read_one_file
from signer.dialects.wishes import Wish


def read(request: DialectRequest, options: Options) -> Wish:
    """Want one exact file by a form."""
    return read_one_file(request)


def render(handed: HandedFile, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the form twice, and how its upload is called."""
    fields = dict(handed.fields)
    return answer_json(
        {
            "url": handed.url,
            "action": handed.url,
            "fields": fields,
            "data": fields,
            "expires": handed.seconds,
            "upload_id": handed.upload_id,
        },
        options,
    )


DIALECT = Dialect(
    name="form",
    usual_paths=("/form",),
    routes=(Route("", ("GET",), read, render),),
    refuse=refuse_json,
    choices=frozenset({"envelope"}),
    ways=("post",),
)
