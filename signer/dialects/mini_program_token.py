"""WeChat and Alipay mini programs that sign their forms themselves: STS's own credentials object.

Rules: *WeChat mini programs*, https://help.aliyun.com/zh/oss/use-cases/use-wechat-mini-programs-to-upload-objects. The page signs with what it is
given, so what holds is the session policy of the credentials and nothing else.
"""

from __future__ import annotations

from signer.dialects.contract import (
    Dialect,
    DialectAnswer,
    DialectRequest,
    Options,
    Route,
    answer_json,
    refuse_json,
)
from signer.dialects.credential_names import name_credentials, name_extras, want_credentials
from signer.dialects.handed import HandedCredentials
from signer.dialects.wishes import Wish


def read(request: DialectRequest, options: Options) -> Wish:
    """Want credentials for an hour."""
    return want_credentials(request)


def render(handed: HandedCredentials, request: DialectRequest, options: Options) -> DialectAnswer:
    """Write the object as AssumeRole answers it."""
    extras = name_extras(handed) if options.extras else {}
    return answer_json({**name_credentials(handed), **extras}, options)


DIALECT = Dialect(
    name="mini_program_token",
    usual_paths=("/getToken",),
    routes=(Route("", ("GET",), read, render),),
    refuse=refuse_json,
    choices=frozenset({"extras", "envelope"}),
    ways=("sts",),
    names_keys=True,
)
