"""Credentials for ali-oss, the JavaScript SDK: exactly the names that its ``refreshSTSToken`` takes, and a second address for the rest.

Rules: https://github.com/ali-sdk/ali-oss, ``lib/common/utils/setSTSToken.js``: the SDK assigns *every* field of the object to its own options, so
one named ``endpoint``, ``region`` or ``bucket`` would break a client. It ignores ``expiration`` and asks again by its own clock, by default every
five minutes, so ``refreshAfter`` of the second address is what ``refreshSTSTokenInterval`` should follow.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from signer.dialects.contract import (
    Dialect,
    DialectAnswer,
    DialectRequest,
    Options,
    Route,
    answer_json,
    refuse_json,
)
from signer.dialects.credential_names import format_end, want_credentials
from signer.dialects.handed import HandedCredentials
from signer.dialects.wishes import Wish
from signer.places import is_local_host


def read(request: DialectRequest, options: Options) -> Wish:
    """Want credentials for an hour: the token of a part that began just before a refresh is still good."""
    return want_credentials(request)


def render_credentials(handed: HandedCredentials, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the four names and nothing else."""
    return answer_json(name_for_sdk(handed), options)


def render_client(handed: HandedCredentials, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write all that a page needs before its first upload, each part ready to be handed to the SDK."""
    endpoint = urlsplit(handed.endpoint)
    parameter = handed.callback
    callback: dict[str, Any] = {
        "url": parameter.get("callbackUrl", ""),
        "body": parameter.get("callbackBody", ""),
        "contentType": parameter.get("callbackBodyType", ""),
    }
    if parameter.get("callbackHost"):
        callback["host"] = parameter["callbackHost"]
    if parameter.get("callbackSNI"):
        callback["callbackSNI"] = True
    return answer_json(
        {
            "credentials": name_for_sdk(handed),
            "client": {
                "region": f"oss-{handed.region}",
                "bucket": handed.bucket,
                # With its scheme: of a bare host and port the SDK takes the host for a scheme.
                "endpoint": handed.endpoint,
                "cname": handed.is_cname,
                "secure": endpoint.scheme == "https",
                # Under an address the bucket stands in the path, which the SDK does not see by itself.
                "sldEnable": is_local_host(endpoint.hostname or ""),
                "authorizationV4": True,
            },
            "dir": handed.prefix,
            "grant": handed.grant,
            "callback": callback,
            "refreshAfter": handed.seconds // 3,
        },
        options,
    )


def name_for_sdk(handed: HandedCredentials) -> dict[str, str]:
    """Return the credentials under the SDK's names."""
    return {
        "accessKeyId": handed.credentials.access_key_id,
        "accessKeySecret": handed.credentials.access_key_secret,
        "stsToken": handed.credentials.security_token or "",
        "expiration": format_end(handed),
    }


DIALECT = Dialect(
    name="ali_oss",
    usual_paths=("/ali-oss/sts",),
    routes=(
        Route("", ("GET", "POST"), read, render_credentials),
        Route("/client", ("GET",), read, render_client),
    ),
    refuse=refuse_json,
    choices=frozenset({"envelope"}),
    ways=("sts",),
    names_keys=True,
)
