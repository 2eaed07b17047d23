"""Temporary credentials for pages that use ali-oss, as Alibaba's app servers of 2023 and later hand them out.

Rules: *Obtain temporary access credentials from the server*,
https://help.aliyun.com/zh/oss/use-cases/uploading-objects-to-oss-directly-from-clients. The page asks again when ``Expiration`` is less than a
minute away; without it, never. Errors are 4xx with a JSON text.
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
from signer.dialects.credential_names import name_credentials, name_extras, want_credentials
from signer.dialects.handed import HandedCredentials
from signer.dialects.wishes import Wish


def read(request: DialectRequest, options: Options) -> Wish:
    """Want credentials for an hour."""
    return want_credentials(request)


def render(handed: HandedCredentials, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the flat object, or the shapes that the samples of other languages have."""
    named = name_credentials(handed)
    extras = name_extras(handed) if options.extras else {}
    if options.variant == "php":
        return answer_json({"Credentials": named, **extras}, options)
    if options.variant == "go":
        body = {"headers": {}, "statusCode": 200, "body": {"Credentials": named}}
        return answer_json({**body, **extras}, options)
    if options.variant == "java":
        named = {name[0].lower() + name[1:]: value for name, value in named.items()}
    return answer_json({**named, **extras}, options)


def refuse(refusal: Refusal, request: DialectRequest, options: Options) -> DialectAnswer:
    """Refuse with a real status and the reason as a JSON text."""
    if options.envelope is not None:
        return refuse_in_envelope(refusal, options.envelope, options)
    return DialectAnswer(orjson.dumps(refusal.sentence), refusal.status)


DIALECT = Dialect(
    name="sts_web",
    usual_paths=("/get_sts_token_for_oss_upload",),
    routes=(Route("", ("GET",), read, render),),
    refuse=refuse,
    variants=("python", "node", "ruby", "csharp", "php", "go", "java"),
    choices=frozenset({"extras", "envelope"}),
    ways=("sts",),
    names_keys=True,
)
