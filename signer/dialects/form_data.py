"""``{formData, url}``: the form of ali-oss's own example server, without STS and with.

Read from https://github.com/ali-sdk/ali-oss, ``example/server/postObject.js``. The page appends ``key`` and the file; note the capital of
``Signature``.
"""

from __future__ import annotations

import orjson

from signer.dialects.contract import (
    Dialect,
    DialectAnswer,
    DialectRequest,
    Options,
    Refusal,
    Route,
    answer_json,
    refuse_in_envelope,
)
from signer.dialects.handed import HandedForm
from signer.dialects.wishes import FormUnderPrefix, Wish


def read(request: DialectRequest, options: Options) -> Wish:
    """Want a form whose fields the page posts as they are, whichever they are."""
    return FormUnderPrefix(
        "v1",
        callback=options.callback,
        status_field=options.status_field,
        temporary=options.variant == "sts",
    )


def render(form: HandedForm, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the signed fields, the host, and where keys begin."""
    names = ("OSSAccessKeyId", "Signature", "policy", "x-oss-security-token")
    own = {name: form.fields[name] for name in names if name in form.fields}
    data: dict[str, object] = {"formData": own | {k: v for k, v in form.fields.items() if k not in own}}
    data["url"] = form.host
    if options.extras:
        data["dir"] = form.prefix if options.dir_slash else form.prefix.removesuffix("/")
    return answer_json(data, options)


def refuse(refusal: Refusal, request: DialectRequest, options: Options) -> DialectAnswer:
    """Refuse with a real status and ``message``, which is all that the page looks for."""
    if options.envelope is not None:
        return refuse_in_envelope(refusal, options.envelope, options)
    return DialectAnswer(orjson.dumps({"message": refusal.sentence}), refusal.status)


DIALECT = Dialect(
    name="form_data",
    usual_paths=("/postObject",),
    routes=(Route("", ("GET",), read, render),),
    refuse=refuse,
    variants=("plain", "sts"),
    choices=frozenset({"dir_slash", "callback", "status_field", "extras", "envelope"}),
    ways=("post",),
    names_keys=True,
)
