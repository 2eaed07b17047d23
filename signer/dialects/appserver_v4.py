"""Alibaba's app servers since late 2024: a V4 policy, signed with temporary credentials.

Rules: *Obtain signature information from the server and upload data to OSS*,
https://help.aliyun.com/zh/oss/use-cases/obtain-signature-information-from-the-server-and-upload-data-to-oss. The page posts
``success_action_status=200``, ``policy``, ``x-oss-signature``, ``x-oss-signature-version``, ``x-oss-credential``, ``x-oss-date``, ``key``,
``x-oss-security-token``, in its edition with callbacks ``callback``, and the file; then it reads OSS's answer, which is ours, as JSON.
The Java page reads the version's name from ``version``, the others from ``x_oss_signature_version``, so both are written. Rewrites of the sample
in frameworks that rename fields (``camel``) read ``xOssSignatureVersion``, ``xOssCredential``, ``xOssDate`` and ``securityToken``.
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
    """Want a form; every page of this kind posts the token that it is given."""
    return FormUnderPrefix("v4", callback=options.callback, status_field=options.status_field, temporary=True)


def render(form: HandedForm, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write every field that a page of any language reads: what is left out would be posted as ``undefined``."""
    signed = form.fields
    version = signed["x-oss-signature-version"]
    names = {"version": version} if options.variant == "java" else {"x_oss_signature_version": version}
    if options.variant == "all":
        names = {"x_oss_signature_version": version, "version": version}
    data = {
        "policy": signed["policy"],
        **names,
        "x_oss_credential": signed["x-oss-credential"],
        "x_oss_date": signed["x-oss-date"],
        "signature": signed["x-oss-signature"],
        "host": form.host,
        "dir": form.prefix if options.dir_slash else form.prefix.removesuffix("/"),
        "security_token": signed.get("x-oss-security-token", ""),
        "callback": form.callback_param if options.callback else "",
    }
    if options.variant == "camel":
        data = {rename(name): value for name, value in data.items()}
    return answer_json(data, options)


def rename(name: str) -> str:
    """Return a name as Java's and JavaScript's frameworks write it: ``x_oss_date`` becomes ``xOssDate``."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def reply(options: Options) -> Mapping[str, Any]:
    """Answer what the sample answers; the page needs JSON even here."""
    return {"Status": "OK"}


DIALECT = Dialect(
    name="appserver_v4",
    usual_paths=("/get_post_signature_for_oss_upload",),
    routes=(Route("", ("GET",), read, render),),
    refuse=refuse_json,
    variants=("all", "python", "java", "go", "php", "node", "camel"),
    choices=frozenset({"dir_slash", "callback", "status_field", "envelope"}),
    reply=reply,
    ways=("post",),
    names_keys=True,
)
