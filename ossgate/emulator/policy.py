r"""The Post Policy document: read it, and hold a form against it.

The policy is base64 of JSON with `expiration` and `conditions`. `\$`, which JSON does not know, is read as an
escaped dollar sign. Source: "PostObject", https://help.aliyun.com/zh/oss/developer-reference/postobject ; its errors,
https://www.alibabacloud.com/help/en/oss/how-to-handle-common-errors-when-the-postobject-operation-is-called
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ossgate.emulator.errors import POLICY_CONDITION_FAILED, POLICY_EXPIRED, OssError, invalid_policy
from ossgate.emulator.policy_conditions import Condition, LengthRange, parse_condition

_EXPIRATION = re.compile(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6})\d*)?Z", re.ASCII)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy."""

    expiration: datetime
    conditions: tuple[Condition, ...]
    length_ranges: tuple[LengthRange, ...]

    def check_expiration(self, now: datetime) -> None:
        """Refuse a policy past its expiration.

        Raises:
            OssError: It has expired.
        """
        if now > self.expiration:
            raise OssError(POLICY_EXPIRED)

    def check_conditions(self, look_up: Callable[[str], str | None]) -> None:
        """Hold the form against every condition but the size.

        Args:
            look_up: Tells a field's value by lower-case name, None when it is absent.

        Raises:
            OssError: The first condition that does not hold, printed.
        """
        for condition in self.conditions:
            if not condition.holds(look_up(condition.field)):
                text = f"{POLICY_CONDITION_FAILED.message} {condition.describe()}"
                raise OssError(POLICY_CONDITION_FAILED, message=text)

    def names(self, field: str) -> bool:
        """Tell whether some condition is about a field."""
        return any(condition.field == field for condition in self.conditions)


def parse_policy(encoded_policy: str) -> Policy:
    """Read an encoded policy.

    Raises:
        OssError: It is not base64, not JSON, or not a policy.
    """
    try:
        text = base64.b64decode(encoded_policy, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid_policy(204, "Invalid JSON.") from error
    document = _parse_json(text)
    if not isinstance(document, dict):
        raise invalid_policy(201, "Invalid JSON: the policy must be an object.")
    if "expiration" not in document:
        if "conditions" not in document:
            raise invalid_policy(209, "Policy has neither expiration nor conditions.")
        raise invalid_policy(208, "Policy is missing expiration.")
    expiration = _parse_expiration(document["expiration"])
    if "conditions" not in document:
        raise invalid_policy(207, "Policy is missing conditions.")
    items = document["conditions"]
    if not isinstance(items, list):
        raise invalid_policy(214, "Conditions must be a list.")
    if not items:
        raise invalid_policy(
            215,
            "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
        )
    parsed = [parse_condition(item) for item in items]
    return Policy(
        expiration,
        tuple(item for item in parsed if not isinstance(item, LengthRange)),
        tuple(item for item in parsed if isinstance(item, LengthRange)),
    )


def _parse_json(text: str) -> object:
    readable = _ESCAPE.sub(lambda match: r"\\$" if match[1] == "$" else match[0], text)
    try:
        return json.loads(readable)
    except json.JSONDecodeError as error:
        raise invalid_policy(204, _explain(error)) from error
    except (ValueError, RecursionError) as error:
        raise invalid_policy(204, "Invalid JSON.") from error


def _explain(error: json.JSONDecodeError) -> str:
    if error.msg.startswith("Expecting ',' delimiter"):
        # The innermost bracket still open tells which one was wanted.
        opened = [character for character in error.doc[: error.pos] if character in "[]{}"]
        depth: list[str] = []
        for character in opened:
            if character in "[{":
                depth.append(character)
            elif depth:
                depth.pop()
        closing = "}" if depth and depth[-1] == "{" else "]"
        return f"Invalid JSON: , or {closing} expected"
    if error.msg.startswith(("Expecting value", "Expecting property name")) and error.pos < len(error.doc):
        return f"Invalid JSON: unknown char {error.doc[error.pos]}"
    return "Invalid JSON."


def _parse_expiration(value: object) -> datetime:
    if not isinstance(value, str):
        raise invalid_policy(210, "Expiration must be a string.")
    if not value:
        raise invalid_policy(211, "Expiration is empty.")
    match = _EXPIRATION.fullmatch(value)
    if match is None:
        raise invalid_policy(212, "Expiration must have the form YYYY-MM-DDThh:mm:ss.sssZ.")
    *parts, fraction = match.groups()
    try:
        return datetime(*map(int, parts), int((fraction or "0").ljust(6, "0")), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError as error:
        raise invalid_policy(212, "Expiration must have the form YYYY-MM-DDThh:mm:ss.sssZ.") from error
