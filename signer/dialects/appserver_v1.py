"""Alibaba's first app server and the pages made for it (plupload, 2015 and later): a V1 policy, asked for before every few files.

Rules: *Add signatures on the server, configure upload callback, and directly transfer data*,
https://help.aliyun.com/zh/oss/use-cases/add-signatures-on-the-client-by-using-javascript-and-upload-data-to-oss, and the script ``upload.js`` that
goes with it: it evaluates the body as JavaScript, asks again three seconds before ``expire``, and posts ``key``, ``policy``, ``OSSAccessKeyId``,
``success_action_status=200``, ``callback`` and ``signature``. A field that is left out would be posted as the text ``undefined``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from signer.dialects.contract import (
    Dialect,
    DialectAnswer,
    DialectRequest,
    Options,
    Refusal,
    Route,
    answer_json,
    refuse_json,
)
from signer.dialects.handed import HandedForm
from signer.dialects.wishes import Explain, FormUnderPrefix, Wish
from signer.errors import quote

JAVASCRIPT = "application/javascript; charset=utf-8"
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}")
_REPLIES = {"php": {"Status": "Ok"}, "laravel": {"status": "ok"}}


def read(request: DialectRequest, options: Options) -> Wish:
    """Want a form; only the Java sample knows JSONP, and only identifiers can be called."""
    name = request.query.get("callback", "")
    if options.variant == "java" and name and not _IDENTIFIER.fullmatch(name):
        return Explain(
            400,
            "callback_name_invalid",
            f"{quote(name)} is no name of a JavaScript function",
            "send letters, digits, _ and $",
        )
    return FormUnderPrefix("v1", callback=options.callback, status_field=options.status_field)


def render(form: HandedForm, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the seven fields, or those of the packages that gave them other names."""
    prefix = form.prefix if options.dir_slash else form.prefix.removesuffix("/")
    callback = form.callback_param if options.callback else ""
    signed = form.fields
    if options.variant == "go-package":
        data: dict[str, Any] = {
            "OSSAccessKeyId": signed["OSSAccessKeyId"],
            "policy": signed["policy"],
            "callback": callback,
            "signature": signed["Signature"],
            "host": form.host,
            "expire": form.expires,
            "directory": prefix,
        }
    else:
        data = {
            "accessid": signed["OSSAccessKeyId"],
            "host": form.host,
            "policy": signed["policy"],
            "signature": signed["Signature"],
            "expire": str(form.expires) if options.variant in ("java", "dotnet") else form.expires,
            "callback": callback,
            "dir": prefix,
        }
    if options.variant == "flysystem":
        # The page copies its entries into form fields; PHP writes an empty list where there are none.
        data["callback-var"] = []
    headers = {"expire": str(form.expires)} if options.variant == "ruby" else {}
    name = request.query.get("callback", "")
    if options.variant == "java" and name and options.envelope is None:
        return DialectAnswer(
            name.encode() + b"( " + orjson.dumps(data) + b" )",
            content_type=JAVASCRIPT,
            headers={"X-Content-Type-Options": "nosniff"},
        )
    return answer_json(data, options, headers=headers)


def refuse(refusal: Refusal, request: DialectRequest, options: Options) -> DialectAnswer:
    """Refuse with a real status and our JSON: the script evaluates whatever comes, and shows nothing of it."""
    return refuse_json(refusal, request, options)


def reply(options: Options) -> Mapping[str, Any]:
    """Answer as the variant's sample does; pages compare it."""
    return _REPLIES.get(options.variant, {"Status": "OK"})


DIALECT = Dialect(
    name="appserver_v1",
    usual_paths=("/php/get.php", "/api/app-server/oss-token"),
    routes=(Route("", ("GET",), read, render),),
    refuse=refuse,
    variants=(
        "python", "java", "go", "php", "ruby", "dotnet", "node", "laravel", "flysystem", "go-package",
    ),
    choices=frozenset({"dir_slash", "callback", "status_field", "envelope"}),
    reply=reply,
    ways=("post",),
    names_keys=True,
)  # fmt: skip
