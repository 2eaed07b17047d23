"""The upload pages of the *gulimall* and *renren-fast* family, a widely copied course project, on Element's ``el-upload``.

The page reads ``{code: 0, data}``, builds its key as ``dir + uuid + "_${filename}"``, and posts ``policy``, ``signature``, ``key``,
``ossaccessKeyId``, ``dir``, ``host`` and the file: no callback and no ``success_action_status``, so OSS answers 204 and nobody is told.
Copies read ``accessid`` or ``accessId``; both are written.
"""

from __future__ import annotations

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

ENVELOPE = Envelope(message="msg", ok=0, ok_message="success")


def read(request: DialectRequest, options: Options) -> Wish:
    """Want a form; a page that was extended to post a callback says so in the settings."""
    return FormUnderPrefix("v1", callback=options.callback, status_field=options.status_field)


def render(form: HandedForm, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the fields that the page reads; ``expire`` is text, as there."""
    data = {
        "accessid": form.fields["OSSAccessKeyId"],
        "accessId": form.fields["OSSAccessKeyId"],
        "policy": form.fields["policy"],
        "signature": form.fields["Signature"],
        "dir": form.prefix if options.dir_slash else form.prefix.removesuffix("/"),
        "host": form.host,
        "expire": str(form.expires),
    }
    if options.callback:
        data["callback"] = form.callback_param
    return answer_json(data, options)


def refuse(refusal: Refusal, request: DialectRequest, options: Options) -> DialectAnswer:
    """Refuse with HTTP 200 and a code other than 0, which the page shows."""
    return refuse_in_envelope(refusal, options.envelope or ENVELOPE, options)


DIALECT = Dialect(
    name="gulimall",
    usual_paths=("/thirdparty/oss/policy",),
    routes=(Route("", ("GET",), read, render),),
    refuse=refuse,
    defaults=Options(callback=False, status_field=False, envelope=ENVELOPE),
    choices=frozenset({"dir_slash", "callback", "status_field", "real_status", "envelope"}),
    ways=("post",),
    names_keys=True,
)
