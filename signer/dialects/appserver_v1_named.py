"""Alibaba's app servers of 2023 and 2024: a V1 policy under a path of its own, without a callback.

Rules: *Obtain signature information from the server and upload data to OSS* in its editions of those years,
https://help.aliyun.com/zh/oss/use-cases/obtain-signature-information-from-the-server-and-upload-data-to-oss. The page posts ``name``, ``policy``,
``OSSAccessKeyId``, ``success_action_status=200``, ``signature``, ``key`` and the file.
"""

from __future__ import annotations

from dataclasses import replace

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
    """Want a form; the page has no place for a callback."""
    return FormUnderPrefix("v1", callback=False, status_field=options.status_field)


def render(form: HandedForm, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the five fields, or what the Ruby and C# samples write."""
    prefix = form.prefix if options.dir_slash else form.prefix.removesuffix("/")
    signed = form.fields
    if options.variant == "csharp":
        return answer_json(
            {
                "Accessid": signed["OSSAccessKeyId"],
                "Policy": signed["policy"],
                "Signature": signed["Signature"],
                "Dir": prefix,
                "Host": form.host,
                "Expire": str(form.expires),
            },
            options,
        )
    data: dict[str, object] = {
        "ossAccessKeyId": signed["OSSAccessKeyId"],
        "policy": signed["policy"],
        "signature": signed["Signature"],
        "dir": prefix,
        "host": form.host,
    }
    if options.variant == "ruby":
        data["expire"] = form.expires
    answer = answer_json(data, options)
    # The Java sample returns a text, and pages that were made for it read it as one.
    return replace(answer, content_type="text/plain; charset=utf-8") if options.variant == "java" else answer


DIALECT = Dialect(
    name="appserver_v1_named",
    usual_paths=("/gen2/get_post_signature_for_oss_upload",),
    routes=(Route("", ("GET",), read, render),),
    refuse=refuse_json,
    variants=("python", "node", "go", "php", "java", "ruby", "csharp"),
    choices=frozenset({"dir_slash", "status_field", "envelope"}),
    ways=("post",),
    names_keys=True,
)
