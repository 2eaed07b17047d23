"""WeChat and Alipay mini programs: the form's fields for ``wx.uploadFile`` and ``my.uploadFile``, V1 or V4.

Rules: *WeChat mini programs*, https://help.aliyun.com/zh/oss/use-cases/use-wechat-mini-programs-to-upload-objects, *Alipay mini programs*,
https://help.aliyun.com/zh/oss/use-cases/use-alipay-mini-programs-to-upload-objects. The sample's page knows the bucket's host and names the object;
here it must put ``dir`` in front. A success of these calls says nothing: the page looks at ``res.statusCode``, 204 unless it posts
``success_action_status``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signer.dialects.contract import (
    Dialect,
    DialectAnswer,
    DialectRequest,
    Options,
    Route,
    answer_json,
    refuse_json,
)
from signer.dialects.handed import HandedForm
from signer.dialects.wishes import FormUnderPrefix, Wish


def read(request: DialectRequest, options: Options) -> Wish:
    """Want a form; the sample's page posts neither callback nor status."""
    return FormUnderPrefix(
        "v4" if options.variant == "v4" else "v1",
        callback=options.callback,
        status_field=options.status_field,
        temporary=options.variant == "v4",
    )


def render(form: HandedForm, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the fields of ``formData``, then where to and below which ``dir``."""
    signed = form.fields
    if options.variant == "v4":
        data = {
            name: signed[name]
            for name in (
                "policy",
                "x-oss-signature-version",
                "x-oss-credential",
                "x-oss-date",
                "x-oss-signature",
                "x-oss-security-token",
            )
            if name in signed
        }
    else:
        data = {
            "OSSAccessKeyId": signed["OSSAccessKeyId"],
            "policy": signed["policy"],
            "signature": signed["Signature"],
        }
    if options.extras:
        data |= {
            "host": form.host,
            "dir": form.prefix if options.dir_slash else form.prefix.removesuffix("/"),
            "callback": form.callback_param if options.callback else "",
        }
    return answer_json(data, options)


def reply(options: Options) -> Mapping[str, Any]:
    """Answer as the app servers do; ``res.data`` is its text."""
    return {"Status": "OK"}


DIALECT = Dialect(
    name="mini_program",
    usual_paths=("/getPostObjectParams",),
    routes=(Route("", ("GET",), read, render),),
    refuse=refuse_json,
    variants=("v1", "v4"),
    defaults=Options(callback=False, status_field=False),
    choices=frozenset({"dir_slash", "callback", "status_field", "extras", "envelope"}),
    reply=reply,
    ways=("post",),
    names_keys=True,
)
