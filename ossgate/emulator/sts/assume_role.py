"""AssumeRole: parameters, permission, and the session that comes of it.

Source: https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ossgate.emulator.sts.access_policy import PolicyGrammarError, parse_policy
from ossgate.emulator.sts.call import Call
from ossgate.emulator.sts.options import ROLE_ARN, SHORTEST_SESSION, StsOptions, StsRole
from ossgate.emulator.sts.session_tokens import Session, SessionCredentials, make_access_key_id
from ossgate.emulator.sts.sts_errors import (
    EXTERNAL_ID_MALFORMED,
    NO_PERMISSION,
    POLICY_GRAMMAR,
    POLICY_SIZE,
    ROLE_ARN_MALFORMED,
    ROLE_UNKNOWN,
    SESSION_NAME_MALFORMED,
    SOURCE_IDENTITY_MALFORMED,
    StsError,
    duration_out_of_range,
    missing,
)

MAX_POLICY = 2048
_DEFAULT_DURATION = 3600
_SESSION_NAME = re.compile(r"[A-Za-z0-9.@_-]{2,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_SOURCE_IDENTITY = re.compile(r"[A-Za-z0-9.@=_-]{2,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AssumeRole:
    """The parameters, checked."""

    role: StsRole
    session_name: str
    duration: timedelta
    policy: str
    source_identity: str

    def start_session(self, now: datetime) -> Session:
        """Begin a session under a new key ID."""
        expires_at = now.replace(microsecond=0) + self.duration
        return Session(make_access_key_id(), self.role.arn, self.session_name, expires_at, self.policy)


def read_assume_role(call: Call, options: StsOptions) -> AssumeRole:
    """Check the parameters of a call, then the role.

    Raises:
        StsError: A parameter is malformed, or the role is unknown or not for this caller.
    """
    arn = _demand(call, "RoleArn")
    session_name = _demand(call, "RoleSessionName")
    if not ROLE_ARN.fullmatch(arn):
        raise StsError(ROLE_ARN_MALFORMED)
    if not _SESSION_NAME.fullmatch(session_name):
        raise StsError(SESSION_NAME_MALFORMED)
    external_id = call.parameter("ExternalId")
    if external_id and not _EXTERNAL_ID.fullmatch(external_id):
        raise StsError(EXTERNAL_ID_MALFORMED)
    source_identity = call.parameter("SourceIdentity")
    if source_identity and not _SOURCE_IDENTITY.fullmatch(source_identity):
        raise StsError(SOURCE_IDENTITY_MALFORMED)
    policy = _read_policy(call)
    role = options.find_role(arn)
    seconds = _read_duration(call, role.max_session_duration if role else options.max_session_duration)
    if role is None:
        raise StsError(ROLE_UNKNOWN, f" (the emulator's account is {options.account_id})")
    if not role.trusts_caller or (role.external_id and role.external_id != external_id):
        raise StsError(NO_PERMISSION)
    return AssumeRole(role, session_name, timedelta(seconds=seconds), policy, source_identity)


def describe_session(credentials: SessionCredentials, source_identity: str) -> dict[str, Any]:
    """Write what AssumeRole answers."""
    session = credentials.session
    # RAM gives a role a number of 18 digits; the emulator's is the same for the same ARN.
    number = int.from_bytes(hashlib.sha256(session.role_arn.lower().encode()).digest()[:8]) % 10**17
    document: dict[str, Any] = {
        "AssumedRoleUser": {
            "Arn": f"{session.role_arn}/{session.session_name}",
            "AssumedRoleId": f"3{number:017d}:{session.session_name}",
        },
        "Credentials": {
            "AccessKeyId": credentials.access_key_id,
            "AccessKeySecret": credentials.access_key_secret,
            "SecurityToken": credentials.security_token,
            "Expiration": f"{session.expires_at:%Y-%m-%dT%H:%M:%SZ}",
        },
    }
    if source_identity:
        document["SourceIdentity"] = source_identity
    return document


def _demand(call: Call, name: str) -> str:
    value = call.parameter(name)
    if not value:
        raise missing(name)
    return value


def _read_policy(call: Call) -> str:
    policy = call.parameter("Policy")
    if not policy:
        return ""
    if len(policy) > MAX_POLICY:
        raise StsError(POLICY_SIZE)
    try:
        parse_policy(policy)
    except PolicyGrammarError as error:
        raise StsError(POLICY_GRAMMAR) from error
    return policy


def _read_duration(call: Call, longest: int) -> int:
    text = call.parameter("DurationSeconds")
    if not text:
        return min(_DEFAULT_DURATION, longest)
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not SHORTEST_SESSION <= int(text) <= longest:
        raise duration_out_of_range(longest)
    return int(text)
