"""The AppTokenServer of the mobile SDKs: ``OSSAuthCredentialsProvider`` of Android, ``OSSAuthCredentialProvider`` of iOS, and their relatives.

Rules: *Set up direct data transfer for mobile apps*, https://help.aliyun.com/zh/oss/use-cases/set-up-direct-data-transfer-for-mobile-apps, and the
SDKs' sources, https://github.com/aliyun/aliyun-oss-android-sdk and https://github.com/aliyun/aliyun-oss-ios-sdk. Android reads no body of an HTTP
error, so errors are HTTP 200 with a ``StatusCode`` other than 200; neither can send headers, so a bearer in the query counts; both ask again 300
seconds before the end.
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
)
from signer.dialects.credential_names import name_credentials, name_extras, want_credentials
from signer.dialects.handed import HandedCredentials
from signer.dialects.wishes import Wish


def read(request: DialectRequest, options: Options) -> Wish:
    """Want credentials for an hour, twelve times the SDKs' margin."""
    return want_credentials(request)


def render(handed: HandedCredentials, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the five fields, and behind them what an app needs to name its objects and attach the callback."""
    status: int | str = "200" if options.variant == "string" else 200
    extras = name_extras(handed) if options.extras else {}
    return answer_json({"StatusCode": status, **name_credentials(handed), **extras}, options)


def refuse(refusal: Refusal, request: DialectRequest, options: Options) -> DialectAnswer:
    """Refuse inside the body: what comes with an HTTP error is never shown."""
    status: int | str = "500" if options.variant == "string" else 500
    data = {"StatusCode": status, "ErrorCode": refusal.code, "ErrorMessage": refusal.sentence}
    return DialectAnswer(orjson.dumps(data), refusal.status if options.real_status else 200)


DIALECT = Dialect(
    name="sts_mobile",
    usual_paths=("/sts", "/sts/getsts", "/sts-server/sts.php"),
    routes=(Route("", ("GET", "POST"), read, render),),
    refuse=refuse,
    variants=("number", "string"),
    choices=frozenset({"extras", "real_status"}),
    query_bearer=True,
    ways=("sts",),
    names_keys=True,
)
