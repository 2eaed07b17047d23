"""What the emulator's STS is started with."""

import re
from dataclasses import dataclass

from ossgate.emulator.sts.access_policy import parse_policy

ROLE_ARN = re.compile(r"acs:ram::(\d{1,32}):role/([\w.@-]{1,64})", re.ASCII)
DEFAULT_ACCOUNT_ID = "1234567890123456"
SHORTEST_SESSION = 900
LONGEST_SESSION = 43_200


@dataclass(frozen=True, slots=True, kw_only=True)
class StsRole:
    """A role that may be assumed.

    Args:
        policy: The role's own permissions as a policy document; None is everything.
        max_session_duration: Seconds, 3600 to 43200 in RAM.
        external_id: What a caller must name, when not empty.
        trusts_caller: Whether the role's trust policy names the caller; if not, AssumeRole is refused.

    Raises:
        ValueError: The ARN or the duration is malformed.
        PolicyGrammarError: The policy is no policy.
    """

    arn: str
    policy: str | None = None
    max_session_duration: int = 3600
    external_id: str = ""
    trusts_caller: bool = True

    def __post_init__(self) -> None:
        if not ROLE_ARN.fullmatch(self.arn):
            raise ValueError(f"{self.arn!r} is no role ARN like acs:ram::1234567890123456:role/name")
        if not SHORTEST_SESSION <= self.max_session_duration <= LONGEST_SESSION:
            raise ValueError(f"max_session_duration must be {SHORTEST_SESSION} to {LONGEST_SESSION} seconds")
        if self.policy is not None:
            parse_policy(self.policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class StsOptions:
    """Settings of STS.

    Args:
        account_id: The account that owns buckets and roles.
        roles: The roles there are; empty means every role of the account, each with all permissions.
        max_session_duration: Of those roles that are not listed.
        caller_is_root: Whether the AccessKey is the account's own, which may not assume roles.
        disabled_access_key_ids: Keys that STS answers InvalidAccessKeyId.Inactive to.
        secure_transport: What `acs:SecureTransport` is taken to be: the emulator itself speaks plain HTTP only.
    """

    account_id: str = DEFAULT_ACCOUNT_ID
    roles: tuple[StsRole, ...] = ()
    max_session_duration: int = 3600
    caller_is_root: bool = False
    disabled_access_key_ids: tuple[str, ...] = ()
    secure_transport: bool = False

    def find_role(self, arn: str) -> StsRole | None:
        """Tell the role that an ARN names; names of roles are compared without case."""
        for role in self.roles:
            if role.arn.lower() == arn.lower():
                return role
        match = ROLE_ARN.fullmatch(arn)
        if self.roles or match is None or match[1] != self.account_id:
            return None
        return StsRole(arn=arn, max_session_duration=self.max_session_duration)
