"""The upload pages of the *mall* family, a widely copied Spring project, on Element's ``el-upload``.

Read from https://github.com/macrozheng/mall (its OssController) and https://github.com/macrozheng/mall-admin-web (singleUpload.vue,
multiUpload.vue). The page asks before each file and posts ``policy``, ``signature``, ``key``, ``ossaccessKeyId``, ``dir``, ``host``, ``callback``
and the file; it puts a slash between ``dir`` and the file's name itself, so ``dir`` has none at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signer.dialects.contract import (
    Dialect,
    DialectAnswer,
    DialectRequest,
    Envelope,
    Options,
    Refusal,
    Route,
    answer_json,
    refuse_in_envelope,
)
from signer.dialects.handed import HandedForm
from signer.dialects.wishes import FormUnderPrefix, Wish

ENVELOPE = Envelope(ok_message="操作成功")


def read(request: DialectRequest, options: Options) -> Wish:
    """Want a form; the page does not post ``success_action_status``."""
    return FormUnderPrefix("v1", callback=options.callback, status_field=options.status_field)


def render(form: HandedForm, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the project's OssPolicyResult."""
    return answer_json(
        {
            "accessKeyId": form.fields["OSSAccessKeyId"],
            "policy": form.fields["policy"],
            "signature": form.fields["Signature"],
            "dir": form.prefix if options.dir_slash else form.prefix.removesuffix("/"),
            "host": form.host,
            "callback": form.callback_param if options.callback else "",
        },
        options,
    )


def refuse(refusal: Refusal, request: DialectRequest, options: Options) -> DialectAnswer:
    """Refuse with HTTP 200 and a code: the page's interceptor shows the message then, and only then."""
    return refuse_in_envelope(refusal, options.envelope or ENVELOPE, options)


def reply(options: Options) -> Mapping[str, Any]:
    """Answer the project's OssCallbackResult: the object's address, and all its facts as text."""
    envelope = options.envelope or ENVELOPE
    return {
        envelope.code: envelope.ok,
        envelope.message: envelope.ok_message,
        envelope.data: {
            "filename": "{location}",
            "size": "{size!s}",
            "mimeType": "{content_type}",
            "width": "{width!s}",
            "height": "{height!s}",
        },
    }


DIALECT = Dialect(
    name="mall",
    usual_paths=("/aliyun/oss/policy",),
    routes=(Route("", ("GET",), read, render),),
    refuse=refuse,
    defaults=Options(dir_slash=False, status_field=False, envelope=ENVELOPE),
    choices=frozenset({"dir_slash", "callback", "status_field", "real_status", "envelope"}),
    reply=reply,
    ways=("post",),
    names_keys=True,
)
