"""All contracts, by the names that the settings give them."""

from __future__ import annotations

from signer.dialects import (
    ali_oss,
    appserver_v1,
    appserver_v1_named,
    appserver_v4,
    companion,
    credentials_uri,
    form,
    form_data,
    gulimall,
    mall,
    mini_program,
    mini_program_token,
    presign,
    put_text,
    sts_mobile,
    sts_web,
    uppy_sign,
)
from signer.dialects.contract import Dialect

DIALECTS: dict[str, Dialect] = {
    module.DIALECT.name: module.DIALECT
    for module in (
        appserver_v1,
        appserver_v1_named,
        appserver_v4,
        mall,
        gulimall,
        sts_web,
        sts_mobile,
        credentials_uri,
        ali_oss,
        mini_program,
        mini_program_token,
        form_data,
        put_text,
        presign,
        form,
        companion,
        uppy_sign,
    )
}
