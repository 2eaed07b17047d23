"""The lifecycle rules by which a bucket deletes what a profile keeps for some days alone.

Rules: *PutBucketLifecycle*, https://help.aliyun.com/zh/oss/developer-reference/putbucketlifecycle: a rule finds objects by the beginning of their
keys or by a tag, and counts days from when an object was last written. A presigned PUT and an upload in parts carry a tag; a form cannot
(*PostObject*, https://help.aliyun.com/zh/oss/developer-reference/postobject), and nothing makes a client with temporary credentials send one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from signer.facts import Via
from signer.object_headers import KEEP_DAYS_TAG
from signer.object_keys import KeyTemplate
from signer.profiles import Profile

TAGGED_WAYS: frozenset[Via] = frozenset({"put", "multipart"})


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """One rule: by the beginning of keys, or by our tag where that is empty."""

    days: int
    prefix: str = ""

    @property
    def rule_id(self) -> str:
        """A name that tells what the rule does."""
        return f"ossgate-{self.days}-days-{self.prefix or 'tagged'}"[:255]


@dataclass(slots=True)
class LifecyclePlan:
    """The rules of one bucket. ``unreached`` are profiles some of whose objects no rule can find, each with the reason."""

    bucket: str
    rules: list[LifecycleRule] = field(default_factory=list)
    unreached: list[tuple[str, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the plan for machines."""
        return {
            "bucket": self.bucket,
            "rules": [
                {"id": rule.rule_id, "prefix": rule.prefix or None, "days": rule.days} for rule in self.rules
            ],
            "xml": render_xml(self.rules) if self.rules else None,
            "unreached": [{"profile": name, "reason": reason} for name, reason in self.unreached],
        }


def plan_lifecycle(profiles: Iterable[Profile]) -> list[LifecyclePlan]:
    """Return a plan for each bucket whose profiles keep objects for some days, in the order of their names."""
    everything = list(profiles)
    plans: dict[str, LifecyclePlan] = {}
    for profile in everything:
        if profile.keep_days:
            plan = plans.setdefault(profile.place.bucket, LifecyclePlan(profile.place.bucket))
            _plan_profile(plan, profile, everything)
    for plan in plans.values():
        plan.rules = _drop_covered(plan.rules)
    return [plans[bucket] for bucket in sorted(plans)]


def render_xml(rules: Sequence[LifecycleRule]) -> str:
    """Return rules as the body of PutBucketLifecycle."""
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            "<LifecycleConfiguration>",
            *[_render_rule(rule) for rule in rules],
            "</LifecycleConfiguration>",
        ]
    )


def _plan_profile(plan: LifecyclePlan, profile: Profile, everything: Sequence[Profile]) -> None:
    for template in _list_templates(profile):
        constant = template.find_constant(profile.name)
        others = _find_neighbours(constant, profile, everything)
        if constant and not others:
            plan.rules.append(LifecycleRule(profile.keep_days, constant))
            continue
        why = (
            f"its keys may begin as those of {', '.join(others)} do"
            if others
            else "its keys have no beginning of their own"
        )
        ways = [via for via in profile.via if via not in TAGGED_WAYS]
        if template is profile.object_key and TAGGED_WAYS & set(profile.via):
            plan.rules.append(LifecycleRule(profile.keep_days))
        if template is profile.key_prefix:
            plan.unreached.append((profile.name, f"files below key_prefix: {why}"))
        elif ways:
            plan.unreached.append((profile.name, f"files that come by {' or '.join(ways)}: {why}"))


def _find_neighbours(constant: str, profile: Profile, everything: Sequence[Profile]) -> list[str]:
    """Return the profiles of the same bucket that keep their objects otherwise and may have keys that begin so."""
    found = []
    for other in everything:
        if other.place.bucket != profile.place.bucket or other.keep_days == profile.keep_days:
            continue
        beginnings = [template.find_constant(other.name) for template in _list_templates(other)]
        # Where one ends, anything may follow.
        if any(one.startswith(constant) or constant.startswith(one) for one in beginnings):
            found.append(other.name)
    return found


def _list_templates(profile: Profile) -> list[KeyTemplate]:
    return [template for template in (profile.object_key, profile.key_prefix) if template is not None]


def _drop_covered(rules: Iterable[LifecycleRule]) -> list[LifecycleRule]:
    """Leave out what another rule does already: OSS refuses rules that overlap."""
    unique = sorted(set(rules), key=lambda rule: (rule.prefix, rule.days))
    return [
        rule
        for rule in unique
        if not any(
            rule != other
            and other.prefix
            and other.days == rule.days
            and rule.prefix.startswith(other.prefix)
            for other in unique
        )
    ]


def _render_rule(rule: LifecycleRule) -> str:
    lines = [f"    <ID>{escape(rule.rule_id)}</ID>"]
    if rule.prefix:
        lines.append(f"    <Prefix>{escape(rule.prefix)}</Prefix>")
    else:
        lines.append(f"    <Tag><Key>{KEEP_DAYS_TAG}</Key><Value>{rule.days}</Value></Tag>")
    lines.append("    <Status>Enabled</Status>")
    lines.append(f"    <Expiration><Days>{rule.days}</Days></Expiration>")
    return "\n".join(["  <Rule>", *lines, "  </Rule>"])
