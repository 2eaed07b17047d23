"""pydantic's validation errors, in the words of the settings file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from ossgate.problems import Location, Problem, number_table

SHOWN_CHARACTERS = 60
_EXAMPLE = "`ossgate init` writes an example of every setting"
# By the beginning of pydantic's error type: what is said of the value, and the fix.
_WORDS = (
    ("missing", "is missing", f"add it; {_EXAMPLE}"),
    ("extra_forbidden", "is no setting of ossgate", f"is it misspelt? {_EXAMPLE}"),
    ("bool_", "is neither true nor false", "write true or false, without quotes"),
    ("int_", "is no whole number", "write a whole number, without quotes"),
    ("string_", "is no text", "write it in quotes"),
    ("tuple_", "is no list", 'write a list, such as ["…"]; in the environment as JSON'),
    ("dict_", "is no table", f"write a table; {_EXAMPLE}"),
    ("model_", "is no table", f"write a table; {_EXAMPLE}"),
    ("too_short", "is empty", f"add at least one; {_EXAMPLE}"),
)
# Where a field takes text or a number, pydantic names both attempts at the end of the location.
_UNION_TAGS = frozenset({"str", "int"})


def translate_errors(errors: Iterable[Any], model: type[BaseModel]) -> list[Problem]:
    """Return the problems that validation found, one for each setting.

    Args:
        errors: As `pydantic.ValidationError.errors` returns them.
        model: What was validated, to suggest the name that was meant.
    """
    found: dict[Location, Problem] = {}
    for error in errors:
        problem = _translate(error, model)
        if problem.location in found:
            message = "is neither text nor a number" + _show(error["input"])
            problem = Problem(problem.location, message, "write text in quotes, or a whole number")
        found[problem.location] = problem
    return list(found.values())


def leave_out(data: Mapping[str, Any], errors: Iterable[Any]) -> dict[str, Any]:
    """Return data without the values that validation refused, so that the rest can be judged, too."""
    wrong = {tuple(error["loc"]) for error in errors}
    wrong |= {location[:-1] for location in wrong if location[-1] in _UNION_TAGS}

    def copy(value: Any, location: tuple[str | int, ...]) -> Any:
        if isinstance(value, dict):
            return {
                key: copy(one, (*location, key))
                for key, one in value.items()
                if (*location, key) not in wrong
            }
        if isinstance(value, list):
            return [
                copy(one, (*location, at)) for at, one in enumerate(value) if (*location, at) not in wrong
            ]
        return value

    copied: dict[str, Any] = copy(dict(data), ())
    return copied


def _translate(error: Any, model: type[BaseModel]) -> Problem:
    location = _locate(error["loc"])
    kind: str = error["type"]
    if location[-1] in _UNION_TAGS:
        location = location[:-1]
    message, hint = error["msg"][0].lower() + error["msg"][1:], ""
    for beginning, words, fix in _WORDS:
        if kind.startswith(beginning):
            message, hint = words, fix
            break
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(location[-1], list_names(model, location[:-1]), n=1)
        hint = f"did you mean {near[0]}?" if near else hint
    elif kind != "missing":
        message += _show(error["input"])
    return Problem(location, message, hint)


def _locate(parts: Sequence[str | int]) -> Location:
    """Return where pydantic found something; a place in a list is told only where it is a list of tables."""
    return tuple(
        number_table(part) if isinstance(part, int) else part
        for part, following in zip(parts, (*parts[1:], 0), strict=True)
        if isinstance(part, str) or (isinstance(following, str) and following not in _UNION_TAGS)
    )


def _show(value: object) -> str:
    return "" if isinstance(value, (dict, list, tuple)) else f" (it is {str(value)[:SHOWN_CHARACTERS]!r})"


def list_names(model: type[BaseModel], location: Location) -> list[str]:
    """Return the names of the settings in a table, or nothing when the names there are a user's own."""
    found: Any = model
    for part in location:
        if not isinstance(found, type) or not issubclass(found, BaseModel):
            # A table by names of the user's, or a list of tables: dict[str, X] or tuple[X, ...].
            kinds = [kind for kind in get_args(found) if kind is not Ellipsis]
            found = kinds[-1] if kinds else None
            continue
        field = found.model_fields.get(part)
        found = field.annotation if field else None
        # What may be left out is written X | None.
        inner = [option for option in get_args(found) if option is not type(None)]
        if len(inner) == 1:
            found = inner[0]
    if isinstance(found, type) and issubclass(found, BaseModel):
        return [field.alias or name for name, field in found.model_fields.items()]
    return []
