"""The credentials URI of Alibaba's SDKs, which read it from ``ALIBABA_CLOUD_CREDENTIALS_URI``.

Rules: *Manage access credentials*, https://help.aliyun.com/zh/sdk/developer-reference/v2-manage-python-access-credentials, and the SDKs' sources,
such as https://github.com/aliyun/credentials-python. They want HTTP 200 and ``"Code": "Success"``, and hold credentials for stale 15 minutes before
their end.
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
)
from signer.dialects.credential_names import name_credentials, name_extras, want_credentials
from signer.dialects.handed import HandedCredentials
from signer.dialects.wishes import Wish


def read(request: DialectRequest, options: Options) -> Wish:
    """Want credentials for an hour, four times the SDKs' margin."""
    return want_credentials(request)


def render(handed: HandedCredentials, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the five fields; the rest is for the program beside the SDK."""
    extras = name_extras(handed) if options.extras else {}
    return DialectAnswer(orjson.dumps({"Code": "Success", **name_credentials(handed), **extras}))


def refuse(refusal: Refusal, request: DialectRequest, options: Options) -> DialectAnswer:
    """Refuse with a real status; the SDKs put the body into their error."""
    return DialectAnswer(orjson.dumps({"Code": refusal.code, "Message": refusal.sentence}), refusal.status)


DIALECT = Dialect(
    name="credentials_uri",
    usual_paths=("/credentials",),
    routes=(Route("", ("GET",), read, render),),
    refuse=refuse,
    choices=frozenset({"extras"}),
    query_bearer=True,
    ways=("sts",),
    names_keys=True,
)
