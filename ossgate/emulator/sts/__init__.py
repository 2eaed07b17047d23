"""STS inside the local OSS: AssumeRole, temporary credentials, and the policies that bind them.

Four clients call it in four shapes: the new SDKs (`x-acs-` headers), the old ones (all in the query), the credential
providers (GET) and ali-oss (a form). What they are given is then judged on every request to OSS.
"""

from ossgate.emulator.sts.call import is_sts_request
from ossgate.emulator.sts.options import StsOptions, StsRole
from ossgate.emulator.sts.request_facts import RequestFacts
from ossgate.emulator.sts.service import Sts
from ossgate.emulator.sts.session_tokens import SessionCredentials, load_seal

__all__ = [
    "RequestFacts",
    "SessionCredentials",
    "Sts",
    "StsOptions",
    "StsRole",
    "is_sts_request",
    "load_seal",
]
