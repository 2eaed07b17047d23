"""The conditions of a Post Policy: what one demands, and how OSS prints it when it is not met.

Source: "PostObject", https://help.aliyun.com/zh/oss/developer-reference/postobject ;
"Signature version 4", https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend
"""

import json
from dataclasses import dataclass

from ossgate.emulator.errors import invalid_policy


@dataclass(frozen=True, slots=True)
class Condition:
    """One rule on one form field.

    Args:
        operator: `eq`, `starts-with`, `in` or `not-in`.
        name: The field, as the policy spells it, without the dollar sign.
        argument: The value or prefix; the list of values for `in` and `not-in`.
    """

    operator: str
    name: str
    argument: str | tuple[str, ...]

    @property
    def field(self) -> str:
        """The field's name in lower case, as forms are looked up."""
        return self.name.lower()

    def holds(self, value: str | None) -> bool:
        """Tell whether a value satisfies the rule.

        Args:
            value: None means that the field is absent, which satisfies `not-in` alone.
        """
        if isinstance(self.argument, tuple):
            listed = value is not None and value in [unescape(choice) for choice in self.argument]
            return listed if self.operator == "in" else not listed
        wanted = unescape(self.argument)
        if value is None:
            return False
        return value.startswith(wanted) if self.operator == "starts-with" else value == wanted

    def describe(self) -> str:
        """Print the rule as OSS's refusal does."""
        argument = list(self.argument) if isinstance(self.argument, tuple) else self.argument
        return json.dumps([self.operator, f"${self.name}", argument], ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class LengthRange:
    """The file's size in bytes, both ends included."""

    low: int
    high: int


_SIMPLE = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."


def parse_condition(item: object) -> Condition | LengthRange:
    """Read one entry of `conditions`.

    Raises:
        OssError: It has none of the documented forms.
    """
    if isinstance(item, dict):
        if len(item) != 1:
            raise invalid_policy(201, _SIMPLE)
        ((name, value),) = item.items()
        return Condition("eq", _parse_name(name), _parse_text(value))
    if not isinstance(item, list):
        raise invalid_policy(222, "Invalid Condition: a condition must be a map or a list.")
    if not item or not isinstance(item[0], str):
        raise invalid_policy(216, "Invalid Condition: missing operator.")
    operator, *arguments = item
    if operator not in ("eq", "starts-with", "in", "not-in", "content-length-range"):
        raise invalid_policy(217, f"Invalid Condition: unsupported operator {operator[:32]}.")
    if len(arguments) > 2:
        raise invalid_policy(218, f"Invalid Condition: too many parameters for {operator}.")
    if len(arguments) < 2:
        raise invalid_policy(201, f"Invalid Condition: too few parameters for {operator}.")
    if operator == "content-length-range":
        return _parse_range(*arguments)
    name = _parse_name(arguments[0])
    if operator in ("in", "not-in"):
        return Condition(operator, name, _parse_choices(arguments[1]))
    return Condition(operator, name, _parse_text(arguments[1]))


def unescape(text: str) -> str:
    r"""Turn `\$` into a dollar sign, the policy's way to write one."""
    return text.replace("\\$", "$")


def _parse_name(value: object) -> str:
    if not isinstance(value, str) or not value.removeprefix("$"):
        raise invalid_policy(201, "Invalid Condition: the field name must be a string.")
    return value.removeprefix("$")


def _parse_text(value: object) -> str:
    if not isinstance(value, str):
        raise invalid_policy(201, "Invalid Condition: the value must be a string.")
    return value


def _parse_choices(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise invalid_policy(224, "Invalid Condition: the value of in and not-in must be a list.")
    return tuple(map(_parse_text, value))


def _parse_range(low: object, high: object) -> LengthRange:
    for number, bound in ((220, low), (221, high)):
        # The blank at the end is the service's own.
        if not isinstance(bound, int) or isinstance(bound, bool) or bound < 0:
            raise invalid_policy(number, "Invalid JSON. ")
    assert isinstance(low, int)
    assert isinstance(high, int)
    if high < low:
        raise invalid_policy(219, "Invalid Condition: content-length-range maximum is below its minimum.")
    return LengthRange(low, high)
