"""RAM policies: their grammar, and what they decide.

Sources: https://www.alibabacloud.com/help/en/ram/policy-structure-and-syntax ,
https://www.alibabacloud.com/help/en/ram/policy-elements . A statement applies when action, resource and every
condition match. An applying Deny decides; else an applying Allow; else the request is denied.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NoReturn, TypeVar

from ossgate.emulator.sts.policy_conditions import Condition, ConditionRefused, parse_conditions
from ossgate.emulator.sts.wildcard import matches

_T = TypeVar("_T")
_ELEMENTS = {"Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
_ACTION = re.compile(r"\*|[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+", re.ASCII)


class PolicyGrammarError(ValueError):
    """The document is no policy; the text says why."""


class Decision(Enum):
    """What a policy says of one action."""

    ALLOW = "Allow"
    EXPLICIT_DENY = "ExplicitDeny"
    IMPLICIT_DENY = "ImplicitDeny"


@dataclass(frozen=True, slots=True)
class Resource:
    """What an action is done to.

    Args:
        regions: The spellings of the region that a policy may use.
        path: The part behind the account: `bucket`, `bucket/key`, `role/name`.
    """

    service: str
    regions: tuple[str, ...]
    account_id: str
    path: str


@dataclass(frozen=True, slots=True)
class ResourcePattern:
    """A resource name with wildcards, in its parts: a star never reaches over a colon into the next part."""

    service: str
    region: str
    account_id: str
    path: str

    def covers(self, resource: Resource) -> bool:
        """Tell whether a resource is meant."""
        return (
            matches(self.service, resource.service)
            and any(matches(self.region, region) for region in resource.regions)
            and matches(self.account_id, resource.account_id)
            and matches(self.path, resource.path)
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Args:
        actions: In lower case, since RAM compares actions without case.
        other_actions: Whether the actions are those of a NotAction.
        other_resources: Whether the resources are those of a NotResource.
    """

    allow: bool
    actions: tuple[str, ...]
    other_actions: bool
    resources: tuple[ResourcePattern, ...]
    other_resources: bool
    conditions: tuple[Condition, ...]

    def applies(self, action: str, resource: Resource, facts: Mapping[str, str]) -> bool:
        """Tell whether the statement speaks of this action."""
        named = any(matches(pattern, action.lower()) for pattern in self.actions)
        covered = any(pattern.covers(resource) for pattern in self.resources)
        return (
            named != self.other_actions
            and covered != self.other_resources
            and all(condition.holds(facts) for condition in self.conditions)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy."""

    statements: tuple[Statement, ...]

    def decide(self, action: str, resource: Resource, facts: Mapping[str, str]) -> Decision:
        """Judge one action on one resource.

        Args:
            facts: The request's value for each condition key that it has.
        """
        applying = [item.allow for item in self.statements if item.applies(action, resource, facts)]
        if not all(applying):
            return Decision.EXPLICIT_DENY
        return Decision.ALLOW if applying else Decision.IMPLICIT_DENY


@lru_cache(maxsize=256)
def parse_policy(text: str) -> Policy:
    """Read a policy document.

    Raises:
        PolicyGrammarError: It is not JSON, or not a policy.
    """
    try:
        document = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_read_object)
    except (ValueError, RecursionError) as error:
        raise PolicyGrammarError("the policy is not JSON") from error
    if not isinstance(document, dict) or set(document) != {"Version", "Statement"}:
        raise PolicyGrammarError("a policy has Version and Statement, and nothing else")
    if document["Version"] != "1":
        raise PolicyGrammarError('Version must be "1"')
    statements = document["Statement"]
    if not isinstance(statements, list) or not statements:
        raise PolicyGrammarError("Statement is a list of statements")
    return Policy(tuple(_parse_statement(statement) for statement in statements))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _read_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # Which of two members counts would be anybody's guess.
        raise ValueError("a member stands twice")
    return members


def _parse_statement(document: object) -> Statement:
    if not isinstance(document, dict):
        raise PolicyGrammarError("a statement is an object")
    unknown = sorted(set(document) - _ELEMENTS)
    if unknown:
        # Principal among them: only policies of resources have it.
        raise PolicyGrammarError(f"there is no element {unknown[0][:64]!r} in a statement")
    if document.get("Effect") not in ("Allow", "Deny"):
        raise PolicyGrammarError('Effect must be "Allow" or "Deny"')
    actions, other_actions = _read_choice(document, "Action", _parse_action)
    resources, other_resources = _read_choice(document, "Resource", _parse_resource)
    try:
        conditions = parse_conditions(document["Condition"]) if "Condition" in document else ()
    except ConditionRefused as error:
        raise PolicyGrammarError(str(error)) from error
    return Statement(
        document["Effect"] == "Allow", actions, other_actions, resources, other_resources, conditions
    )


def _read_choice(
    document: dict[str, object], name: str, parse: Callable[[str], _T]
) -> tuple[tuple[_T, ...], bool]:
    """Read `Action` or `NotAction`, `Resource` or `NotResource`."""
    negated = f"Not{name}"
    if (name in document) == (negated in document):
        raise PolicyGrammarError(f"a statement has either {name} or {negated}")
    value = document.get(name, document.get(negated))
    listed = value if isinstance(value, list) else [value]
    texts = [item for item in listed if isinstance(item, str)]
    if not texts or len(texts) != len(listed):
        raise PolicyGrammarError(f"{name} is a text or a list of texts")
    return tuple(parse(text) for text in texts), negated in document


def _parse_action(text: str) -> str:
    if not _ACTION.fullmatch(text):
        raise PolicyGrammarError(f"{text[:64]!r} is no action")
    return text.lower()


def _parse_resource(text: str) -> ResourcePattern:
    if text == "*":
        return ResourcePattern("*", "*", "*", "*")
    parts = text.split(":", 4)
    if len(parts) != 5 or parts[0] != "acs" or not parts[1] or not parts[4]:
        raise PolicyGrammarError(f"{text[:64]!r} is no resource")
    return ResourcePattern(*parts[1:])
