"""Client variables: declared by the profile, typed, bounded, and carried inside the ticket.

OSS has its own ``x:`` form fields for this, which travel beside the ticket through the client's hands. Inside the ticket nobody can change them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from signer.errors import ConfigurationError, VariablesInvalid, quote
from signer.facts import Variable
from signer.texts import holds_hidden

MAX_TOGETHER_BYTES = 512
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_TYPES: dict[str, type] = {"string": str, "integer": int, "boolean": bool}


@dataclass(frozen=True, slots=True)
class VariableRule:
    """What one variable may be."""

    name: str
    type: Literal["string", "integer", "boolean"] = "string"
    required: bool = False
    max_length: int = 128
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a rule that no value could meet.

        Raises:
            ConfigurationError: With the fix.
        """
        if not _NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"{quote(self.name)} is no variable name",
                hint="use a-z, 0-9 and _, at most 32, a letter first",
            )
        if self.type not in _TYPES:
            raise ConfigurationError(
                f"variable {self.name} has the unknown type {quote(self.type)}",
                hint="string, integer or boolean",
            )
        if not 1 <= self.max_length <= MAX_TOGETHER_BYTES:
            raise ConfigurationError(
                f"variable {self.name} may have {self.max_length} bytes",
                hint=f"1 to {MAX_TOGETHER_BYTES}, which is what all variables may have together",
            )
        if self.choices and self.type != "string":
            raise ConfigurationError(
                f"variable {self.name} has choices but is no string", hint="leave the choices out"
            )
        for choice in self.choices:
            if holds_hidden(choice) or len(choice.encode()) > self.max_length:
                raise ConfigurationError(
                    f"variable {self.name} could never be {quote(choice)}",
                    hint=f"choices have no control characters and at most max_length = {self.max_length} bytes",
                )


def check_variables(given: Mapping[str, object], rules: Mapping[str, VariableRule]) -> dict[str, Variable]:
    """Return a client's variables once they meet the profile's rules.

    Raises:
        VariablesInvalid: Undeclared, missing, of another type, too long, or not among the choices; answered with 422.
    """
    if not given and not rules:
        return {}
    unknown = sorted(set(given) - set(rules))
    if unknown:
        raise VariablesInvalid(
            f"the profile declares no variable {quote(unknown[0])}",
            hint="it declares " + (", ".join(sorted(rules)) or "none"),
        )
    checked: dict[str, Variable] = {}
    for name, rule in rules.items():
        if name in given:
            checked[name] = _check_value(given[name], rule)
        elif rule.required:
            raise VariablesInvalid(
                f"the variable {name} is missing", hint=f'add it to "vars", of type {rule.type}'
            )
    if checked and len(orjson.dumps(checked)) > MAX_TOGETHER_BYTES:
        raise VariablesInvalid(f"the variables together have more than {MAX_TOGETHER_BYTES} bytes")
    return checked


def _check_value(value: object, rule: VariableRule) -> Variable:
    # bool is a subclass of int in Python, never in JSON.
    if type(value) is not _TYPES[rule.type]:
        raise VariablesInvalid(
            f"the variable {rule.name} must be of type {rule.type}, not {quote(value, 40)}"
        )
    assert isinstance(value, (str, int, bool))
    if isinstance(value, str):
        # First, since half a surrogate pair has no bytes to count.
        if holds_hidden(value):
            raise VariablesInvalid(f"the variable {rule.name} holds control characters")
        if len(value.encode()) > rule.max_length:
            raise VariablesInvalid(f"the variable {rule.name} has more than {rule.max_length} bytes")
        if rule.choices and value not in rule.choices:
            raise VariablesInvalid(
                f"the variable {rule.name} may not be {quote(value, 40)}",
                hint="one of " + ", ".join(rule.choices),
            )
    elif not -(2**53) < value < 2**53:
        raise VariablesInvalid(f"the variable {rule.name} is larger than what JSON readers keep exact")
    return value
