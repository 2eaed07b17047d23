"""The Condition element of RAM policies.

Source: https://www.alibabacloud.com/help/en/ram/conditional-operator . Several values of one key are alternatives;
several keys and several operators must all hold. What holds when the request has no such key is not documented:
here an operator that asks for equality does not hold, and its negation does.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ossgate.emulator.sts.wildcard import matches

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?", re.ASCII)


class ConditionRefused(ValueError):
    """The element is not well-formed; the text says why."""


@dataclass(frozen=True, slots=True)
class _Operator:
    """How one value is read, and how the request's value is held against it."""

    read: Callable[[str], Any]
    holds: Callable[[Any, Any], bool]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key."""

    operator: str
    key: str
    values: tuple[Any, ...]

    def holds(self, facts: Mapping[str, str]) -> bool:
        """Judge a request.

        Args:
            facts: The request's value for each condition key that it has.
        """
        operator = _OPERATORS[self.operator]
        text = facts.get(self.key)
        if text is None:
            return operator.negated
        try:
            actual = operator.read(text)
        except ValueError:
            return operator.negated
        return operator.negated != any(operator.holds(actual, value) for value in self.values)


def parse_conditions(document: object) -> tuple[Condition, ...]:
    """Read a Condition element.

    Raises:
        ConditionRefused: It is not well-formed.
    """
    if not isinstance(document, dict):
        raise ConditionRefused("Condition is an object")
    found = []
    for name, keys in document.items():
        if name not in _OPERATORS:
            raise ConditionRefused(f"there is no operator {name[:64]!r}")
        if not isinstance(keys, dict) or not keys:
            raise ConditionRefused(f"{name} holds an object of keys and values")
        found += [Condition(name, key, _read_values(name, key, values)) for key, values in keys.items()]
    return tuple(found)


def _read_values(name: str, key: str, values: object) -> tuple[Any, ...]:
    if not re.fullmatch(r"[A-Za-z0-9-]+:[\w./:-]+", key):
        raise ConditionRefused(f"{key[:64]!r} is no condition key")
    listed = values if isinstance(values, list) else [values]
    if not listed:
        raise ConditionRefused(f"{key} has no value")
    read = _OPERATORS[name].read
    try:
        return tuple(read(_write_scalar(value)) for value in listed)
    except ValueError as error:
        raise ConditionRefused(f"a value of {key} does not suit {name}") from error


def _write_scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError("neither a text nor a number")


def _read_text(text: str) -> str:
    return text


def _read_number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError("no number")
    return float(text)


def _read_date(text: str) -> datetime:
    if not _DATE.fullmatch(text):
        raise ValueError("no date")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("neither true nor false")
    return text.lower() == "true"


def _read_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    network = ipaddress.ip_network(text, strict=False)
    if network.version == 6 and network.prefixlen == 128 and network.network_address.ipv4_mapped:
        # A listener on both families tells IPv4 peers this way.
        return ipaddress.ip_network(network.network_address.ipv4_mapped)
    return network


def _is_within(actual: Any, network: Any) -> bool:
    return actual.version == network.version and bool(actual.subnet_of(network))


def _compare(read: Callable[[str], Any], prefix: str) -> dict[str, _Operator]:
    return {
        f"{prefix}Equals": _Operator(read, lambda a, b: a == b),
        f"{prefix}NotEquals": _Operator(read, lambda a, b: a == b, negated=True),
        f"{prefix}LessThan": _Operator(read, lambda a, b: a < b),
        f"{prefix}LessThanEquals": _Operator(read, lambda a, b: a <= b),
        f"{prefix}GreaterThan": _Operator(read, lambda a, b: a > b),
        f"{prefix}GreaterThanEquals": _Operator(read, lambda a, b: a >= b),
    }


_OPERATORS: dict[str, _Operator] = {
    "StringEquals": _Operator(_read_text, lambda a, b: a == b),
    "StringNotEquals": _Operator(_read_text, lambda a, b: a == b, negated=True),
    "StringEqualsIgnoreCase": _Operator(str.casefold, lambda a, b: a == b),
    "StringNotEqualsIgnoreCase": _Operator(str.casefold, lambda a, b: a == b, negated=True),
    "StringLike": _Operator(_read_text, lambda a, b: matches(b, a)),
    "StringNotLike": _Operator(_read_text, lambda a, b: matches(b, a), negated=True),
    **_compare(_read_number, "Numeric"),
    **_compare(_read_date, "Date"),
    "Bool": _Operator(_read_bool, lambda a, b: a == b),
    "IpAddress": _Operator(_read_network, _is_within),
    "NotIpAddress": _Operator(_read_network, _is_within, negated=True),
}
