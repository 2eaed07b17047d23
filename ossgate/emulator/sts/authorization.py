"""Whether a session may do what it asks: the role's policy and the session policy must both allow it.

Sources: "How permissions of a session are decided", https://www.alibabacloud.com/help/en/ram/user-guide/policy-evaluation-process ;
the texts of the refusals: EC 0003-00000301, 0003-00000201 and 0003-00000001,
https://help.aliyun.com/en/oss/user-guide/0003-00000301
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ossgate.emulator.errors import BUCKET_ACL_DENIED, ErrorKind, OssError
from ossgate.emulator.sts.access_policy import Decision, Policy, Resource, parse_policy
from ossgate.emulator.sts.options import ROLE_ARN, StsRole
from ossgate.emulator.sts.permissions import LISTINGS, OPERATIONS
from ossgate.emulator.sts.request_facts import RequestFacts
from ossgate.emulator.sts.session_tokens import Session

SESSION_POLICY_DENIED = ErrorKind(
    403, "AccessDenied", "Access denied by authorizer's policy.", "0003-00000301"
)
ROLE_POLICY_DENIED = ErrorKind(403, "AccessDenied", "Access denied by bucket policy.", "0003-00000201")


class PolicyDenied(OssError):
    """A session may not do what it asks.

    Args:
        decision: Of the policy that refuses.
        detail: The members of AccessDeniedDetail.
    """

    def __init__(self, kind: ErrorKind, decision: Decision, detail: tuple[tuple[str, str], ...]) -> None:
        self.decision = decision
        self.detail = detail
        super().__init__(kind, extras=[("AccessDeniedDetail", detail)])


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Decides for the sessions of one account in one region."""

    account_id: str
    region: str

    def check(
        self,
        session: Session,
        role: StsRole | None,
        operation: str,
        *,
        bucket: str,
        object_key: str,
        facts: RequestFacts,
    ) -> None:
        """Let an operation pass, or refuse it.

        Args:
            role: The session's role as it is now; None when there is no such role any more.
            operation: OSS's own name of it, as in `permissions.OPERATIONS`.

        Raises:
            PolicyDenied: One of the permissions is denied, or not granted.
            KeyError: There is no such operation, or a copy without its source.
        """
        values = facts.list_condition_values(listing=operation in LISTINGS)
        for action, resource in self._list_needs(operation, bucket, object_key, facts):
            self._check_one(session, role, action, resource, values)

    def may_assume(self, session: Session, role: StsRole | None, arn: str, facts: RequestFacts) -> bool:
        """Tell whether a session may assume a further role."""
        match = ROLE_ARN.fullmatch(arn)
        if match is None or role is None:
            return False
        resource = Resource("ram", ("", "*"), match[1], f"role/{match[2]}")
        values = facts.list_condition_values(listing=False)
        return all(
            policy is None or policy.decide("sts:AssumeRole", resource, values) is Decision.ALLOW
            for policy in (_read(role.policy), _read(session.policy))
        )

    def _list_needs(
        self, operation: str, bucket: str, object_key: str, facts: RequestFacts
    ) -> Iterator[tuple[str, Resource]]:
        given = {None: True, "acl": facts.gives_acl, "tagging": facts.gives_tagging}
        paths = {"service": "*", "bucket": bucket, "object": f"{bucket}/{object_key}"}
        if facts.copy_source is not None:
            # Without it a copy finds no name for its source and fails: it must not pass unasked.
            paths["source"] = "/".join(facts.copy_source)
        for need in OPERATIONS[operation]:
            if given[need.only_with]:
                yield need.action, self._name(paths[need.target])

    def _name(self, path: str) -> Resource:
        # Policies write the region either way.
        return Resource("oss", (f"oss-{self.region}", self.region), self.account_id, path)

    def _check_one(
        self,
        session: Session,
        role: StsRole | None,
        action: str,
        resource: Resource,
        values: Mapping[str, str],
    ) -> None:
        by_role = Decision.IMPLICIT_DENY if role is None else _decide(role.policy, action, resource, values)
        by_session = _decide(session.policy, action, resource, values)
        if by_role is Decision.EXPLICIT_DENY:
            raise self._deny(ROLE_POLICY_DENIED, session, "AccountLevelIdentityBasedPolicy", action, by_role)
        if by_session is not Decision.ALLOW:
            raise self._deny(SESSION_POLICY_DENIED, session, "SessionPolicy", action, by_session)
        if by_role is not Decision.ALLOW:
            raise self._deny(BUCKET_ACL_DENIED, session, "AccountLevelIdentityBasedPolicy", action, by_role)

    def _deny(
        self, kind: ErrorKind, session: Session, policy_type: str, action: str, decision: Decision
    ) -> PolicyDenied:
        role_name = session.role_arn.rpartition("/")[2]
        return PolicyDenied(
            kind,
            decision,
            (
                ("PolicyType", policy_type),
                ("AuthPrincipalOwnerId", self.account_id),
                ("AuthPrincipalType", "AssumedRoleUser"),
                ("AuthPrincipalDisplayName", f"{role_name}:{session.session_name}"),
                ("NoPermissionType", decision.value),
                ("AuthAction", action),
            ),
        )


def _read(text: str | None) -> Policy | None:
    return parse_policy(text) if text else None


def _decide(text: str | None, action: str, resource: Resource, values: Mapping[str, str]) -> Decision:
    policy = _read(text)
    return Decision.ALLOW if policy is None else policy.decide(action, resource, values)
